"""Commands that are no application: what only waits, and what starts whatever is enabled.

A container that runs ``sleep`` or a shell is there for what people start in it, and one with an
init system for all its services.  The closure of such a command says nothing about either.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from envlock.scope.commands import SHELLS, simple_commands, unwrapped

_WAITS = frozenset({"cat", "false", "pause", "sleep", "tail", "true"})
_INITS = frozenset(
    {"init", "my_init", "openrc-init", "procd", "runit", "runit-init", "runsvdir", "s6-svscan"}
    | {"systemd"}
)


def is_application(words: Sequence[str]) -> bool:
    """True for a command that runs something of its own.

    >>> is_application(["tini", "--", "gunicorn", "shop:app"]), is_application(["bash", "-l"])
    (True, False)
    """
    inner = unwrapped(words)
    if not inner:
        return False
    name, rest = posixpath.basename(inner[0]), inner[1:]
    if name in SHELLS - {"busybox"}:
        return _has_work(rest)
    return name not in _WAITS | _INITS


def _has_work(words: Sequence[str]) -> bool:
    """True when a shell is given a script, or a command that is none of those that wait."""
    for at, word in enumerate(words):
        if word.startswith("-") and not word.startswith("--") and "c" in word:
            text = "\n".join(words[at + 1 : at + 2])
            return any(is_application(command) for command in simple_commands(text))
        if not word.startswith(("-", "+")):
            return True
    return False
