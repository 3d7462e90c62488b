"""``prefactor-trace completion``: what a shell needs to complete commands and options."""

import argparse
from typing import TextIO

from prefactor_trace.cli.codes import DONE
from prefactor_trace.cli.terminal import write

_BASH = """\
_prefactor_trace() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" command="${{COMP_WORDS[1]}}"
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{commands}" -- "$word"))
        return
    fi
    case "$command" in
{cases}
    esac
    [[ "$word" == -* ]] || COMPREPLY=()
}}
complete -o default -F _prefactor_trace prefactor-trace"""
_ZSH = """\
#compdef prefactor-trace
autoload -U +X bashcompinit && bashcompinit
{bash}"""


def completion(arguments: argparse.Namespace, out: TextIO) -> int:
    """Print the script of a shell."""
    from prefactor_trace.cli.arguments import parser

    known = options(parser())
    if arguments.shell == "fish":
        write(out, "\n".join(_fish(known)))
    else:
        cases = "\n".join(
            f'        {name}) COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word")) ;;'
            for name, words in known.items()
        )
        bash = _BASH.format(commands=" ".join(known), cases=cases)
        write(out, bash if arguments.shell == "bash" else _ZSH.format(bash=bash))
    return DONE


def options(whole: argparse.ArgumentParser) -> dict[str, list[str]]:
    """Return each command with its options."""
    (commands,) = (
        action for action in whole._actions if isinstance(action, argparse._SubParsersAction)
    )
    return {
        name: sorted(word for action in one._actions for word in action.option_strings)
        for name, one in commands.choices.items()
    }


def _fish(known: dict[str, list[str]]) -> list[str]:
    first = "complete -c prefactor-trace -n __fish_use_subcommand -f -a"
    lines = [f"{first} '{' '.join(known)}'"]
    for name, words in known.items():
        lines += [
            f"complete -c prefactor-trace -n '__fish_seen_subcommand_from {name}'"
            f" -l {word.removeprefix('--')}"
            for word in words
            if word.startswith("--")
        ]
    return lines
