"""A recording of what an environment told its collectors, replayed.

`envlock.capture.recording` writes them and its docstring tells the form.  A recording comes from
anywhere: its size is bounded, nothing of it is unpacked, and one that is damaged is a TargetError.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from envlock.errors import TargetError
from envlock.model.document import parse_json
from envlock.model.process import ProcessConfig
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import READ_LIMIT, Capability, ScanPlan
from envlock.targets.stream.oci import decompressed
from envlock.targets.stream.tar_reader import members

VERSION = 1
MEMBER = "recording.json"
"""The member that holds everything but the content of files."""

CONTENTS = "rootfs"
"""The folder of the members that are the content of files, by path."""

_LIMIT = 1024 * 1024 * 1024
_CHUNK = 1024 * 1024


class RecordedTarget:
    """One recording."""

    is_streaming = False
    walks_before_reading = False

    def __init__(
        self, reference: str, document: Mapping[str, Any], contents: Mapping[str, bytes]
    ) -> None:
        """Raise KeyError, TypeError or ValueError when the document is none."""
        self.reference = reference
        self.capabilities = frozenset(map(Capability, document["capabilities"]))
        self._process = _parse_process(document["process"])
        self._files = {path: _parse_error(told) for path, told in document["files"].items()}
        self._names = {path: _parse_names(told) for path, told in document["names"].items()}
        self._entries = {row[0]: _parse_entry(row) for row in document["entries"]}
        self._stats = {row[0]: _parse_entry(row) for row in document["stats"]}
        self._gaps = [(str(path), str(reason)) for path, reason in document["gaps"]]
        self._contents = contents

    @classmethod
    def at(cls, path: str | Path) -> RecordedTarget:
        """Return the recording in a file.  Raise TargetError when there is none."""
        reference = f"recorded:{path}"
        document, contents = _load(Path(path), reference)
        try:
            if document["version"] != VERSION:
                raise TargetError(
                    f"a recording of version {document['version']!r}",
                    where=reference,
                    hint="it was made by another envlock",
                )
            return cls(reference, document, contents)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise TargetError("the recording is damaged", where=reference) from error

    def preload(self, patterns: Iterable[str]) -> None:
        """Do nothing: everything is at hand."""

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Yield the entries that were asked for when it was made."""
        yield from self._entries.values()
        for path, reason in self._gaps:
            plan.on_gap(path, reason)
        plan.on_walk_finished()

    def stat(self, path: str) -> Entry:
        """Return one path."""
        entry = self._stats.get(path) or self._entries.get(path)
        if entry is None:
            raise FileNotFoundError(errno.ENOENT, "no such file or directory", path)
        return entry._replace(sha256="", md5="")

    def names(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory."""
        told = self._names.get(path)
        if told is None:
            raise FileNotFoundError(errno.ENOENT, "no such file or directory", path)
        if isinstance(told, tuple):
            return told
        raise told

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes:
        """Return the content of a file."""
        error = self._files.get(path)
        if error is not None:
            raise error
        content = self._contents.get(path)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, "no such file or directory", path)
        if len(content) > limit:
            raise OSError(errno.EFBIG, "too large", path)
        return content

    def open(self, path: str) -> BinaryIO:
        """Open a file."""
        return io.BytesIO(self.read(path))

    def process(self) -> ProcessConfig | None:
        """Return the run configuration, without the values that a lock does not hold."""
        return self._process

    def close(self) -> None:
        """Do nothing."""


def _load(path: Path, reference: str) -> tuple[Any, dict[str, bytes]]:
    document: Any = None
    contents: dict[str, bytes] = {}
    left = _LIMIT
    try:
        with path.open("rb") as stream:
            chunks = decompressed(iter(lambda: stream.read(_CHUNK), b""), reference)
            for entry, pieces in members(chunks, reference):
                left -= entry.size
                if left < 0 or entry.type is not EntryType.FILE:
                    raise TargetError("the recording is damaged", where=reference)
                raw = b"".join(pieces)
                if entry.path == f"/{MEMBER}":
                    document = parse_json(raw)
                else:
                    contents[entry.path.removeprefix(f"/{CONTENTS}")] = raw
    except OSError as error:
        raise TargetError(
            f"the recording cannot be read: {error.strerror}",
            where=reference,
            hint="make one with `envlock capture --record FILE TARGET`",
        ) from error
    except ValueError as error:
        raise TargetError("the recording is damaged", where=reference) from error
    return document, contents


def _parse_error(told: Any) -> OSError | None:
    """Return what a read raised, None for a file whose content is there."""
    if told is None:
        return None
    code, words = told
    return OSError(int(code), str(words) or os.strerror(int(code)))


def _parse_names(told: Any) -> tuple[str, ...] | OSError:
    if isinstance(told, dict):
        return tuple(sorted(map(str, told["names"]), key=sort_key))
    code, words = told
    return OSError(int(code), str(words))


def _parse_entry(row: Any) -> Entry:
    path, kind, mode, uid, gid, mtime, size, target, device, xattrs, sha256, md5, sha1 = row
    return Entry(
        str(path),
        EntryType(kind),
        int(mode),
        int(uid),
        int(gid),
        int(mtime),
        int(size),
        str(target),
        (int(device[0]), int(device[1])) if device else None,
        tuple((str(name), bytes.fromhex(value)) for name, value in xattrs),
        str(sha256),
        str(md5),
        str(sha1),
    )


def _parse_process(told: Any) -> ProcessConfig | None:
    if told is None:
        return None
    return ProcessConfig(
        cmd=tuple(map(str, told["cmd"])),
        entrypoint=tuple(map(str, told["entrypoint"])),
        user=str(told["user"]),
        workdir=str(told["workdir"]),
        ports=tuple(map(str, told["ports"])),
        volumes=tuple(map(str, told["volumes"])),
        stop_signal=str(told["stop_signal"]),
        maps=str(told["maps"]),
        exe=str(told["exe"]),
        image=str(told["image"]),
        container=str(told["container"]),
        namespaces=tuple(map(str, told["namespaces"])),
        unreadable=_texts(told["unreadable"]),
        labels=_texts(told["labels"]),
        environ=_texts(told["environ"]),
        is_session=bool(told["is_session"]),
    )


def _texts(told: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in told.items()}
