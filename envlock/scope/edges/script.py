"""A script needs its interpreter, through ``env`` and the PATH."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from envlock.model.scope import MemberClass
from envlock.scope.graph import Around, EdgeKind, File, Need, Node
from envlock.scope.programs import find_program

_MARK = "#!"
_ENV_OPTIONS_WITH_VALUE = ("-u", "--unset", "-C", "--chdir")


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield the interpreter of a script, and ``env`` where it is started through it."""
    if not isinstance(node, File):
        return
    line = around.view.first_line(node.path)
    if not line.startswith(_MARK):
        return
    program, _, rest = line.removeprefix(_MARK).strip().partition(" ")
    found = around.real(program) if program.startswith("/") else None
    evidence = f"{_MARK}{program}"
    if found is not None:
        yield Need(found, evidence, MemberClass.DECLARED)
    if program.rpartition("/")[2] == "env":
        name = _through_env(rest)
        started = find_program(name, around) if name else None
        if started is not None:
            yield Need(started, f"{evidence} {name}", MemberClass.DECLARED)


def _through_env(rest: str) -> str:
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


EDGE = EdgeKind(
    name="script",
    of="a script",
    to="its interpreter, through `env` and the PATH",
    evidence="the `#!` line",
    sources=("execve(2), Interpreter scripts", "env(1)"),
    needs=needs,
)
