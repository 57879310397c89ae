"""The ``#!`` line of a script: which program it starts."""

from __future__ import annotations

import shlex

from envlock.scope.graph import Around

MARK = "#!"
_ENV_OPTIONS_WITH_VALUE = ("-u", "--unset", "-C", "--chdir")


def mark_of(path: str, around: Around) -> tuple[str, str]:
    """Return the program in the ``#!`` line of a file and the rest of the line, else two empty."""
    return around.once(_mark, path)


def _mark(around: Around, path: str) -> tuple[str, str]:
    line = around.view.first_line(path)
    if not line.startswith(MARK):
        return "", ""
    program, _, rest = line.removeprefix(MARK).strip().partition(" ")
    return program, rest


def interpreter_of(path: str, around: Around) -> str:
    """Return the program that interprets a script, as a path or a name; empty for no script."""
    program, rest = mark_of(path, around)
    return through_env(rest) if program.rpartition("/")[2] == "env" else program


def through_env(rest: str) -> str:
    """Return the program that ``env`` starts with these arguments, empty for none."""
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in _ENV_OPTIONS_WITH_VALUE:
            skip = True
        elif not word.startswith("-") and "=" not in word:
            return word
    return ""
