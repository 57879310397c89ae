"""``envlock completion``: print a completion script for a shell."""

from __future__ import annotations

import argparse

from envlock.cli.console import Console
from envlock.cli.main import COMMANDS
from envlock.errors import ExitStatus
from envlock.targets.kinds import KINDS

_BASH = """\
_envlock() {{
    local word=${{COMP_WORDS[COMP_CWORD]}}
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "{verbs}" -- "$word")
    else
        local names; names=$(cd locks 2>/dev/null && printf '%s ' *.lock)
        mapfile -t COMPREPLY < <(compgen -f -W "{targets} ${{names//.lock/}}" -- "$word")
    fi
}}
complete -o filenames -o nospace -F _envlock envlock
"""
_ZSH = """\
#compdef envlock
_envlock() {{
    if (( CURRENT == 2 )); then compadd -- {verbs}
    else compadd -S '' -- {targets}; compadd -- locks/*.lock(N:t:r); _files; fi
}}
compdef _envlock envlock
"""
_FISH = """\
complete -c envlock -n __fish_use_subcommand -f -a "{verbs}"
complete -c envlock -n "not __fish_use_subcommand" -a "{targets}"
"""
_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
_TARGETS = " ".join(sorted(kind.prefix for kind in KINDS.values()))


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the script."""
    verbs = " ".join(command.name for command in COMMANDS)
    console.out(_SCRIPTS[arguments.shell].format(verbs=verbs, targets=_TARGETS))
    return ExitStatus.OK
