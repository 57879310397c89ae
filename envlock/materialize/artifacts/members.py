"""What the published packages of an environment hold, so that a capture can refer to it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact, Rooms, is_plain
from envlock.materialize.artifacts.table import KINDS, open_artifact


def lookup(
    stated: Iterable[tuple[str, str]],
    find: Callable[[Sequence[Artifact]], Mapping[Artifact, Path]],
    scratch: Path,
    jobs: int = 2,
) -> Callable[[str, str], str]:
    """Return a function (owner, SHA-256 of a content) -> source of a row with it, or empty.

    `stated` are pairs of a record, ``npm app/express``, and the words of its artifact, ``npm
    express 4.19.2 sha512-...``.  `find` returns verified files of them.  They are unpacked below
    `scratch` one after the other, `jobs` at once, and removed.  The package of the owner itself is
    preferred; of the others, the first in the order of `stated`.
    """
    owned: dict[str, Artifact] = {}
    for owner, words in stated:
        scheme, _, rest = words.partition(" ")
        kind = KINDS.get(scheme)
        artifact = kind.stated(rest) if kind is not None and kind.stated is not None else None
        is_safe = artifact is not None and all(is_plain(field) for field in artifact if field)
        if artifact is not None and is_safe and owner.count(" ") == 1:
            owned[owner] = artifact
    paths = find(tuple(dict.fromkeys(owned.values())))
    with ThreadPoolExecutor(jobs) as pool:
        read = pool.map(partial(_contents, scratch=scratch), paths.items())
        contents = dict(zip(paths, read, strict=True))
    anywhere: dict[str, str] = {}
    for owner, artifact in owned.items():
        for sha256, member in contents.get(artifact, {}).items():
            anywhere.setdefault(sha256, _source(owner, artifact, member))

    def source(owner: str, sha256: str) -> str:
        artifact = owned.get(owner)
        member = contents.get(artifact, {}).get(sha256) if artifact is not None else None
        if artifact is None or member is None:
            return anywhere.get(sha256, "")
        return _source(owner, artifact, member)

    return source


def _source(owner: str, artifact: Artifact, member: str) -> str:
    """Return the source of a row, given its record with the section in front."""
    return f"{artifact.scheme} {owner.partition(' ')[2]} {member}"


def _contents(found: tuple[Artifact, Path], scratch: Path) -> Mapping[str, str]:
    """Return SHA-256 -> member; nothing for a damaged file, whose content then goes by value."""
    artifact, path = found
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".unpack-") as folder:
        try:
            opened = open_artifact(artifact, path, Rooms(Path(folder), Path(folder)))
        except SourceError:
            return {}
        try:
            contents = opened.contents()
        finally:
            opened.close()
        return {sha256: member for member, sha256 in reversed(tuple(contents.items()))}
