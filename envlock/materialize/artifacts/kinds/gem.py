"""Gems: tars with a compressed tar of the files, which RubyGems unpacks as they are.

A gem states no digests of its files, and an installation seldom that of the gem: then its members
alone show that it is the right one.

Sources: RubyGems, ``Gem::Package``; Bundler documentation, "Gemfile.lock" (CHECKSUMS).
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

from envlock.materialize.artifacts.artifact import ArtifactKind, Rooms
from envlock.materialize.artifacts.decompress import decompress
from envlock.materialize.artifacts.unpacked import UnpackedTar, unpack_tar
from envlock.model.lock import Lock
from envlock.model.record import Facts
from envlock.reading import HeaderReader

_DATA = "data.tar.gz"
_MOST_PARTS = 100
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_HEX = re.compile(r"(?:[0-9a-f]{2})*\Z")
_ADDRESS = re.compile(r"https?://[!-?A-~]{1,500}\Z")
"""Without ``@``, so that it has no password."""


class Gem(NamedTuple):
    """A package file of a gem server.

    `platform` is empty for all platforms, and `sha256` when it was not known at capture.  `servers`
    is the hex of the URLs of servers that may have it, with spaces between them.
    """

    name: str
    version: str
    platform: str
    sha256: str
    servers: str

    @property
    def scheme(self) -> str:
        """Return the scheme of the kind."""
        return KIND.scheme

    @property
    def filename(self) -> str:
        """Return the file name on servers and in caches."""
        return f"{'-'.join(filter(None, self[:3]))}.gem"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return where it may be; without servers that have a password in their URL."""
        urls = bytes.fromhex(self.servers).decode("utf-8", "replace").split(" ")
        return tuple(f"{url}/gems/{self.filename}" for url in urls if _ADDRESS.match(url))

    @property
    def proofs(self) -> tuple[str, ...]:
        """Return the digest of the file, where a lockfile stated it at capture."""
        return (f"sha256:{self.sha256}",) if self.sha256 else ()

    @property
    def other_names(self) -> str:
        """Return nothing: servers give a gem one file name."""
        return ""

    def is_named(self, filename: str) -> bool:
        """True when `filename` is that of servers."""
        return filename == self.filename

    def __str__(self) -> str:
        return f"gem {self.filename.removesuffix('.gem')}"


def describe(key: str, lock: Lock) -> Gem | None:
    """Return the package of a record ``gem HOME/NAME``, or None when it states too little."""
    facts = lock.get("gem", key)
    name = key.partition("/")[2].partition("/")[0].partition("@")[0]
    if facts.get("origin") or facts.get("default"):
        return None
    words = (name, facts.get("version", ""), facts.get("platform", ""), facts.get("sha256", ""))
    records = lock.sections.get("gem", {}).values()
    urls = dict.fromkeys(url for each in records for url in each.get("url", "").split(" ") if url)
    return _gem(*words, " ".join(urls).encode().hex())


def stated(words: str) -> Gem | None:
    """Return the package that a claim names.

    ``NAME VERSION PLATFORM SHA256 SERVERS``, the last in hex, with ``-`` for what is empty.
    """
    parts = ["" if part == "-" else part for part in words.split(" ")]
    return _gem(*parts) if len(parts) == 5 else None


def _gem(name: str, version: str, platform: str, sha256: str, servers: str) -> Gem | None:
    is_right = _HEX.match(servers) and (not sha256 or _SHA256.match(sha256))
    return Gem(name, version, platform, sha256, servers) if name and version and is_right else None


def unpack(path: Path, rooms: Rooms) -> UnpackedTar:
    """Return the files of a gem.  Raise SourceError when it is damaged."""
    return unpack_tar(path, rooms, _content, what="gem")


def _content(source: IO[bytes]) -> Iterator[bytes]:
    offset, size = _data_part(source)
    source.seek(offset)
    return decompress(".gz", source, size)


def _data_part(source: IO[bytes]) -> tuple[int, int]:
    """Return the offset and size of the files.  Raise EOFError without any."""
    headers = HeaderReader(cast("io.RawIOBase", source))
    try:
        with tarfile.open(fileobj=headers, mode="r:") as archive:
            for info, _ in zip(archive, range(_MOST_PARTS), strict=False):
                if info.isreg() and info.name == _DATA:
                    return info.offset_data, info.size
    finally:
        headers.detach()
    raise EOFError(f"it has no {_DATA}")


def _group(key: str, facts: Facts) -> str:  # noqa: ARG001
    """Return the gem itself: each has releases of its own."""
    return key


KIND = ArtifactKind(
    scheme="gem",
    section="gem",
    describe=describe,
    stated=stated,
    open=unpack,
    group=_group,
    file_time=None,  # RubyGems leaves the time of installation
)
