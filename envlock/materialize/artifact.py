"""Artifacts: the published files that a lock refers to."""

from __future__ import annotations

from typing import NamedTuple

from envlock.model.lock import Lock
from envlock.model.tree import Row


class Deb(NamedTuple):
    """A Debian package file.  `sha256` is empty when no index gave it at capture."""

    name: str
    version: str
    arch: str
    source: str
    sha256: str = ""

    @property
    def filename(self) -> str:
        """The name apt gives the file in its archive cache."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.arch}.deb"

    def __str__(self) -> str:
        return f"deb {self.name}:{self.arch} {self.version}"


class Wheel(NamedTuple):
    """A wheel.  `filename` as PEP 427 forms it; `sha256` empty when not learnt at capture."""

    name: str
    version: str
    filename: str
    sha256: str = ""

    def __str__(self) -> str:
        return f"wheel {self.filename}"


Artifact = Deb | Wheel


class Reference(NamedTuple):
    """A row's source, parsed: which artifact and which member of it."""

    scheme: str
    name: str
    member: str


def parse_source(row: Row) -> Reference:
    """Return the parts of a row's source; a scheme without a member leaves it empty.

    Names hold no space; a member may.
    """
    scheme, _, rest = row.source.partition(" ")
    name, _, member = rest.partition(" ")
    return Reference(scheme, name, member)


def artifact_of(reference: Reference, lock: Lock) -> Artifact | None:
    """Return the artifact a reference names, or None when the lock does not describe it."""
    if reference.scheme == "deb":
        facts = lock.get("deb", reference.name)
        name, _, arch = reference.name.rpartition(":")
        if not facts.get("version"):
            return None
        source = facts.get("source", name)
        return Deb(name, facts["version"], arch, source, facts.get("sha256", ""))
    if reference.scheme == "wheel":
        facts = lock.get("python", reference.name)
        if not (facts.get("artifact") and facts.get("version")):
            return None
        _, _, name = reference.name.rpartition("/")
        return Wheel(name, facts["version"], facts["artifact"], facts.get("sha256", ""))
    return None
