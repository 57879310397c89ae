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
from envlock.materialize.artifacts.sources.base import Tell
from envlock.materialize.artifacts.verify import digest_of, is_locked_file

MOST_FILES = 200_000
"""Most files of a directory that are searched by content."""


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
            found = self._by_name(wanted, tell)
            rest = [artifact for artifact in wanted if artifact not in found]
            if rest and self.by_content:
                found |= self._by_content(rest, tell)
        except OSError as error:
            raise SourceError(
                f"cannot read it: {error.strerror or error}", where=str(self.path)
            ) from error
        return found

    def _by_name(self, wanted: Sequence[Artifact], tell: Tell) -> dict[Artifact, Path]:
        found = {}
        for artifact, path in find_files(wanted, self.path).items():
            if is_locked_file(artifact, path):
                found[artifact] = path
            else:
                tell(f"{path.name} is another file than the locked one")
        return found

    def _by_content(self, wanted: Sequence[Artifact], tell: Tell) -> dict[Artifact, Path]:
        """Return those of `wanted` that some file is, whatever it is called."""
        by_proof = {proof: artifact for artifact in wanted for proof in artifact.proofs}
        algorithms = sorted({proof.partition(":")[0] for proof in by_proof})
        left = list(wanted)
        found: dict[Artifact, Path] = {}
        files = list(islice(_files_below(self.path), self.most + 1))
        if len(files) > self.most:
            tell(f"only the first {self.most:,} files were searched")
        for path in files[: self.most]:
            if not left:
                break
            name = published_name(path)
            if name:
                same = [artifact for artifact in left if artifact.is_named(name)]
                same = [artifact for artifact in same if is_locked_file(artifact, path)]
            else:
                proofs = (digest_of(path, algorithm) for algorithm in algorithms)
                same = [by_proof[proof] for proof in proofs if by_proof.get(proof) in left]
            found |= dict.fromkeys(same, path)
            left = [artifact for artifact in left if artifact not in found]
        return found


def _files_below(directory: Path) -> Iterator[Path]:
    """Yield the regular files below a directory in the order of their names; no link is followed.

    What cannot be read is passed over.
    """
    for parent, folders, names in os.walk(directory):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink() and os.access(path, os.R_OK):
                yield path


def find_files(wanted: Sequence[Artifact], directory: Path) -> dict[Artifact, Path]:
    """Return the path of each of `wanted` that is in `directory`, an exact name first."""
    found = {a: path for a in wanted if (path := directory / a.filename).is_file()}
    rest = [artifact for artifact in wanted if artifact not in found and artifact.other_names]
    for pattern in sorted({artifact.other_names for artifact in rest}):
        for path in sorted(filter(Path.is_file, directory.glob(pattern))):
            found.update({artifact: path for artifact in rest if artifact.is_named(path.name)})
    return found
