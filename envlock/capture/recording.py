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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import BinaryIO, NamedTuple

from envlock.capture.discover.candidates import kind_of_name
from envlock.capture.recorded_contents import judge_recorded, secret_rule
from envlock.capture.request import Request
from envlock.capture.scan.index import Index
from envlock.capture.scan.search import PathSearch
from envlock.capture.watched import PagedStream, WatchedIndex, WatchedSearch
from envlock.model.coverage import Gap
from envlock.model.process import HIDDEN, ProcessConfig
from envlock.model.text import sort_key
from envlock.model.tree import REDACTED, Entry, Row
from envlock.secrets.arguments import redact_arguments, redact_command
from envlock.secrets.files import FileKind
from envlock.secrets.records import clean_entry, clean_name, clean_text
from envlock.secrets.redact import redact_environ, redact_labels
from envlock.targets.base import READ_LIMIT, Capability, ScanPlan, Target
from envlock.targets.local.probe import SupportsProbe
from envlock.targets.paged import PAGE, PagedFile
from envlock.targets.recorded import CONTENTS, MEMBER, VERSION, RecordedRequest, RecordedTarget
from envlock.targets.recorded_scope import RecordedScope


class _Held(NamedTuple):
    """What a recording holds of files, by path.

    `files` are the errors of reading, None for files in `contents`; `paged` are the size and the
    pages of files that were read in part; `left_out` are secret files with the rule that says so.
    """

    contents: dict[str, bytes]
    files: dict[str, object]
    paged: dict[str, object]
    left_out: dict[str, str]


