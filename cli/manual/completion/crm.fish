# Completion of crm for fish. Save it as ~/.config/fish/completions/crm.fish
function __crm_complete
    set -l words (commandline -xpc 2>/dev/null; or commandline -opc)
    # Variables may be set in front: CRM_OUTPUT=json crm
    while string match -qr '^\w+=' -- "$words[1]"
        set -e words[1]
    end
    # Nothing of the line is ever evaluated; quotes and backslashes are only taken off. fish itself quotes what it puts
    # into the line.
    set -l current (commandline -ct | string replace -ra '["\'\\\\]' '')
    for line in ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
        if string match -qr '^(-.*=)?:files$' -- $line
            __fish_complete_path "$current"
        else
            printf '%s\n' $line
        end
    end
end
complete -c crm -f -k -a '(__crm_complete)'
