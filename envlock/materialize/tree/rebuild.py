"""The bytes of every path, from artifacts and blobs, each verified against the lock."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from envlock.errors import MaterializeError, SourceError, StoreError
from envlock.materialize.artifacts.artifact import Artifact, Deb, parse_source
from envlock.materialize.artifacts.kinds.deb import Member, UnpackedDeb, unpack
from envlock.materialize.artifacts.kinds.wheel import OpenWheel
from envlock.materialize.artifacts.plan import Plan
from envlock.model.text import escape
from envlock.model.tree import Row
from envlock.store.objects import Store

_CHUNK = 1024 * 1024

Reader = Callable[[], Iterator[bytes]]


class Rebuild:
    """Implements `envlock.materialize.tree.contents.Contents` for one plan.

    `prepare` opens every artifact and finds every file in it, so that nothing is missing once
    writing starts; `chunks` then reads, and verifies again what it hands out.
    """

    def __init__(self, store: Store, derived: Mapping[str, bytes], jobs: int = 2) -> None:
        self._store = store
        self._derived = derived
        self._jobs = jobs
        self._readers: dict[str, Reader] = {}
        self._open: list[OpenWheel] = []

    def prepare(
        self, plan: Plan, paths: Mapping[Artifact, Path], cache: Path
    ) -> dict[Artifact, list[str]]:
        """Find the files of `plan` in the artifacts at `paths`.

        Return, for each artifact that is not what it should be, what cannot be had from it.
        """
        faults: dict[Artifact, list[str]] = {}
        with ThreadPoolExecutor(self._jobs) as pool:
            artifacts = [a for a in plan.artifacts if a in paths]
            opened = pool.map(lambda a: self._open_artifact(a, paths[a], cache), artifacts)
            for artifact, content in zip(artifacts, opened, strict=True):
                if isinstance(content, SourceError):
                    faults[artifact] = [f"{artifact}: {content}"]
                elif lacking := list(self._find(artifact, content, plan.artifacts[artifact])):
                    faults[artifact] = lacking
        return faults

    def chunks(self, row: Row) -> Iterable[bytes]:
        """Yield the content of a regular file.  Raise MaterializeError when it is not as locked."""
        entry = row.entry
        if not entry.size:
            return
        digest = hashlib.sha256()
        size = 0
        try:
            for chunk in self._read(row):
                digest.update(chunk)
                size += len(chunk)
                yield chunk
        except (OSError, StoreError) as error:
            raise MaterializeError(str(error), where=escape(entry.path)) from error
        if size != entry.size or digest.hexdigest() != entry.sha256:
            raise MaterializeError(
                "the content read is not the content locked",
                where=escape(entry.path),
                hint="run `envlock store check --read-data`",
            )

    def close(self) -> None:
        """Close the artifacts."""
        for wheel in self._open:
            wheel.close()

    def _read(self, row: Row) -> Iterator[bytes]:
        entry = row.entry
        if entry.path in self._derived:
            return iter((self._derived[entry.path],))
        reader = self._readers.get(entry.path)
        if reader is not None:
            return reader()
        return _stream(self._store, entry.sha256)

    def _open_artifact(
        self, artifact: Artifact, path: Path, cache: Path
    ) -> UnpackedDeb | OpenWheel | SourceError:
        try:
            if isinstance(artifact, Deb):
                return unpack(path, cache)
            wheel = OpenWheel(path)
        except SourceError as error:
            return error
        self._open.append(wheel)
        return wheel

    def _find(
        self, artifact: Artifact, content: UnpackedDeb | OpenWheel, rows: Sequence[Row]
    ) -> Iterator[str]:
        for row in rows:
            member = parse_source(row).member
            reader: Reader | None
            if isinstance(content, UnpackedDeb):
                reader = _deb_reader(content, content.find(member, row.entry.sha256))
            else:
                reader = _wheel_reader(content, content.find(member, row.entry.sha256))
            if reader is not None:
                self._readers[row.entry.path] = reader
            elif not self._store.has(row.entry.sha256):
                yield f"{escape(row.entry.path)}: {artifact} holds no such content"


def _deb_reader(deb: UnpackedDeb, member: Member | None) -> Reader | None:
    if member is None:
        return None

    def read() -> Iterator[bytes]:
        offset, left = member.offset, member.size
        with deb.path.open("rb", buffering=0) as stream:
            while left:
                chunk = os.pread(stream.fileno(), min(left, _CHUNK), offset)
                if not chunk:
                    raise OSError(0, f"{deb.path} is shorter than it was")
                offset += len(chunk)
                left -= len(chunk)
                yield chunk

    return read


def _wheel_reader(wheel: OpenWheel, name: str | None) -> Reader | None:
    return None if name is None else lambda: wheel.chunks(name)


def _stream(store: Store, sha256: str) -> Iterator[bytes]:
    with store.stream(sha256) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk
