"""The store examines itself: what the references promise is there, and sound."""

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
    """What is wrong."""

    CORRUPT = "corrupt"
    """An object's bytes are not what its name says; it was moved to quarantine."""
    MISSING = "missing"
    """A reference needs an object that is not there."""
    REFERENCE = "reference"
    """A reference cannot be read."""
    STRAY = "stray"
    """A file among the objects that is none; it was left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding: `where` is an object (``sha256:<hex>``) or a file, `refs` the locks affected."""

    kind: ProblemKind
    where: str
    message: str
    refs: tuple[str, ...] = ()


def check(store: Store, read_data: bool) -> list[Problem]:
    """Return every problem of the committed store, references first, then in byte order.

    With `read_data` every object is read and hashed; without, only empty ones are found corrupt.
    Raise StoreError when the disk fails.
    """
    needed, problems = _needs(store)
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
                    message="its bytes are not what its name says; moved to quarantine",
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


def _needs(store: Store) -> tuple[Mapping[str, tuple[str, ...]], list[Problem]]:
    """Return the references by the object they need, and the ones that cannot be read."""
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
        with suppress(StoreError):  # a tree that cannot be read is told as an object
            needed = needs(store, ref).all
        for sha256 in needed:
            names[sha256].add(ref.name)
    return {k: tuple(sorted(v, key=sort_key)) for k, v in names.items()}, problems


def _is_sound(store: Store, sha256: str, path: Path, *, read_data: bool) -> bool:
    if read_data or (sha256 != EMPTY and not path.stat().st_size):
        return store.verify(sha256, path)
    return True