class Recorder:
    """A target that passes every question on to another one, `source`, and records the answers.

    `request` is what the capture asks for; a replay asks for the same.
    """

    def __init__(self, target: Target, request: Request) -> None:
        self.source = target
        self._target = target
        self._request = request
        self._files: dict[str, bytes | OSError] = {}
        self._names: dict[str, tuple[str, ...] | OSError] = {}
        self._entries: dict[str, Entry] = {}
        self._index: Mapping[str, Entry] = {}
        self._stats: dict[str, Entry] = {}
        self._gaps: list[tuple[str, str]] = []
        self._rows: dict[str, Row] = {}
        self._is_hidden: Callable[[str], bool] = lambda _path: False
        self._probes: dict[str, bytes | ValueError | None] = {}
        self._paged: dict[str, tuple[int, dict[int, bytes]]] = {}
        self.scope: RecordedScope | None = None

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
        """Open a file, recording what is read of it."""
        return self.record_stream(path, partial(self._target.open, path))

    def record_stream(self, path: str, opener: Callable[[], BinaryIO]) -> BinaryIO:
        """Return the stream that `opener` opens, recording what is read of it."""
        try:
            stream = opener()
        except OSError as error:
            self._files[path] = error
            raise
        size = stream.seek(0, io.SEEK_END)
        _, pages = self._paged.setdefault(path, (size, {}))

        def load(number: int) -> bytes:
            if number not in pages:
                stream.seek(number * PAGE)
                pages[number] = stream.read(PAGE)
            return pages[number]

        return PagedStream(PagedFile(size, load), stream)

    def probe(self, name: str) -> bytes | None:
        """Return and record the answer of a probe, None where the target has none."""
        if not isinstance(self._target, SupportsProbe):
            return None
        try:
            answer = self._probes[name] = self._target.probe(name)
        except ValueError as error:
            self._probes[name] = error
            raise
        return answer

    def process(self) -> ProcessConfig | None:
        """Return the run configuration."""
        return self._target.process()

    def close(self) -> None:
        """Close the target."""
        self._target.close()

    def watch(self, index: Mapping[str, Entry]) -> Mapping[str, Entry]:
        """Return the scan as a mapping that records each entry that is looked up."""
        self._index = index
        return WatchedIndex(index, self._entries)

    def search(self, index: Index, expected: Iterable[str]) -> PathSearch:
        """Return a search of the scan that records what it finds."""
        return WatchedSearch(index, expected, self.watch(index))

    def settle(self, entry: Entry, classified: Row, settled: Row, gaps: Iterable[Gap]) -> None:
        """Record what was decided of a path, and gaps that were met then.

        Of a secret file there is neither content nor digest in `settled`.
        """
        if settled != classified or settled.entry != entry:
            self._rows[entry.path] = settled
        self._gaps += gaps

    def hide(self, is_hidden: Callable[[str], bool], gaps: Iterable[Gap]) -> None:
        """Leave out the paths whose names may not be recorded; `gaps` stand for them."""
        self._is_hidden = is_hidden
        self._gaps += gaps

    def write(self, stream: BinaryIO) -> dict[str, str]:
        """Write the recording; return the secret files that were left out: path -> rule."""
        held = self._contents()
        document = {
            "version": VERSION,
            "capabilities": sorted(self.capabilities),
            "process": self._process(),
            "files": held.files,
            "names": {clean_name(p): _listed(told) for p, told in sorted(self._names.items())},
            "paged": held.paged,
            "probes": {name: _answer(told) for name, told in sorted(self._probes.items())},
            "request": _asked(self._request),
            "scope": self.scope and self.scope.document(),
            "entries": [
                _row(self._shown(path))
                for path in sorted(self._entries)
                if not self._is_hidden(path)
            ],
            "rows": {
                path: [row.file_class.value, _source(row), row.entry.size]
                for path, row in sorted(self._rows.items())
                if not self._is_hidden(path)
            },
            "stats": [_row(e._replace(path=path)) for path, e in sorted(self._stats.items())],
            "gaps": sorted((clean_name(where), clean_text(why)) for where, why in self._gaps),
        }
        raw = json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")
        with tarfile.open(
            fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, errors="surrogateescape"
        ) as archive:
            _add(archive, MEMBER, raw)
            for path, content in held.contents.items():
                _add(archive, f"{CONTENTS}{path}", content)
        return held.left_out

    def _contents(self) -> _Held:
        """Return the content of each file that may be recorded, and why others may not."""
        contents: dict[str, bytes] = {}
        files: dict[str, object] = {}
        left_out: dict[str, str] = {}
        for real, told in sorted(self._files.items(), key=lambda item: sort_key(item[0])):
            path = clean_name(real)
            if isinstance(told, OSError):
                files[path] = [told.errno or 0, told.strerror or ""]
                continue
            entry = self._stats.get(real) or self._entries.get(real)
            judged = judge_recorded(real, told, entry, self._rows.get(real))
            if judged.kind is FileKind.SECRET:
                files[path] = [0, f"left out of the recording as secret ({judged.rule})"]
                left_out[path] = judged.rule
            else:
                contents[path] = judged.content
                files[path] = None
        paged: dict[str, object] = {}
        for real, (size, pages) in sorted(self._paged.items(), key=lambda item: sort_key(item[0])):
            path = clean_name(real)
            if path in files:
                continue
            entry, row = self._entries.get(real), self._rows.get(real)
            if rule := secret_rule(real, size, pages, entry, row):
                files[path] = [0, f"left out of the recording as secret ({rule})"]
                left_out[path] = rule
            else:
                paged[path] = [size, sorted(pages)]
                contents[path] = b"".join(pages[number] for number in sorted(pages))
        return _Held(contents, files, paged, left_out)

    def _shown(self, path: str) -> Entry:
        """Return an entry as it was when every file was hashed, with what may be said of it."""
        row = self._rows.get(path)
        found = self._index.get(path, self._entries[path])
        if row is None:
            return found
        # A lock holds the size of an archive among the software, also of one that is secret.
        return row.entry._replace(size=found.size) if kind_of_name(path) else row.entry

    def _process(self) -> dict[str, object] | None:
        """Return the run configuration without any value that a lock would not hold."""
        process = self._target.process()
        if process is None:
            return None
        allow, deny = self._request.env_allow, self._request.env_deny
        shown = redact_environ(process.environ, allow, deny, is_session=process.is_session)
        environ = {
            record.key: HIDDEN if "secret" in record.facts else record.facts.get("value", "")
            for record in shown
        }
        entrypoint, command = redact_command(process.entrypoint, process.cmd)
        labels = redact_labels(process.labels)
        judged = {"cmd": command, "entrypoint": entrypoint, "labels": labels, "environ": environ}
        return {name: _judged(value) for name, value in asdict(process).items()} | judged


def _judged(value: object) -> object:
    """Return a part of the run configuration, whatever it is, without the secrets in it."""
    if isinstance(value, tuple):
        return redact_arguments(value)
    if isinstance(value, Mapping):
        return {name: clean_text(text) for name, text in value.items()}
    return clean_text(value) if isinstance(value, str) else value


def _answer(told: bytes | ValueError | None) -> object:
    if told is None:
        return None
    return ["failure", str(told)] if isinstance(told, ValueError) else ["answer", told.hex()]


def _source(row: Row) -> str:
    """Return the source of a row; it names no digest that the entry does not have."""
    names_digest = row.source.startswith(("blob ", REDACTED))
    is_told = bool(row.entry.sha256) and row.source.endswith(row.entry.sha256)
    return "observed" if names_digest and not is_told else row.source


def _asked(request: Request) -> dict[str, object]:
    found = {name: getattr(request, name) for name in RecordedRequest._fields}
    words = {name: sorted(value) for name, value in found.items() if isinstance(value, frozenset)}
    return found | words | {"depth": request.depth.value}


def recorded_request(target: Target, request: Request) -> Request | None:
    """Return what a replay asks for to give the recorded lock; None if `target` is no recording.

    Of the sections it can ask for fewer.
    """
    if not isinstance(target, RecordedTarget):
        return None
    whole = replace(request, **target.request._asdict())
    if request.only:
        whole = replace(whole, only=request.only, depth=request.depth)
    return replace(whole, skip=whole.skip | request.skip)


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
