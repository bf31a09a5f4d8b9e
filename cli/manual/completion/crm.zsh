#compdef crm
# Completion of crm for zsh. Save it as _crm in a folder of $fpath, or in ~/.zshrc: source <(crm completion zsh)
_crm() {
    local line value
    local -a described
    # (Q) takes quotes off and evaluates nothing. zsh itself quotes what it puts into the line.
    while IFS= read -r line; do
        if [[ $line == :files || $line == -*=:files ]]; then
            compset -P '*='
            _files
            return
        fi
        line=${line//\\/\\\\}
        value=${line%%$'\t'*}
        value=${value//:/\\:}
        if [[ $line == *$'\t'* ]]; then
            described+=("$value:${line#*$'\t'}")
        else
            described+=("$value")
        fi
    done < <("${(Q)words[1]/#\~\//$HOME/}" __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
    # -U: what was found by a name does not begin as the word does.
    (( $#described )) && _describe -V 'crm' described -U
}
if [[ $funcstack[1] == _crm ]]; then
    _crm "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _crm crm
fi
