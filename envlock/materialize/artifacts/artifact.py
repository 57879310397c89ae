"""Artifacts: the published package files that a lock refers to, and what their kinds declare.

Each kind is one module in `kinds`, with an `ArtifactKind` called `KIND`; `table` lists them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from envlock.model.lock import Lock
from envlock.model.record import Facts
from envlock.model.tree import Row

Reader = Callable[[], Iterator[bytes]]
"""Yields the content of one file in pieces, each time from the start.  Raises OSError."""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~^:!_-]*\Z")


class Rooms(NamedTuple):
    """Two directories: of the tables of members, and of tars while they are read."""

    tables: Path
    tars: Path


class Artifact(Protocol):
    """One published file: a named tuple of the text fields that identify it.

    A kind without some field leaves it empty.  `str()` gives the name used in messages.
    """

    @property
    def scheme(self) -> str:
        """Return the scheme of its kind."""

    @property
    def filename(self) -> str:
        """Return the file name under which it is cached and looked for."""

    @property
    def other_names(self) -> str:
        """Return a glob for other file names it may have, to test with `is_named`, or nothing."""

    @property
    def proofs(self) -> tuple[str, ...]:
        """Return digests as ``ALGORITHM:HEX``, of which a file must have one to be this artifact.

        An algorithm is one of `hashlib`, ``rpm-header``, or one of `package_digest`.
        Without any, its members alone show that it is.
        """

    def is_named(self, filename: str) -> bool:
        """True when a file of this name is this artifact."""

    def __hash__(self) -> int: ...

    def __iter__(self) -> Iterator[str]: ...


class OpenArtifact(Protocol):
    """An artifact whose members can be read, from several threads."""

    def find(self, member: str, sha256: str) -> Reader | None:
        """Return a reader of the member with this digest, or None when there is none.

        The member called `member` is preferred; the digest alone decides.  The caller verifies
        what it reads.
        """

    def contents(self) -> Mapping[str, str]:
        """Return member -> SHA-256 in hex of its regular files, as far as it states them."""

    def close(self) -> None:
        """Close the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactKind:
    """What a kind of artifact declares.

    - `scheme`: the first word of the source of a tree row whose content comes from such an
      artifact (``deb libc6:amd64 lib/libc.so.6``).
    - `section`: the section of the lock whose records describe the packages.
    - `describe`: (key of the record, lock) -> artifact, or None when the record does not suffice.
    - `stated`: (words of a claim) -> artifact, or None when they do not suffice.  Only for kinds
      whose packages state no digests of their files, so that a capture must look into them.
    - `open`: (path of the file, where its parts are put) -> its members.  Raises SourceError when
      the file is damaged.
    - `placed`: (opened file, artifact) -> its members as they were installed.  Only for kinds whose
      installers write the path of the environment into files.
    - `group`: (key and facts of a record) -> what shares a layer with the package, for example
      the name of its source package.
    - `file_time`: the time that files from such an artifact get in an image, in seconds since
      1970; None when they keep the captured one.
    - `is_dated`: the archive records the times of its files, which are then the same on every
      machine.
    """

    scheme: str
    section: str
    describe: Callable[[str, Lock], Artifact | None]
    open: Callable[[Path, Rooms], OpenArtifact]
    group: Callable[[str, Facts], str]
    file_time: int | None
    is_dated: bool = False
    stated: Callable[[str], Artifact | None] | None = None
    placed: Callable[[OpenArtifact, Artifact], OpenArtifact] | None = None

    @property
    def prefix(self) -> str:
        """Return how the source of a row with content of this kind starts."""
        return f"{self.scheme} "


class Reference(NamedTuple):
    """The source of a row, parsed: the scheme, the key of the record, and the archive member."""

    scheme: str
    name: str
    member: str


def parse_source(row: Row) -> Reference:
    """Return the parts of a row's source; parts that are missing are empty.

    A key contains no space; a member may.
    """
    scheme, _, rest = row.source.partition(" ")
    name, _, member = rest.partition(" ")
    return Reference(scheme, name, member)


def is_plain(text: str) -> bool:
    """True for a word of the characters that names, versions and architectures consist of."""
    return bool(_PLAIN.match(text))
