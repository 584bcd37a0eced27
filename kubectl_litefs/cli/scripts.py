"""The scripts that complete the bare program. kubectl has its own, which ask `kubectl_complete-litefs`.

What the program answers is never given to `eval`, nor to `compgen -W`, which expands it: a name can come from a cluster.
"""

from __future__ import annotations

BASH = r"""# bash completion of kubectl-litefs. For now: source <(kubectl-litefs completion bash)
_kubectl_litefs() {
    local line=${COMP_LINE:0:COMP_POINT} typed=${COMP_WORDS[COMP_CWORD]} answer reply value word
    local program=$1 tab=$'\t' directive=4 longest=0 rest=0 i
    local -a values=()
    COMPREPLY=()
    # bash splits at colons and the like; what it took for done must not come again
    [[ $line == *[[:space:]] ]] && word='' || word=${line##*[[:space:]]}
    [[ $word == -*=* ]] && word=${word#*=}
    while [[ -n $typed && $line != *"$typed" ]]; do typed=${typed%?}; done
    [[ -n $typed && -z ${typed//["$COMP_WORDBREAKS"]/} ]] && typed=''
    rest=$((${#word} - ${#typed}))
    ((rest < 0)) && rest=0

    [[ -n $(type -P -- "$program") ]] || program=kubectl-litefs
    answer=$("$program" __complete_line "$line" 2>/dev/null) || return 0
    while IFS= read -r reply; do
        if [[ $reply == :* ]]; then directive=${reply#:}; continue; fi
        value=${reply%%"$tab"*}
        [[ -n $value && $value == "$word"* ]] || continue
        values+=("${reply:rest}")
        ((${#value} - rest > longest)) && longest=$((${#value} - rest))
    done <<< "$answer"

    if ((directive == 16)); then
        [[ $(type -t compopt) == builtin ]] && compopt -o dirnames +o default
        return 0
    fi
    if (((directive & 4) != 0)) && [[ $(type -t compopt) == builtin ]]; then compopt +o default; fi
    for i in "${!values[@]}"; do
        value=${values[i]%%"$tab"*}
        # 63 and 33: the list of choices is shown, which is the time for explanations
        if ((${#values[@]} > 1)) && [[ ${COMP_TYPE-} == 63 || ${COMP_TYPE-} == 33 ]] && [[ ${values[i]} == *"$tab"* ]]; then
            printf -v value "%-${longest}s  (%s)" "$value" "${values[i]#*"$tab"}"
            ((${#value} > ${COLUMNS:-80} - 2)) && value="${value:0:${COLUMNS:-80} - 6}...)"
        fi
        COMPREPLY+=("$value")
    done
}
complete -o default -F _kubectl_litefs kubectl-litefs
"""

ZSH = r"""#compdef kubectl-litefs
# zsh completion of kubectl-litefs. For now: source <(kubectl-litefs completion zsh)
# For good: write this into a file called _kubectl-litefs in a folder of $fpath.
_kubectl_litefs() {
    local program=${(Q)words[1]} tab=$'\t' directive=4 reply value
    local -a answer choices
    (( $+commands[$program] )) || [[ -x $program ]] || program=kubectl-litefs
    answer=("${(@f)$($program __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    [[ $PREFIX == -*=* ]] && compset -P '*='
    for reply in $answer; do
        if [[ $reply == :* ]]; then
            directive=${reply#:}
            continue
        fi
        value=${reply%%$tab*}
        if [[ $reply == *$tab* ]]; then
            choices+=("${value//:/\\:}:${reply#*$tab}")
        else
            choices+=("${value//:/\\:}")
        fi
    done
    if (( directive == 16 )); then
        _files -/
    elif (( directive == 0 && ! $#choices )); then
        _files
    else
        _describe 'kubectl-litefs' choices
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _kubectl_litefs "$@"
else
    compdef _kubectl_litefs kubectl-litefs
fi
"""

FISH = r"""# fish completion of kubectl-litefs. For now: kubectl-litefs completion fish | source
# For good: write this into ~/.config/fish/completions/kubectl-litefs.fish
function __kubectl_litefs
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l plain (string unescape -- "$last" 2>/dev/null; or echo -- "$last")
    set -l flag (string match -r -- '^-.*?=' "$last")
    type -q -- $words[1]; or set words[1] kubectl-litefs
    set -l answer ($words[1] __complete $words[2..-1] "$plain" 2>/dev/null)
    switch "$answer[-1]"
        case ':0' ':16'
            for path in (__fish_complete_path (string replace -r -- '^-.*?=' '' "$last"))
                echo -- "$flag$path"
            end
        case '*'
            for value in $answer[1..-2]
                echo -- "$flag$value"
            end
    end
end
complete -c kubectl-litefs -e
complete -c kubectl-litefs -f -a '(__kubectl_litefs)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
