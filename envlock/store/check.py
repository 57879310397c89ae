"""Check the store: every object that a reference needs is there, and its content is sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from envlock.errors import StoreError
from envlock.model.text import sort_key
from envlock.store.objects import EMPTY, SOUND_NS, Store
from envlock.store.refs import needs, read_ref, ref_files
from envlock.store.verified import CorruptObjectError


class ProblemKind(StrEnum):
    """The kind of a problem."""

    CORRUPT = "corrupt"
    """The content of an object does not match its digest; it was moved to quarantine."""
    MISSING = "missing"
    """A reference needs an object that is missing."""
    REFERENCE = "reference"
    """A reference cannot be read."""
    STRAY = "stray"
    """A file among the objects that is not one; it was left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem: `where` is an object (``sha256:<hex>``) or a file, `refs` the affected locks."""

    kind: ProblemKind
    where: str
    message: str
    refs: tuple[str, ...] = ()


def check(store: Store, read_data: bool) -> list[Problem]:
    """Return every problem of the committed store: references first, then objects in byte order.

    With `read_data` every object is read and hashed; otherwise only those that something wrote to
    since they were verified.  Raise StoreError when the disk fails.
    """
    needed, problems = _needed(store)
    for sha256, path in list(store.objects()):
        if not sha256:
            problems.append(
                Problem(kind=ProblemKind.STRAY, where=str(path), message="not an object")
            )
        elif not _is_sound(store, sha256, path, read_data=read_data):
            problems.append(_corrupt(f"sha256:{sha256}", needed.get(sha256, ())))
    problems += (
        Problem(
            kind=ProblemKind.MISSING,
            where=f"sha256:{sha256}",
            message="needed, but not in the store",
            refs=needed[sha256],
        )
        for sha256 in sorted(needed)
        if not store.has(sha256)
    )
    return problems


def _needed(store: Store) -> tuple[Mapping[str, tuple[str, ...]], list[Problem]]:
    """Return object -> names of the references that need it, and the unreadable references."""
    names: dict[str, set[str]] = defaultdict(set)
    problems: list[Problem] = []
    for path in ref_files(store):
        try:
            ref = read_ref(path)
        except StoreError as error:
            problems.append(
                Problem(kind=ProblemKind.REFERENCE, where=error.where, message=error.message)
            )
            continue
        needed = ref.named
        try:
            needed = needs(store, ref).required
        except CorruptObjectError as error:
            problems.append(_corrupt(error.where, (ref.name,)))
        except StoreError:
            pass  # a tree that is missing is reported as an object
        for sha256 in needed:
            names[sha256].add(ref.name)
    return {k: tuple(sorted(v, key=sort_key)) for k, v in names.items()}, problems


def _corrupt(where: str, refs: tuple[str, ...]) -> Problem:
    return Problem(
        kind=ProblemKind.CORRUPT,
        where=where,
        message="its content does not match its digest; moved to quarantine",
        refs=refs,
    )


def _is_sound(store: Store, sha256: str, path: Path, *, read_data: bool) -> bool:
    found = path.stat()
    is_suspect = found.st_mtime_ns != SOUND_NS or (sha256 != EMPTY and not found.st_size)
    return store.verify(sha256, path) if read_data or is_suspect else True
