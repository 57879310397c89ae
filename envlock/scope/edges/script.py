"""A script needs its interpreter, through ``env`` and the PATH."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.scope.graph import Around, EdgeKind, File, Need, Node
from envlock.scope.programs import started_program
from envlock.scope.script_lines import MARK, mark_of, through_env


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield the interpreter of a script, and ``env`` where it is started through it."""
    if not isinstance(node, File):
        return
    program, rest = mark_of(node.path, around)
    if not program:
        return
    evidence = f"{MARK}{program}"
    if program.startswith("/"):
        yield from started_program(program, evidence, around)
    if program.rpartition("/")[2] == "env":
        name = through_env(rest)
        if name:
            yield from started_program(name, f"{evidence} {name}", around)


EDGE = EdgeKind(
    name="script",
    of="a script",
    to="its interpreter, through `env` and the PATH",
    evidence="the `#!` line",
    sources=("execve(2), Interpreter scripts", "env(1)"),
    needs=needs,
)
