"""Downloads of packages from the mirrors of a repository, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.sources.base import Tell, own_place, tell_failures
from envlock.materialize.artifacts.sources.download import Downloads, host_of
from envlock.materialize.artifacts.verify import is_locked_file

MOST_MIRRORS = 4
"""How many mirrors of one repository are asked."""

Kind = TypeVar("Kind", bound=Artifact)
Find = Callable[[str, Sequence[Kind]], Iterable[tuple[Kind, str]]]
"""(address of a mirror, packages) -> packages that it lists, each with its address.

Raises SourceError when the mirror has no index, or one that cannot be read.
"""


class Place(NamedTuple):
    """Where downloads are written, by what, and who is told what fails."""

    downloads: Downloads
    into: Path
    tell: Tell


def from_mirrors(
    wanted: Sequence[Kind],
    mirrors: Iterable[str],
    find: Find[Kind],
    place: Place,
    failures: list[SourceError],
) -> Mapping[Artifact, Path]:
    """Download packages, from the next mirror what those before it lack.

    What fails is told; `failures` are those so far, to which `mirrors` may add while it yields.
    Raise SourceError when nothing was had and something failed, `UnreachableSourceError` when
    nothing answers.
    """
    left = list(wanted)
    found: dict[Artifact, Path] = {}
    for mirror in mirrors:
        if not left:
            break
        try:
            for artifact, address in find(mirror, left):
                path = own_place(artifact, place.into)
                is_right = partial(is_locked_file, artifact)
                if not place.downloads.file(address, path, is_right):
                    continue
                if is_right(path):
                    found[artifact] = path
                else:
                    what = f"{host_of(address)} has another file than the locked one of {artifact}"
                    failures.append(SourceError(what))
        except SourceError as error:
            failures.append(error)
        left = [artifact for artifact in left if artifact not in found]
    tell_failures(failures, found, place.tell)
    if left and not failures:
        count = "not all" if found else "none"
        place.tell(f"its index lists {count} of these versions, or the server lacks them")
    return found
