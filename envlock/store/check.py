"""Check the store: every object that a reference needs is there, and its content is sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from envlock.errors import StoreError
from envlock.model.text import sort_key
from envlock.store.objects import EMPTY, Store
from envlock.store.refs import needs, read_ref, ref_files


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

    With `read_data` every object is read and hashed; otherwise only objects that are empty files
    are found to be corrupt.  Raise StoreError when the disk fails.
    """
    needed, problems = _needed(store)
    for sha256, path in list(store.objects()):
        if not sha256:
            problems.append(
                Problem(kind=ProblemKind.STRAY, where=str(path), message="not an object")
            )
        elif not _is_sound(store, sha256, path, read_data=read_data):
            problems.append(
                Problem(
                    kind=ProblemKind.CORRUPT,
                    where=f"sha256:{sha256}",
                    message="its content does not match its digest; moved to quarantine",
                    refs=needed.get(sha256, ()),
                )
            )
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
        with suppress(StoreError):  # a tree that cannot be read is reported as an object
            needed = needs(store, ref).required
        for sha256 in needed:
            names[sha256].add(ref.name)
    return {k: tuple(sorted(v, key=sort_key)) for k, v in names.items()}, problems


def _is_sound(store: Store, sha256: str, path: Path, *, read_data: bool) -> bool:
    if read_data or (sha256 != EMPTY and not path.stat().st_size):
        return store.verify(sha256, path)
    return True
