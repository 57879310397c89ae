"""A recording of everything that collectors read from a target, replayed.

`envlock.capture.recording` writes recordings and documents their format.  A recording is untrusted:
its size is limited, nothing of it is unpacked, and a damaged one is a TargetError.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from envlock.errors import TargetError
from envlock.model.depth import Depth
from envlock.model.document import parse_json
from envlock.model.process import ProcessConfig
from envlock.model.text import sort_key
from envlock.model.tree import Entry, EntryType, FileClass, Row
from envlock.reading import open_file
from envlock.targets.base import READ_LIMIT, Capability, ScanPlan
from envlock.targets.paged import PagedFile, pages_of
from envlock.targets.recorded_scope import RecordedScope
from envlock.targets.stream.decompress import Bounds, decompressed
from envlock.targets.stream.tar_reader import members

VERSION = 3
MEMBER = "recording.json"
"""The member that holds everything except the content of files."""

CONTENTS = "rootfs"
"""The directory of the members that hold the content of files, by path."""

MAX_SIZE = 1 << 30
"""Most bytes of a recording, all of which is held in memory."""
_BOUNDS = Bounds(total=2 * MAX_SIZE, free=64 << 20, ratio=200)
_MAX_VALUES = 20_000_000
"""Most values of its document: a dozen for each path."""
_CHUNK = 1024 * 1024


class RecordedRequest(NamedTuple):
    """What was asked for when a recording was made, see `envlock.capture.request.Request`."""

    depth: Depth
    only: frozenset[str]
    skip: frozenset[str]
    files: tuple[str, ...]
    ignore: tuple[str, ...]
    env_allow: tuple[str, ...]
    env_deny: tuple[str, ...]


class RecordedTarget:
    """One recording.  `request` is what was asked for when it was made.

    `scope` is what was found of the applications then, None in recordings of earlier versions.
    """

    is_streaming = False
    walks_before_reading = False

    def __init__(
        self, reference: str, document: Mapping[str, Any], contents: Mapping[str, bytes]
    ) -> None:
        """Raise KeyError, TypeError or ValueError when the document is malformed."""
        self.reference = reference
        self.capabilities = frozenset(map(Capability, document["capabilities"]))
        self._process = _parse_process(document["process"])
        self._files = {path: _parse_error(value) for path, value in document["files"].items()}
        self._names = {path: _parse_names(value) for path, value in document["names"].items()}
        self._entries = {row[0]: _parse_entry(row) for row in document["entries"]}
        self._stats = {row[0]: _parse_entry(row) for row in document["stats"]}
        self._gaps = [(str(path), str(reason)) for path, reason in document["gaps"]]
        self._rows = {str(path): _parse_row(row) for path, row in document["rows"].items()}
        self._probes = {str(name): _parse_probe(told) for name, told in document["probes"].items()}
        self.request = _parse_request(document["request"])
        told = document.get("scope")
        self.scope = None if told is None else RecordedScope.parse(told)
        paged = {str(path): (int(told[0]), told[1]) for path, told in document["paged"].items()}
        self._paged = {
            path: (size, pages_of(contents.get(path, b""), [int(n) for n in numbers]))
            for path, (size, numbers) in paged.items()
        }
        self._contents = {path: raw for path, raw in contents.items() if path not in paged}

    @classmethod
    def at(cls, path: str | Path) -> RecordedTarget:
        """Return the recording in a file.  Raise TargetError when it cannot be read."""
        reference = f"recorded:{path}"
        document, contents = _load(Path(path), reference)
        try:
            if document["version"] != VERSION:
                raise TargetError(
                    f"the recording has version {document['version']!r}, not {VERSION}",
                    where=reference,
                    hint="record it again with this version of envlock",
                )
            return cls(reference, document, contents)
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise TargetError("the recording is damaged", where=reference) from error

    def preload(self, patterns: Iterable[str]) -> None:
        """Do nothing: the recording is in memory."""

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Yield the entries that collectors used when it was made."""
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
        names = self._names.get(path)
        if names is None:
            raise FileNotFoundError(errno.ENOENT, "no such file or directory", path)
        if isinstance(names, tuple):
            return names
        raise names

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
        """Open a file, of which there may be only what was read of it."""
        if path not in self._paged:
            return io.BytesIO(self.read(path))
        size, pages = self._paged[path]

        def load(number: int) -> bytes:
            if number not in pages:
                raise OSError(errno.ENODATA, "this part of it is not in the recording", path)
            return pages[number]

        return io.BufferedReader(PagedFile(size, load))

    def settled(self, row: Row) -> Row:
        """Return a classified row with what was decided of its file when it was recorded."""
        told = self._rows.get(row.entry.path)
        if told is None:
            return row
        file_class, source, size = told
        return row._replace(
            entry=row.entry._replace(size=size), file_class=file_class, source=source
        )

    def probe(self, name: str) -> bytes | None:
        """Return the answer of a probe, or None.  Raise ValueError when it failed."""
        told = self._probes.get(name)
        if isinstance(told, ValueError):
            raise told
        return told

    def process(self) -> ProcessConfig | None:
        """Return the run configuration, without the values that a lock leaves out."""
        return self._process

    def close(self) -> None:
        """Do nothing."""


