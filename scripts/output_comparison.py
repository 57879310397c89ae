"""Compares the outputs of two versions of envlock: the files of one name in two directories.

What a file is compared as depends on its suffix (`compare_file`).  A difference in *wording* is one
in text that only people read: why, fix, title, notes, help, messages, reasons of gaps.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

WORDING = frozenset(
    {
        *("why", "fix", "next", "commands", "title", "text", "markdown", "help", "policy"),
        *("reason", "message", "description", "justification", "problems"),
    }
)
"""Members of JSON documents whose text is wording, at any depth below them."""
VOLATILE = frozenset({"seconds"})
"""Members of JSON documents that no two runs share."""
OF_LOCK_BYTES = frozenset({"file_digest", "object"})
"""Members of JSON documents that differ whenever the bytes of the lock or of its tree do."""
DOCUMENTS = frozenset({".json", ".sarif", ".gitlab"})
PROSE = frozenset({".text", ".markdown", ".html", ".junit", ".github"})
"""Formats that mix data and wording: judged by the JSON report beside them."""
MESSAGES = ".messages"
_MTIME = 5
"""Column of a row of a tree object."""


class Verdict(StrEnum):
    """How two files compare."""

    SAME = "same"
    WORDING = "wording"
    DIFFERENT = "DIFFERENT"


class Comparison(NamedTuple):
    """What was compared, how, and the lines that differ as of `diff -U0`."""

    name: str
    verdict: Verdict
    lines: tuple[str, ...] = ()
    note: str = ""


def compare_outputs(old: Path, new: Path, since: int) -> Iterator[Comparison]:
    """Compare every file below two directories, in order of their names.

    `since`: seconds since the epoch when the runs began; `compare_trees` says what for.
    """
    names = {
        str(path.relative_to(side))
        for side in (old, new)
        for path in side.rglob("*")
        if path.is_file()
    }
    found: dict[str, Comparison] = {}
    for name in sorted(names, key=lambda name: not name.endswith(".json")):  # judges others
        sides = (old / name, new / name)
        if all(path.is_file() for path in sides):
            data = found.get(str(Path(name).with_suffix(".json")))
            found[name] = compare_file(*sides, name, since, data)
        else:
            side = "old" if sides[0].is_file() else "new"
            lines = (f"only the {side} version wrote it",)
            found[name] = Comparison(name, Verdict.DIFFERENT, lines)
    yield from (found[name] for name in sorted(found))


def compare_file(
    old: Path, new: Path, name: str, since: int, data: Comparison | None = None
) -> Comparison:
    """Compare two files as what the suffix of their name says they are.

    `data`: how the JSON reports beside them compare.
    """
    if old.read_bytes() == new.read_bytes():
        return Comparison(name, Verdict.SAME)
    left, right = (path.read_text(errors="surrogateescape") for path in (old, new))
    suffix = Path(name).suffix
    if suffix == ".tree":
        return compare_trees(left, right, name, since)
    if suffix == ".lock":
        return _compare_masked(name, left, right, _lock_identity, _lock_data)
    if suffix in DOCUMENTS:
        has_other_lock = _differ(old, new, f"{old.parent.name}.lock")
        return compare_documents(left, right, name, has_other_lock=has_other_lock)
    verdict = Verdict.DIFFERENT
    has_equal_data = data is not None and data.verdict is not Verdict.DIFFERENT
    if suffix == MESSAGES or (suffix in PROSE and has_equal_data):
        verdict = Verdict.WORDING
    counts = [text.count("\n") for text in (left, right)]
    note = f"{counts[0]} lines, now {counts[1]}" if counts[0] != counts[1] else ""
    return Comparison(name, verdict, _lines(left, right), note)


def compare_documents(
    left: str, right: str, name: str, *, has_other_lock: bool = False
) -> Comparison:
    """Compare two JSON documents; with `has_other_lock`, digests of the lock's bytes may differ."""
    aside = VOLATILE | OF_LOCK_BYTES if has_other_lock else VOLATILE

    def whole(text: str) -> str:
        return _document(_without(json.loads(text), aside))

    def data(text: str) -> str:
        return _document(_masked(_without(json.loads(text), aside)))

    try:
        return _compare_masked(name, left, right, whole, data)
    except ValueError:  # a command that failed wrote no document
        return Comparison(name, Verdict.DIFFERENT, _lines(left, right))


