# Completion of crm for bash. In ~/.bashrc: source <(crm completion bash)
# __crm_quote sets quoted to a value as it has to stand in the line, where $2 is the word that it completes. Where that
# has a quote in it, what would end one or be evaluated in one is not offered.
__crm_quote() {
    quoted=$1
    if [[ $2 == *[\'\"]* ]]; then
        [[ $1 != *[\'\"\$\`\\!]* ]]
    elif [[ $1 == *[!A-Za-z0-9_.,:/@%+=-]* ]]; then
        printf -v quoted %q "$1"
    fi
}
_crm() {
    # bash takes = and : for words of their own. What stands together in the line is one word, up to the cursor.
    local rest=${COMP_LINE:0:COMP_POINT} word part i words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        part=${COMP_WORDS[i]}
        if [[ $rest == [[:space:]]* || i -eq 0 ]]; then
            rest=${rest#"${rest%%[![:space:]]*}"}
            words+=('')
        fi
        [[ $rest == "$part"* ]] || part=$rest
        rest=${rest#"$part"}
        words[${#words[@]}-1]+=$part
    done
    # Nothing of the line is ever evaluated; quotes and backslashes are only taken off.
    words=("${words[@]//[\"\'\\]/}")
    word=${words[${#words[@]}-1]}

    # Only what stands behind the last = or : is replaced, unless they are no ends of words here.
    local replaced=$word breaks=${COMP_WORDBREAKS//[^=:]/}
    [[ -n $breaks ]] && replaced=${word##*[$breaks]}
    local kept=${word%"$replaced"}

    local program=${words[0]/#\~\//$HOME/} line value quoted typed=${COMP_WORDS[COMP_CWORD]} shown=()
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == :files || $line == -*=:files ]]; then
            compopt -o default 2>/dev/null
            return
        fi
        value=${line%%$'\t'*}
        value=${value#"$kept"}
        __crm_quote "$value" "$typed" || continue
        COMPREPLY+=("$quoted")
        if [[ $line == *$'\t'* ]]; then
            line="$quoted  (${line#*$'\t'})"
            shown+=("${line:0:${COLUMNS:-80}-1}")
        else
            shown+=("$quoted")
        fi
    done < <("$program" __complete "${words[@]:1}" 2>/dev/null)
    # Where candidates are listed, and not put into the line, their descriptions are listed too.
    if [[ ${#COMPREPLY[@]} -gt 1 && ${COMP_TYPE:-9} == @(33|63|64) ]]; then
        COMPREPLY=("${shown[@]}")
    fi
}
complete -o nosort -F _crm crm 2>/dev/null || complete -F _crm crm
