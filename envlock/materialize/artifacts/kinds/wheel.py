"""Wheels: zip archives whose RECORD states the digest of each member (PEP 427)."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from envlock.errors import SourceError
from envlock.formats.binary.zip_archive import (
    DAMAGE,
    member_pieces,
    open_archive,
    read_member,
)
from envlock.materialize.artifacts.artifact import ArtifactKind, Reader
from envlock.model.lock import Lock
from envlock.model.record import Facts
from envlock.reading import open_file

FILE_TIME = 315_619_200
"""1980-01-02: in every time zone a time that a zip archive can hold."""

RECORD_LIMIT = 32 << 20
"""The largest RECORD, in bytes."""

_FILENAME = re.compile(r"(?:[^-]+-){4,5}[^-]+\.whl\Z")


class Wheel(NamedTuple):
    """A wheel file.

    `filename` is formed as PEP 427 says, but compressed tag sets may be in any order.  `python` is
    the version of the interpreter it was installed for.  `sha256` is empty when it was not known
    at capture.
    """

    name: str
    version: str
    filename: str
    python: str
    sha256: str = ""

    @property
    def scheme(self) -> str:
        """Return the scheme of the kind."""
        return KIND.scheme

    @property
    def proofs(self) -> tuple[str, ...]:
        """Return the digest of the file, where it was known at capture."""
        return (f"sha256:{self.sha256}",) if self.sha256 else ()

    @property
    def other_names(self) -> str:
        """Return the glob of all wheels: indexes order tags in their own way."""
        return "*.whl"

    def is_named(self, filename: str) -> bool:
        """True when `filename` has the same parts, whatever the order of its tags.

        PyPI takes no wheel for ``linux_ARCH``, so that some are built for it and only named anew.
        """
        *ours, platform = _tag_sets(self.filename)
        *theirs, published = _tag_sets(filename)
        return ours == theirs and (platform == published or _is_published_for(platform, published))

    def __str__(self) -> str:
        return f"wheel {self.filename}"


class OpenWheel:
    """An open wheel, with the digests that its RECORD states.

    RECORD only serves to find a member; the caller verifies what it reads.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: io.BufferedReader | None = None
        try:
            self._file = io.BufferedReader(open_file(path))
            self._zip = open_archive(self._file)
            self._digests = self._read_record()
        except (*DAMAGE, OSError, csv.Error) as error:
            self.close()
            raise SourceError(
                f"not a complete wheel: {error}", where=str(path), hint="delete it and retry"
            ) from error

    def find(self, member: str, sha256: str) -> Reader | None:
        """Return a reader of the file with this digest, `member` if possible, or None."""
        name: str | None = member
        if self._digests.get(member) != sha256:
            name = next((n for n, digest in self._digests.items() if digest == sha256), None)
        return None if name is None else lambda: self._chunks(name)

    def contents(self) -> Mapping[str, str]:
        """Return what RECORD states of the members."""
        return self._digests

    def close(self) -> None:
        """Close the archive."""
        if self._file is not None:
            self._file.close()

    def __del__(self) -> None:
        self.close()

    def _chunks(self, name: str) -> Iterator[bytes]:
        try:
            yield from member_pieces(self._zip, self._zip.getinfo(name))
        except DAMAGE as error:
            raise OSError(0, f"{self._path}: {error}") from error

    def _read_record(self) -> Mapping[str, str]:
        listed = self._zip.namelist()
        record = next(
            (n for n in listed if n.endswith(".dist-info/RECORD") and n.count("/") == 1), ""
        )
        if not record:
            raise EOFError("it has no RECORD")
        names = frozenset(listed)
        content = read_member(self._zip, self._zip.getinfo(record), RECORD_LIMIT)
        rows = csv.reader(io.StringIO(content.decode(), newline=""))
        return {
            row[0]: _hex(row[1])
            for row in rows
            if len(row) > 1 and row[0] in names and row[1].startswith("sha256=")
        }


def describe(name: str, lock: Lock) -> Wheel | None:
    """Return the wheel of a record ``python ENVIRONMENT/NAME``, or None when it names no wheel."""
    facts = lock.get("python", name)
    version, filename = facts.get("version"), facts.get("artifact", "")
    if not (version and _FILENAME.match(filename)):
        return None
    environment, _, distribution = name.rpartition("/")
    python = lock.get("python", environment).get("version", "3")
    return Wheel(distribution, version, filename, python, facts.get("sha256", ""))


def stated(words: str) -> Wheel | None:
    """Return the wheel that a claim names: ``NAME VERSION FILENAME PYTHON``."""
    name, version, filename, python = (*words.split(" "), "", "", "")[:4]
    return Wheel(name, version, filename, python or "3") if _FILENAME.match(filename) else None


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


def _is_published_for(platform: frozenset[str], published: frozenset[str]) -> bool:
    """True when a wheel whose own tag is ``linux_ARCH`` may be published for these platforms.

    >>> _is_published_for(frozenset({"linux_x86_64"}), frozenset({"manylinux1_x86_64"}))
    True
    """
    plain = next(iter(platform)) if len(platform) == 1 else ""
    end = plain.removeprefix("linux")
    is_plain = plain.startswith("linux_")
    return is_plain and all(
        each.startswith("manylinux") and each.endswith(end) for each in published
    )


def _hex(field: str) -> str:
    """Return the hex of a RECORD digest, URL-safe base64 without padding."""
    text = field.removeprefix("sha256=")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()


def _group(key: str, facts: Facts) -> str:  # noqa: ARG001
    """Return the distribution itself: each has releases of its own."""
    return key


KIND = ArtifactKind(
    scheme="wheel",
    section="python",
    describe=describe,
    stated=stated,
    open=lambda path, rooms: OpenWheel(path),  # noqa: ARG005
    group=_group,
    file_time=FILE_TIME,  # installers stamp files with the time of installation
)
