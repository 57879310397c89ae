"""Under which file names an artifact is kept in a folder, and found there.

Two artifacts may be published under one name: ``@a/b-c`` and ``@a-b/c`` of npm, a wheel of two
indexes.  The second one in a folder gets the first digits of its digest before the name, and is
looked for by the name behind them, since its digest may be of another algorithm than the lock
states.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.verify import is_locked_file

_DIGITS = 16
_HEX = frozenset("0123456789abcdef")


def own_name(name: str, digest: str) -> str:
    """Return a file name that no other file called `name` has, by its digest in hex."""
    return f"{digest[:_DIGITS]}-{name}"


def _without_digest(name: str) -> str:
    """Return the name that a file was published under, given one of `own_name`, or any other."""
    digits, dash, rest = name.partition("-")
    is_own = bool(dash) and len(digits) == _DIGITS and _HEX.issuperset(digits)
    return rest if is_own else name


class Folder:
    """The files of a folder by the names that they were published under, without subfolders."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def named(self, artifact: Artifact) -> Iterator[Path]:
        """Yield the files that may be an artifact by their names, an exact name first.

        Raise OSError when the folder cannot be read; one that is not there is empty.
        """
        hexes = (proof.partition(":")[2] for proof in artifact.proofs)
        for key in (artifact.filename, *hexes):
            yield from self._files(key)
        if artifact.other_names:
            for key in self._names:
                is_like = fnmatch(key, artifact.other_names) and artifact.is_named(key)
                if is_like and key != artifact.filename:
                    yield from self._files(key)

    def locked(self, artifact: Artifact, tell: Callable[[str], None]) -> Path | None:
        """Return the first of these files that is the artifact; tell why the others are not."""
        said = []
        for path in self.named(artifact):
            try:
                if is_locked_file(artifact, path):
                    return path
                said.append(f"{path.name} is another file than the locked one")
            except OSError as error:
                said.append(f"{path.name} cannot be read: {error.strerror or error}")
        for line in said:
            tell(line)
        return None

    def _files(self, key: str) -> Iterator[Path]:
        paths = (self._path / name for name in self._names.get(key, ()))
        yield from (path for path in paths if path.is_file())

    @cached_property
    def _names(self) -> Mapping[str, list[str]]:
        """Published name -> file names, the one without a digest first."""
        try:
            found = os.listdir(self._path)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        names: dict[str, list[str]] = {}
        for name in sorted(found, key=lambda name: (_without_digest(name) != name, name)):
            names.setdefault(_without_digest(name), []).append(name)
        return names
