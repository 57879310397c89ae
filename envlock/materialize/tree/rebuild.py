"""The content of every file of an image, from artifacts and the store, verified by its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path

from envlock.errors import MaterializeError, SourceError, StoreError
from envlock.materialize.artifacts.artifact import (
    Artifact,
    OpenArtifact,
    Reader,
    Rooms,
    parse_source,
)
from envlock.materialize.artifacts.plan import Plan
from envlock.materialize.artifacts.table import open_artifact
from envlock.model.text import escape
from envlock.model.tree import Row
from envlock.store.disk import store_errors
from envlock.store.objects import Store
from envlock.writing import ScratchDirectory

_CHUNK = 1024 * 1024


class Rebuild:
    """Implements `envlock.materialize.tree.contents.Contents` for one plan.

    `prepare` opens every artifact and finds every file in it, so that nothing is missing once
    writing starts; `chunks` then reads, and verifies what it yields.  `derived` maps paths to the
    content that the normaliser generated.  `jobs` artifacts are opened at once.  `find` returns a
    reader of some content of an earlier image, by its SHA-256.
    """

    def __init__(
        self,
        store: Store,
        derived: Mapping[str, bytes],
        jobs: int = 2,
        find: Callable[[str], Reader | None] = lambda _: None,
    ) -> None:
        self._store = store
        self._derived = derived
        self._jobs = jobs
        self._kept = find
        self._scratch = ScratchDirectory(store.cache, "unpacked")
        self._readers: dict[str, Reader] = {}
        self._open: list[OpenArtifact] = []

    def prepare(self, plan: Plan, paths: Mapping[Artifact, Path]) -> dict[Artifact, list[str]]:
        """Find the files of `plan` in the artifacts at `paths`.

        Return blockers for each artifact that is damaged, or that lacks content which the store
        lacks as well.  Raise StoreError when the cache of the store cannot be written.
        """
        faults: dict[Artifact, list[str]] = {}
        with store_errors(self._store.cache):
            self._scratch.create()
        rooms = Rooms(self._store.cache / "members", self._scratch.path)
        with ThreadPoolExecutor(self._jobs) as pool:
            artifacts = [a for a in plan.artifacts if a in paths]
            opened = pool.map(lambda a: self._open_artifact(a, paths[a], rooms), artifacts)
            for artifact, content in zip(artifacts, opened, strict=True):
                if isinstance(content, SourceError):
                    faults[artifact] = [f"{artifact}: {content}"]
                elif lacking := list(self._find(artifact, content, plan.artifacts[artifact])):
                    faults[artifact] = lacking
        return faults

    def chunks(self, row: Row) -> Iterable[bytes]:
        """Yield the content of a regular file.

        Raise MaterializeError when it cannot be read or is not what the lock says.
        """
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
            hint = error.hint if isinstance(error, StoreError) else ""
            raise MaterializeError(str(error), where=escape(entry.path), hint=hint) from error
        if size != entry.size or digest.hexdigest() != entry.sha256:
            raise MaterializeError(
                "the content read is not the content locked",
                where=escape(entry.path),
                hint="run `envlock store check --read-data`",
            )

    def close(self) -> None:
        """Close the artifacts, and delete what was decompressed."""
        for artifact in self._open:
            artifact.close()
        self._scratch.close()

    def _read(self, row: Row) -> Iterator[bytes]:
        entry = row.entry
        if entry.path in self._derived:
            return iter((self._derived[entry.path],))
        kept, reader = self._kept(entry.sha256), self._readers.get(entry.path)
        if kept is not None:
            with suppress(OSError):  # another process may delete it until it is open
                return _begun(kept())
        if reader is not None:
            return reader()
        return _stream(self._store, entry.sha256)

    def _open_artifact(
        self, artifact: Artifact, path: Path, rooms: Rooms
    ) -> OpenArtifact | SourceError:
        try:
            content = open_artifact(artifact, path, rooms)
        except SourceError as error:
            return error
        self._open.append(content)
        return content

    def _find(
        self, artifact: Artifact, content: OpenArtifact, rows: Sequence[Row]
    ) -> Iterator[str]:
        for row in rows:
            reader = content.find(parse_source(row).member, row.entry.sha256)
            if reader is not None:
                self._readers[row.entry.path] = reader
            elif not self._store.has(row.entry.sha256):
                yield f"{escape(row.entry.path)}: {artifact} does not contain it"


def _begun(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Return the same pieces, of which the first has been read.  Raise OSError."""
    rest = iter(pieces)
    first = next(rest, b"")
    return chain((first,), rest)


def _stream(store: Store, sha256: str) -> Iterator[bytes]:
    with store.stream(sha256) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk
