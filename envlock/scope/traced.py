"""What a trace adds to a closure: the records that it names, or what stands in their place here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envlock.model.scope import MemberClass
from envlock.model.trace import TouchedKind
from envlock.scope.graph import Around, File, Item, Need
from envlock.scope.programs import find_program
from envlock.scope.touched import OS_PACKAGES

_EVIDENCE = "trace"
_LIBRARIES = ("/usr/local/lib", "/usr/lib64", "/lib64", "/usr/lib", "/lib")
_MOST_NAMED = 3


def traced(around: Around, where: str) -> Iterator[Need]:
    """Yield the needs that the trace of an application shows; `where` names it in a gap.

    A record is taken by its key.  Where it has another one here, a package of the same name is
    taken, or the program and library of the same name.
    """
    missing = []
    for name, paths in around.trace.records.items():
        item = Item.of_owner(name.replace(":", " ", 1))
        needs = [
            Need(node, _EVIDENCE, MemberClass.TRACED) for node in _matching(item, paths, around)
        ]
        yield from needs
        missing += [] if needs else [name]
    for path, kind in around.trace.files.items():
        yield from _file(path, kind, around)
    if missing:
        named = ", ".join(missing[:_MOST_NAMED])
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        around.view.gap(where, f"its trace names what is not here: {named}{more}")


def _matching(item: Item, paths: Iterable[str], around: Around) -> list[Item | File]:
    """Return what an item of a trace is here."""
    records = around.lock.sections.get(item.section, {})
    if item.key in records:
        return [item]
    if item.section in OS_PACKAGES:
        name = item.key.partition(":")[0]
        same = [Item(item.section, key) for key in records if key.partition(":")[0] == name]
        return list(same) or _by_files(paths, around)
    return _elsewhere(item, around)


def _elsewhere(item: Item, around: Around) -> list[Item | File]:
    """Return a package of a language in the environment that has it here.

    An environment has another name where another one of its name is found first.
    """
    name = item.key.partition("/")[2]
    records = around.lock.sections.get(item.section, {})
    found = [key for key in records if name and key.partition("/")[2] == name]
    return [Item(item.section, found[0])] if len(found) == 1 else []


def _by_files(paths: Iterable[str], around: Around) -> list[Item | File]:
    found = (_program(path, around) or _library(path, around) for path in paths)
    return list(dict.fromkeys(file for file in found if file is not None))


def _program(path: str, around: Around) -> File | None:
    return find_program(path.rpartition("/")[2], around)


def _library(path: str, around: Around) -> File | None:
    """Return the library of the same name, in a directory that loaders search."""
    name = path.rpartition("/")[2]
    folders = (path.rpartition("/")[0], *_LIBRARIES)
    return next((file for each in folders if (file := around.real(f"{each}/{name}"))), None)


def _file(path: str, kind: TouchedKind, around: Around) -> Iterator[Need]:
    if path.startswith("~/"):
        home = around.variables.get("HOME", "")
        path = f"{home.rstrip('/')}/{path.removeprefix('~/')}" if home else ""
    file = around.real(path) if path else None
    if kind is TouchedKind.CONFIG:
        if file and file.path in around.lock.sections.get("file", {}):
            yield Need(Item("file", file.path), _EVIDENCE, MemberClass.TRACED)
        return
    if file is None and kind is TouchedKind.PROGRAM:
        file = _program(path, around)
    if file is not None:
        yield Need(file, _EVIDENCE, MemberClass.TRACED)
