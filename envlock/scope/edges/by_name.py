"""Python distributions that load a library of the system by its name: a table with sources.

They call it through ctypes or cffi, so that no file of theirs links to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from envlock.model.scope import MemberClass
from envlock.scope.graph import Around, EdgeKind, File, Item, Need, Node
from envlock.scope.loader import Loaded, Process
from envlock.scope.python_envs import SECTION, environments, program_of


class Row(NamedTuple):
    """One row: a distribution, the libraries that it loads, and the document that says so.

    Of `libraries` those that are found count.  With one of the distributions `unless` in its
    environment, another library is used.
    """

    distribution: str
    libraries: tuple[str, ...]
    unless: tuple[str, ...] = ()
    source: str = ""


ROWS = (
    Row("psycopg", ("libpq.so.5",), ("psycopg-binary", "psycopg-c"),
        "psycopg documentation, Pure Python installation"),
    Row("cairocffi", ("libcairo.so.2",), source="cairocffi documentation, Installing"),
    Row("pyenchant", ("libenchant-2.so.2", "libenchant.so.1"),
        source="PyEnchant documentation, Installation"),
    Row("python-magic", ("libmagic.so.1",), source="python-magic, README"),
    Row("pyudev", ("libudev.so.1",), source="pyudev documentation, Installation"),
    Row("pyusb", ("libusb-1.0.so.0", "libusb-0.1.so.4", "libopenusb.so"),
        source="PyUSB, README, Requirements"),
    Row("pyzbar", ("libzbar.so.0",), source="pyzbar, README, Installation"),
    Row("wand", ("libMagickWand-6.Q16.so.6", "libMagickWand-7.Q16HDRI.so.10"),
        source="Wand documentation, Installation"),
    Row("weasyprint", ("libgobject-2.0.so.0", "libpango-1.0.so.0", "libpangoft2-1.0.so.0",
                       "libharfbuzz.so.0", "libharfbuzz-subset.so.0", "libfontconfig.so.1"),
        source="WeasyPrint documentation, First Steps"),
)  # fmt: skip
"""The known distributions; the reference shows them."""

_ROWS = {row.distribution: row for row in ROWS}


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield the libraries that a distribution loads by name, as its interpreter finds them."""
    if not isinstance(node, Item) or node.section != SECTION:
        return
    environment, _, name = node.key.partition("/")
    row = _ROWS.get(name)
    if row is None:
        return
    records = around.lock.sections.get(SECTION, {})
    process = _interpreter(environment, around)
    if process is None or any(f"{environment}/{other}" in records for other in row.unless):
        return
    for library in row.libraries:
        found = process.optional(library, process.main)
        if found:
            yield Need(File(found), library, MemberClass.LOADED)


def _interpreter(key: str, around: Around) -> Process | None:
    """Return the interpreter of an environment as the loader sees it, with what it links."""
    for environment in environments(around):
        program = program_of(environment, around) if environment.key == key else None
        linkage = around.view.linkage(program.path) if program else None
        if program is not None and linkage is not None:
            process = Process(Loaded(program.path, program.path, linkage), around)
            process.link()
            return process
    return None


EDGE = EdgeKind(
    name="by-name",
    of="a Python distribution that loads a library of the system by name",
    to="the libraries of the table of such distributions",
    evidence="a row of the table whose distribution is in the closure",
    sources=("each row names its own",),
    needs=needs,
)
