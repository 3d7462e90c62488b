"""``prefactor-trace completion``: what a shell needs to complete commands and options."""

import argparse
from typing import TextIO

from prefactor_trace.cli.arguments import parser
from prefactor_trace.cli.ending import DONE
from prefactor_trace.cli.terminal import write

_BASH = """\
_prefactor_trace() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" command="" at
    COMPREPLY=()
    for ((at = 1; at < COMP_CWORD; at++)); do
        case "${{COMP_WORDS[at]}}" in
            --db) ((at++)); [ "${{COMP_WORDS[at]}}" != "=" ] || ((at++)) ;;
            -*) ;;
            *) command="${{COMP_WORDS[at]}}"; break ;;
        esac
    done
    [ "$at" -le "$COMP_CWORD" ] || return 0  # the path of a database
    if [ -z "$command" ] && [[ "$word" != -* ]]; then
        COMPREPLY=($(compgen -W "{commands}" -- "$word"))
        return
    fi
    case "$command" in
        "") COMPREPLY=($(compgen -W "{shared}" -- "$word")) ;;
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
    whole = parser()
    known, shared = options(whole), _words(whole)
    if arguments.shell == "fish":
        write(out, "\n".join(_fish(known, shared)))
    else:
        cases = "\n".join(
            f'        {name}) COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word")) ;;'
            for name, words in known.items()
        )
        bash = _BASH.format(commands=" ".join(known), shared=" ".join(shared), cases=cases)
        write(out, bash if arguments.shell == "bash" else _ZSH.format(bash=bash))
    return DONE


def options(whole: argparse.ArgumentParser) -> dict[str, list[str]]:
    """Return each command with its options."""
    (commands,) = (
        action for action in whole._actions if isinstance(action, argparse._SubParsersAction)
    )
    return {name: _words(one) for name, one in commands.choices.items()}


def _words(one: argparse.ArgumentParser) -> list[str]:
    return sorted(word for action in one._actions for word in action.option_strings)


def _fish(known: dict[str, list[str]], shared: list[str]) -> list[str]:
    # Not `__fish_use_subcommand`: the path of a database would count as a command.
    names = " ".join(known)
    none_yet = f"not __fish_seen_subcommand_from {names}"
    lines = [f"complete -c prefactor-trace -n '{none_yet}' -f -a '{names}'"]
    conditions = {none_yet: shared}
    conditions |= {f"__fish_seen_subcommand_from {name}": words for name, words in known.items()}
    for condition, words in conditions.items():
        lines += [
            f"complete -c prefactor-trace -n '{condition}' -l {word.removeprefix('--')}"
            + (" -r -F" if word == "--db" else "")
            for word in words
            if word.startswith("--")
        ]
    return lines
