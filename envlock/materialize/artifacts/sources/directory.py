"""Artifacts in a directory: the cache of the store, of apt, of pip, and those that a user names.

A file is looked for under its own name first.  What is still missing is searched for by content:
files may have been renamed, and some caches name theirs by digests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.identify import published_name
from envlock.materialize.artifacts.names import Folder
from envlock.materialize.artifacts.sources.base import Tell
from envlock.materialize.artifacts.verify import digest_of, is_locked_file

MOST_FILES = 200_000
"""Most files of a directory that are searched by content."""
_SUFFIXES = (".deb", ".rpm", ".whl", ".gem")
"""What files are called that say by themselves which package they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySource:
    """A directory of package files of any kind, with its subdirectories.

    Without `by_content` only names count, for directories whose files nobody renames.  `most` files
    are searched by content.
    """

    name: str
    path: Path
    by_content: bool = True
    is_local: bool = True
    most: int = MOST_FILES

    def fetch(
        self,
        wanted: Sequence[Artifact],
        into: Path,  # noqa: ARG002
        tell: Tell,
    ) -> Mapping[Artifact, Path]:
        """Return the artifacts in the directory; nothing is copied.

        A file under the right name with another digest is told, and searched on.
        """
        try:
            folder = Folder(self.path)
            named = {artifact: folder.locked(artifact, tell) for artifact in wanted}
        except OSError as error:
            raise SourceError(
                f"cannot read it: {error.strerror or error}", where=str(self.path)
            ) from error
        found = {artifact: path for artifact, path in named.items() if path is not None}
        rest = [artifact for artifact in wanted if artifact not in found]
        return self._by_content(rest, found, tell) if rest and self.by_content else found

    def _by_content(
        self, wanted: Sequence[Artifact], named: Mapping[Artifact, Path], tell: Tell
    ) -> dict[Artifact, Path]:
        """Return `named`, and those of `wanted` that some other file is, whatever it is called."""
        left = list(wanted)
        found = dict(named)
        known = frozenset(named.values())
        files = list(islice(_files_below(self.path), self.most + 1))
        if len(files) > self.most:
            tell(f"only the first {self.most:,} files were searched")
        for path in files[: self.most]:
            if not left:
                break
            if path in known:
                continue
            try:
                same = _same(left, path, tell)
            except OSError as error:
                tell(f"{path.name} cannot be read: {error.strerror or error}")
                continue
            found |= dict.fromkeys(same, path)
            left = [artifact for artifact in left if artifact not in found]
        return found


def _same(wanted: Sequence[Artifact], path: Path, tell: Tell) -> list[Artifact]:
    """Return those of `wanted` that a file is; tell of one that is damaged.  Raise OSError."""
    name = published_name(path)
    if name:
        named = (artifact for artifact in wanted if artifact.is_named(name))
        return [artifact for artifact in named if is_locked_file(artifact, path)]
    algorithms = sorted({proof.partition(":")[0] for each in wanted for proof in each.proofs})
    digests = {digest_of(path, algorithm) for algorithm in algorithms}
    same = [artifact for artifact in wanted if digests.intersection(artifact.proofs)]
    if not same and path.suffix in _SUFFIXES:
        tell(f"{path.name} is damaged, or no package at all")
    return same


def _files_below(directory: Path) -> Iterator[Path]:
    """Yield the regular files below a directory in the order of their names; no link is followed.

    What cannot be read is passed over.
    """
    for parent, folders, names in os.walk(directory):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if os.access(path, os.R_OK) and path.is_file() and not path.is_symlink():
                yield path
