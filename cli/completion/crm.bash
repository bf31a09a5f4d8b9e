# Completion of crm for bash. In ~/.bashrc: source <(crm completion bash)
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

    local program=${words[0]/#\~\//$HOME/} line value shown=()
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == *:files ]]; then
            compopt -o default 2>/dev/null
            return
        fi
        value=${line%%$'\t'*}
        value=${value#"$kept"}
        COMPREPLY+=("$value")
        if [[ $line == *$'\t'* ]]; then
            line="$value  (${line#*$'\t'})"
            shown+=("${line:0:${COLUMNS:-80}-1}")
        else
            shown+=("$value")
        fi
    done < <("$program" __complete "${words[@]:1}" 2>/dev/null)
    # Where candidates are listed, and not put into the line, their descriptions are listed too.
    if [[ ${#COMPREPLY[@]} -gt 1 && ${COMP_TYPE:-9} == @(33|63|64) ]]; then
        COMPREPLY=("${shown[@]}")
    fi
}
complete -o nosort -F _crm crm 2>/dev/null || complete -F _crm crm
