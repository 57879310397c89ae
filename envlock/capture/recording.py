"""Record every answer that the collectors of a capture get, so that it can be replayed.

A recording is a tar: ``recording.json``, then below ``rootfs/`` each file that a collector read.
It holds no values that a lock would not hold: variables that are hidden in a lock have no value in
it, URLs lose their credentials, secret files are left out and named.  Bug reports carry it, and it
unpacks to a fixture of a collector.  `envlock.targets.recorded` replays it.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import BinaryIO

from envlock.capture.scan.index import Index
from envlock.capture.scan.search import PathSearch
from envlock.model.process import HIDDEN, ProcessConfig
from envlock.model.text import from_bytes, sort_key, to_bytes
from envlock.model.tree import REDACTED, Entry, FileClass, Row
from envlock.secrets.arguments import redact_command
from envlock.secrets.files import FileKind, Judgement, judge_file
from envlock.secrets.records import clean_entry, clean_name, clean_text
from envlock.secrets.redact import redact_environ, redact_labels, redact_text
from envlock.targets.base import READ_LIMIT, Capability, ScanPlan, Target
from envlock.targets.recorded import CONTENTS, MEMBER, VERSION

_PERSONAL = {"/etc/passwd": (1, 4), "/etc/group": (1,)}
"""Fields of account files that no collector reads: password hashes, the names of people."""


class Recorder:
    """A target that passes every question on to another one and records the answers."""

    def __init__(
        self, target: Target, env_allow: tuple[str, ...] = (), env_deny: tuple[str, ...] = ()
    ) -> None:
        self._target = target
        self._env = env_allow, env_deny
        self._files: dict[str, bytes | OSError] = {}
        self._names: dict[str, tuple[str, ...] | OSError] = {}
        self._entries: dict[str, Entry] = {}
        self._index: Mapping[str, Entry] = {}
        self._stats: dict[str, Entry] = {}
        self._gaps: list[tuple[str, str]] = []
        self._settled: dict[str, Entry | None] = {}
        self._redacted: set[str] = set()

    @property
    def reference(self) -> str:
        """The reference of the other target."""
        return self._target.reference

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The capabilities of the other target."""
        return self._target.capabilities

    @property
    def is_streaming(self) -> bool:
        """As the other target."""
        return self._target.is_streaming

    @property
    def walks_before_reading(self) -> bool:
        """As the other target."""
        return self._target.walks_before_reading

    def preload(self, patterns: Iterable[str]) -> None:
        """Fetch what matches."""
        self._target.preload(patterns)

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Walk the target and record its gaps; entries are recorded when they are asked for."""

        def on_gap(path: str, reason: str) -> None:
            self._gaps.append((path, reason))
            plan.on_gap(path, reason)

        yield from self._target.scan(replace(plan, on_gap=on_gap))

    def stat(self, path: str) -> Entry:
        """Return and record one path."""
        entry = self._stats[path] = self._target.stat(path)
        return entry

    def names(self, path: str) -> tuple[str, ...]:
        """Return and record the names in a directory."""
        try:
            found = self._names[path] = self._target.names(path)
        except OSError as error:
            self._names[path] = error
            raise
        return found

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes:
        """Return and record the content of a file."""
        try:
            content = self._target.read(path, limit)
        except OSError as error:
            self._files[path] = error
            raise
        self._files[path] = content
        return content

    def open(self, path: str) -> BinaryIO:
        """Open a file, recording all of it.  Raise OSError when it is larger than `READ_LIMIT`."""
        return io.BytesIO(self.read(path))

    def process(self) -> ProcessConfig | None:
        """Return the run configuration."""
        return self._target.process()

    def close(self) -> None:
        """Close the target."""
        self._target.close()

    def watch(self, index: Mapping[str, Entry]) -> Mapping[str, Entry]:
        """Return the scan as a mapping that records each entry that is looked up."""
        self._index = index
        return _Watched(index, self._entries)

    def search(self, index: Index, expected: Iterable[str]) -> PathSearch:
        """Return a search of the scan that records what it finds."""
        return _WatchedSearch(index, expected, self.watch(index))

    def settle(self, row: Row) -> None:
        """Take a row as it may be recorded; of a secret file nothing is."""
        self._settled[row.entry.path] = None if row.file_class is FileClass.SECRET else row.entry
        if row.source.startswith(REDACTED):
            self._redacted.add(row.entry.path)

    def write(self, stream: BinaryIO) -> dict[str, str]:
        """Write the recording; return the secret files that were left out: path -> rule."""
        contents: dict[str, bytes] = {}
        files: dict[str, object] = {}
        left_out = {}
        for real, told in sorted(self._files.items(), key=lambda item: sort_key(item[0])):
            path = clean_name(real)
            if isinstance(told, OSError):
                files[path] = [told.errno or 0, told.strerror or ""]
                continue
            judged = self._judge(real, told)
            if judged.kind is FileKind.SECRET:
                files[path] = [0, f"left out of the recording as secret ({judged.rule})"]
                left_out[path] = judged.rule
            else:
                contents[path] = judged.content
                files[path] = None
        document = {
            "version": VERSION,
            "capabilities": sorted(self.capabilities),
            "process": self._process(),
            "files": files,
            "names": {clean_name(p): _listed(told) for p, told in sorted(self._names.items())},
            "entries": [_row(entry) for entry in self._shown_entries()],
            "redacted": sorted(self._redacted),
            "stats": [_row(e._replace(path=path)) for path, e in sorted(self._stats.items())],
            "gaps": sorted((clean_name(where), clean_text(why)) for where, why in self._gaps),
        }
        raw = json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")
        with tarfile.open(
            fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, errors="surrogateescape"
        ) as archive:
            _add(archive, MEMBER, raw)
            for path, content in contents.items():
                _add(archive, f"{CONTENTS}{path}", content)
        return left_out

    def _shown_entries(self) -> Iterator[Entry]:
        """Yield the entries as they were at the end, when every file was hashed."""
        for path, noted in sorted(self._entries.items()):
            settled = self._settled.get(path, self._index.get(path, noted))
            if settled is not None:
                yield settled

    def _judge(self, path: str, content: bytes) -> Judgement:
        """Return what of a file may be recorded; its content is set unless it is secret."""
        content = _clean(path, content)
        entry = self._stats.get(path) or self._entries.get(path)
        mode = entry.mode if entry is not None else 0o644
        judged = judge_file(path, mode=mode, content=content, size=len(content))
        return judged._replace(content=content) if judged.kind is FileKind.PUBLIC else judged

    def _process(self) -> dict[str, object] | None:
        """Return the run configuration without any value that a lock would not hold."""
        process = self._target.process()
        if process is None:
            return None
        allow, deny = self._env
        shown = redact_environ(process.environ, allow, deny, is_session=process.is_session)
        environ = {
            record.key: HIDDEN if "secret" in record.facts else record.facts.get("value", "")
            for record in shown
        }
        entrypoint, command = redact_command(process.entrypoint, process.cmd)
        clean = replace(
            process,
            cmd=command,
            entrypoint=entrypoint,
            workdir=clean_text(process.workdir),
            volumes=tuple(map(clean_text, process.volumes)),
            maps=clean_text(process.maps),
            exe=clean_text(process.exe),
            labels=redact_labels(process.labels),
            environ=environ,
        )
        return asdict(clean)


class _Watched(Mapping[str, Entry]):
    """A mapping that records every entry that is looked up."""

    def __init__(self, index: Mapping[str, Entry], noted: dict[str, Entry]) -> None:
        self._index = index
        self._noted = noted

    def __getitem__(self, path: str) -> Entry:
        entry = self._index[path]
        self._noted[path] = entry
        return entry

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)


class _WatchedSearch(PathSearch):
    """A search that looks up what it finds in a watched mapping."""

    def __init__(self, index: Index, expected: Iterable[str], watched: Mapping[str, Entry]) -> None:
        super().__init__(index, expected)
        self._watched = watched

    def find(self, patterns: Iterable[str]) -> list[str]:
        """Return the paths that match, all of them recorded."""
        return [path for path in super().find(patterns) if path in self._watched]


def _clean(path: str, content: bytes) -> bytes:
    """Return a file's content without what no collector needs: personal fields, arguments."""
    if path == "/proc/cmdline":
        return to_bytes(" ".join(map(redact_text, from_bytes(content).split(" "))))
    if path in _PERSONAL:
        return b"\n".join(_anonymous(line, _PERSONAL[path]) for line in content.split(b"\n"))
    return content


def _anonymous(line: bytes, fields: tuple[int, ...]) -> bytes:
    parts = line.split(b":")
    return b":".join(b"x" if at in fields and part else part for at, part in enumerate(parts))


def _listed(told: tuple[str, ...] | OSError) -> object:
    if isinstance(told, OSError):
        return [told.errno or 0, told.strerror or ""]
    return {"names": [*map(clean_name, told)]}


def _row(entry: Entry) -> list[object]:
    entry = clean_entry(entry)._replace(path=clean_name(entry.path))
    return [*entry[:9], [[name, value.hex()] for name, value in entry.xattrs], *entry[10:]]


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
