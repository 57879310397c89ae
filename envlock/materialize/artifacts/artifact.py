"""Artifacts: the published files that a lock refers to."""

from __future__ import annotations

import re
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
    """A wheel.

    `filename` is as PEP 427 forms it, with the tags of a compressed set in any order; `python` is
    the version of the interpreter it was installed for; `sha256` is empty when not learnt at
    capture.
    """

    name: str
    version: str
    filename: str
    python: str
    sha256: str = ""

    def __str__(self) -> str:
        return f"wheel {self.filename}"

    def is_named(self, filename: str) -> bool:
        """True when `filename` is this wheel's, whatever the order of its tags."""
        return _tag_sets(filename) == _tag_sets(self.filename)


def _tag_sets(filename: str) -> tuple[frozenset[str], ...]:
    """Return name, version, build and tags of a wheel file name, each part as a set.

    >>> _tag_sets("a-1-py2.py3-none-any.whl") == _tag_sets("a-1-py3.py2-none-any.whl")
    True
    """
    name, *rest = filename.removesuffix(".whl").split("-")
    *front, python, abi, platform = rest if len(rest) > 3 else (*rest, "", "", "")[:4]
    plain = (name.lower(), *front)
    tags = (part.split(".") for part in (python, abi, platform))
    return (*(frozenset({part}) for part in plain), *(frozenset(part) for part in tags))


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
    """Return the artifact a reference names, or None when the lock does not describe it.

    What is returned is safe in a path and in the arguments of apt and pip: a lock may come from
    anyone, and a name, version or file name that no published artifact can have is no description.
    """
    artifact = _described(reference, lock)
    return artifact if artifact and all(map(_is_plain, artifact)) else None


def is_plain(text: str) -> bool:
    """True for a word of the characters that names, versions and architectures consist of."""
    return bool(_PLAIN.match(text))


_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~:!_-]*\Z")


def _is_plain(field: str) -> bool:
    return not field or is_plain(field)


def _described(reference: Reference, lock: Lock) -> Artifact | None:
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
        environment, _, name = reference.name.rpartition("/")
        python = lock.get("python", environment).get("version", "3")
        return Wheel(name, facts["version"], facts["artifact"], python, facts.get("sha256", ""))
    return None
