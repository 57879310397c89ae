"""A shell script needs the programs that its lines start."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from envlock.model.text import from_bytes
from envlock.scope.commands import SHELLS, simple_commands, started_by
from envlock.scope.graph import Around, EdgeKind, File, Need, Node
from envlock.scope.programs import started_program
from envlock.scope.script_lines import interpreter_of

_LIMIT = 256 * 1024
_ASSIGNED = re.compile(
    r"^[ \t]*(?:export[ \t]+|readonly[ \t]+)?[A-Z_][A-Z0-9_]*=[\"']?(/[\w./+-]+)", re.MULTILINE
)
READS = ("/etc/init.d/*", "/*.sh", "**/*entrypoint*.sh")
"""Paths that this edge reads."""


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield the programs that the lines of a shell script start, or name in an assignment."""
    if not isinstance(node, File):
        return
    if posixpath.basename(interpreter_of(node.path, around)) not in SHELLS:
        return
    text = from_bytes(around.view.read(node.path, _LIMIT) or b"")
    for words in simple_commands(text):
        yield from started_by(words, around)
    for path in _ASSIGNED.findall(text):
        yield from started_program(path, "", around)


EDGE = EdgeKind(
    name="shell",
    of="a shell script",
    to="the programs that its simple commands start, through wrappers, and the programs that it "
    "keeps in variables by an absolute path",
    evidence="its lines; here-documents, quotes over several lines and computed names are not read",
    sources=("POSIX Shell Command Language, 2.9",),
    needs=needs,
    reads=READS,
)
