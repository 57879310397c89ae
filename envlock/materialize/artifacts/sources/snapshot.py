"""Debian packages of any age, from a service with the interface of Debian's snapshot archive.

``/mr/binary/NAME/VERSION/binfiles?fileinfo=1`` lists the builds of a package by architecture and
SHA-1, ``/file/SHA1`` is the file (its file API.md).  SHA-1
only finds a file; what it must be is in the lock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from envlock.errors import SourceError
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.sources.base import Tell, own_place, tell_failures
from envlock.materialize.artifacts.sources.download import Downloads
from envlock.materialize.artifacts.verify import is_locked_file
from envlock.model.document import parse_json

_CONNECTIONS = 2
_MOST_BUILDS = 8
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotSource:
    """One service, by the URL below which its interface is."""

    url: str
    downloads: Downloads
    is_local: bool = False

    @property
    def name(self) -> str:
        """The URL."""
        return self.url

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Download packages, over two connections at once.

        What fails for one package is told.  Raise SourceError when nothing was had and the service
        failed, `UnreachableSourceError` when it does not answer.
        """
        debs = [artifact for artifact in wanted if isinstance(artifact, Deb)]
        failures: list[SourceError] = []

        def one(deb: Deb) -> Path | None:
            try:
                return self._one(deb, into)
            except SourceError as error:
                failures.append(error)
                return None

        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            paths = list(pool.map(one, debs))
        found: dict[Artifact, Path] = {
            deb: path for deb, path in zip(debs, paths, strict=True) if path is not None
        }
        tell_failures(failures, found, tell)
        return found

    def _one(self, deb: Deb, into: Path) -> Path | None:
        """Return the file of a package, None when the service does not have it."""
        words = (quote(word, safe="") for word in (deb.name, deb.version))
        url = f"{self.url.rstrip('/')}/mr/binary/{'/'.join(words)}/binfiles?fileinfo=1"
        answer = self.downloads.document(url)
        for sha1 in _builds(answer or b"", deb.arch):
            path = own_place(deb, into)
            url = f"{self.url.rstrip('/')}/file/{sha1}"
            there = self.downloads.file(url, path, partial(_has_sha1, sha1))
            if there and _has_sha1(sha1, path) and is_locked_file(deb, path):
                return path
            path.unlink()
        return None


def _builds(answer: bytes, arch: str) -> Iterator[str]:
    """Yield the SHA-1 of each build for an architecture.  Raise SourceError for other documents."""
    if not answer:
        return
    try:
        rows = parse_json(answer)["result"]
        found = [str(row["hash"]) for row in rows if row["architecture"] == arch]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError("the answer of the service cannot be read") from error
    for sha1 in list(dict.fromkeys(found))[:_MOST_BUILDS]:
        if len(sha1) == 40 and _HEX.issuperset(sha1):
            yield sha1


def _has_sha1(sha1: str, path: Path) -> bool:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.sha1(usedforsecurity=False))
    return digest.hexdigest() == sha1