def _load(path: Path, reference: str) -> tuple[Any, dict[str, bytes]]:
    document: Any = None
    contents: dict[str, bytes] = {}
    remaining = MAX_SIZE
    try:
        with open_file(path) as stream:
            if os.fstat(stream.fileno()).st_size > MAX_SIZE:
                raise TargetError(
                    f"the recording has more than {MAX_SIZE:,} bytes", where=reference
                )
            chunks = decompressed(iter(lambda: stream.read(_CHUNK), b""), reference, _BOUNDS)
            for entry, pieces in members(chunks, reference):
                remaining -= entry.size
                if remaining < 0 or entry.type is not EntryType.FILE:
                    raise TargetError("the recording is damaged", where=reference)
                raw = b"".join(pieces)
                if entry.path == f"/{MEMBER}":
                    document = parse_json(raw, max_values=_MAX_VALUES)
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


def _parse_error(value: Any) -> OSError | None:
    """Return the error that reading the file raised, None for a file that was read."""
    if value is None:
        return None
    code, message = value
    return OSError(int(code), str(message) or os.strerror(int(code)))


def _parse_row(value: Any) -> tuple[FileClass, str, int]:
    file_class, source, size = value
    return FileClass(file_class), str(source), int(size)


def _parse_probe(value: Any) -> bytes | ValueError | None:
    if value is None:
        return None
    kind, told = value
    return bytes.fromhex(told) if kind == "answer" else ValueError(str(told))


def _parse_request(value: Any) -> RecordedRequest:
    words = {name: tuple(map(str, value[name])) for name in RecordedRequest._fields[1:]}
    only, skip = frozenset(words.pop("only")), frozenset(words.pop("skip"))
    return RecordedRequest(Depth(value["depth"]), only, skip, **words)


def _parse_names(value: Any) -> tuple[str, ...] | OSError:
    if isinstance(value, dict):
        return tuple(sorted(map(str, value["names"]), key=sort_key))
    code, message = value
    return OSError(int(code), str(message))


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


def _parse_process(value: Any) -> ProcessConfig | None:
    if value is None:
        return None
    return ProcessConfig(
        cmd=tuple(map(str, value["cmd"])),
        entrypoint=tuple(map(str, value["entrypoint"])),
        user=str(value["user"]),
        workdir=str(value["workdir"]),
        ports=tuple(map(str, value["ports"])),
        volumes=tuple(map(str, value["volumes"])),
        stop_signal=str(value["stop_signal"]),
        healthcheck=tuple(map(str, value.get("healthcheck", ()))),
        healthcheck_times=str(value.get("healthcheck_times", "")),
        shell=tuple(map(str, value.get("shell", ()))),
        settings=_texts(value.get("settings", {})),
        maps=str(value["maps"]),
        exe=str(value["exe"]),
        image=str(value["image"]),
        container=str(value["container"]),
        namespaces=tuple(map(str, value["namespaces"])),
        unreadable=_texts(value["unreadable"]),
        labels=_texts(value["labels"]),
        environ=_texts(value["environ"]),
        is_session=bool(value["is_session"]),
    )


def _texts(mapping: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in mapping.items()}
