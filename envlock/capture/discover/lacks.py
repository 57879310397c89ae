"""Records of what keeps programs from starting: missing libraries and versions of symbols."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from envlock.capture.context import Context
from envlock.capture.discover.candidates import may_be_software
from envlock.capture.discover.symbol_versions import Lacking
from envlock.capture.discover.unowned import UnownedFile
from envlock.model.record import Record
from envlock.model.text import sort_key

_KINDS = ("program", "library", "bundled-program", "bundled")
"""How much it matters that a file lacks something, most first: what lies in a tree of its own may
be an optional part of it, or be started by a wrapper."""
_HOME = re.compile(r"(?:/home/[^/]+|/root)(?=/|\Z)")


class Needer(NamedTuple):
    """A file that lacks something, as reports show it.

    `missing` are names of libraries, or of its loader; `uncached` is explained at
    `envlock.capture.discover.linkage.Linked`.
    """

    path: str
    kind: str
    missing: tuple[str, ...]
    uncached: Mapping[str, str]
    lacking: tuple[Lacking, ...]


def kind_of_needer(found: UnownedFile, *, is_program: bool) -> str:
    """Return one of the kinds of files that lack something."""
    if not found.is_tree:
        return "program" if is_program else "library"
    folder = posixpath.dirname(found.entry.path)
    is_started = folder in (found.reported_as, *(f"{found.reported_as}/{d}" for d in _BIN))
    return "bundled-program" if is_program and is_started else "bundled"


_BIN = ("bin", "sbin")


def lacking_records(needers: Iterable[Needer], context: Context) -> Iterator[Record]:
    """Yield each missing library and each missing version of symbols, with who needs it.

    Facts: ``needed-by`` (the first file, programs before others), ``count`` (of files), ``kind``
    (of that file), ``found-in`` (a directory with the library that the loader does not search),
    ``cached`` (``false`` where ldconfig(8) was not run), ``library`` and ``newest`` of a version.
    """
    ordered = sorted(needers, key=lambda needer: _KINDS.index(needer.kind))
    missing: dict[str, list[Needer]] = {}
    versions: dict[Lacking, list[Needer]] = {}
    for needer in ordered:
        for name in needer.missing:
            missing.setdefault(name, []).append(needer)
        for lacking in needer.lacking:
            versions.setdefault(lacking, []).append(needer)
    elsewhere = _elsewhere(missing, context) if missing else {}
    for name, each in missing.items():
        uncached = next((n.uncached[name] for n in each if name in n.uncached), "")
        facts = {
            **_needed_by(each),
            "found-in": uncached or elsewhere.get(name, ""),
            "cached": "false" if uncached else "",
        }
        yield Record("missing-library", name, {fact: text for fact, text in facts.items() if text})
    seen: set[str] = set()
    for lacking, each in versions.items():
        key = lacking.version if lacking.version not in seen else " ".join(lacking[:2])
        seen.add(lacking.version)
        facts = {**_needed_by(each), "library": lacking.library, "newest": lacking.newest}
        yield Record("missing-symbol", key, {fact: text for fact, text in facts.items() if text})


def _needed_by(needers: list[Needer]) -> dict[str, str]:
    first = needers[0]
    return {"needed-by": first.path, "count": str(len(needers)), "kind": first.kind}


def _elsewhere(names: Iterable[str], context: Context) -> dict[str, str]:
    """Return missing library -> a directory that has it, home directories written ``~``."""
    wanted = {name for name in names if "/" not in name}
    found: dict[str, str] = {}
    for entry in context.entries(may_be_software):
        folder, _, name = entry.path.rpartition("/")
        if ".so" not in name:
            continue
        for each in {name, f"{name.partition('.so')[0]}.so{_major(name)}"} & wanted:
            place = _HOME.sub("~", folder, count=1) or "/"
            found[each] = min(found.get(each, place), place, key=sort_key)
    return found


def _major(name: str) -> str:
    """Return the first number after ``.so``, with its dot."""
    rest = name.partition(".so")[2].split(".")
    return f".{rest[1]}" if len(rest) > 1 else ""