def compare_trees(left: str, right: str, name: str, since: int) -> Comparison:
    """Compare two tree objects row by row.

    To read an image the engine makes a container, which has new times of its own: a row may differ
    in a time when both times are after `since`.
    """
    rows, others = left.split("\n"), right.split("\n")
    pairs = zip(rows, others, strict=False)
    if len(rows) == len(others) and all(a == b or _only_new_times(a, b, since) for a, b in pairs):
        return Comparison(name, Verdict.SAME, note="times of the engine's own container aside")
    return Comparison(name, Verdict.DIFFERENT, _lines(left, right))


def _only_new_times(left: str, right: str, since: int) -> bool:
    first, second = left.split("\t"), right.split("\t")
    if len(first) != len(second) or len(first) <= _MTIME:
        return False
    times = (first.pop(_MTIME), second.pop(_MTIME))
    return first == second and all(int(time) >= since for time in times)


def _compare_masked(
    name: str,
    left: str,
    right: str,
    whole: Callable[[str], str],
    data: Callable[[str], str],
) -> Comparison:
    """Compare what `whole` returns, without what may differ, and `data`, without wording."""
    if whole(left) == whole(right):
        return Comparison(name, Verdict.SAME)
    if data(left) == data(right):
        return Comparison(name, Verdict.WORDING, _lines(whole(left), whole(right)))
    return Comparison(name, Verdict.DIFFERENT, _lines(data(left), data(right)))


def _lock_identity(text: str) -> str:
    """Return a lock without the address of its tree object, which is compared by itself."""
    return "\n".join(
        line
        for table, line in _tables(text)
        if not (table == "[tree]" and line.startswith("object = "))
    )


def _lock_data(text: str) -> str:
    """Return a lock without what `_lock_identity` leaves out and the reasons of its gaps."""
    return "\n".join(
        "reason" if table.startswith("[coverage.") and line.startswith("reason = ") else line
        for table, line in _tables(_lock_identity(text))
    )


def _tables(text: str) -> Iterator[tuple[str, str]]:
    """Yield the header of the current table with each line of a lock."""
    table = ""
    for line in text.split("\n"):
        table = line if line.startswith("[") else table
        yield table, line


def _differ(old: Path, new: Path, name: str) -> bool:
    """True when both directories have a file of this name, with other bytes."""
    sides = [path.parent / name for path in (old, new)]
    if not all(path.is_file() for path in sides):
        return False
    return sides[0].read_bytes() != sides[1].read_bytes()


def _document(value: object) -> str:
    return json.dumps(value, indent=1)


def _without(value: object, names: frozenset[str]) -> object:
    """Return a JSON value without the members of these names, wherever they are."""
    if isinstance(value, Mapping):
        return {k: _without(item, names) for k, item in value.items() if k not in names}
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    return value


def _masked(value: object, *, is_wording: bool = False) -> object:
    """Return a JSON value with each text that is wording replaced by `…`; an empty one stays."""
    if isinstance(value, Mapping):
        return {k: _masked(v, is_wording=is_wording or k in WORDING) for k, v in value.items()}
    if isinstance(value, list):
        return [_masked(item, is_wording=is_wording) for item in value]
    return "…" if is_wording and value and isinstance(value, str) else value


def _lines(left: str, right: str) -> tuple[str, ...]:
    """Return the lines that differ, as diff(1) marks them; difflib takes minutes for a page."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("left", "right")]
        for path, text in zip(paths, (left, right), strict=True):
            path.write_text(text + "\n", errors="surrogateescape")
        argv = ["diff", "--text", "--unified=0", *map(str, paths)]
        done = subprocess.run(argv, capture_output=True, check=False)
    lines = done.stdout.decode(errors="replace").split("\n")[2:-1]
    return tuple(line for line in lines if not line.startswith("@@"))
