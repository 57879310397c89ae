"""The journal of an apply: written before each change, so that it can be finished or taken back.

It lies on the machine itself, in `FOLDER`, one directory for each run, which only root can read:

- ``plan.json``: the plan.
- ``journal.jsonl``: one event a line, each flushed before what it announces is done; it follows
  ``journal.schema.json``.
- ``kept/``: what was at the paths that the run changes; ``packages/`` and ``old/``: package files.
- ``key``: random; the events tell contents only by a digest with this key.

A run that was killed leaves at most the last line of the journal incomplete.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from envlock.apply.place import Place
from envlock.apply.plan import Plan
from envlock.apply.plan_document import check, entry_document, entry_from, plan_bytes, read_plan
from envlock.errors import ApplyError
from envlock.model.document import parse_json
from envlock.model.text import escape, unescape
from envlock.model.tree import Entry, EntryType
from envlock.reading import read_file
from envlock.writing import replace_file, sync_directory

FOLDER = "/var/lib/envlock/apply"
JOURNAL_LIMIT = 512 << 20
"""The largest journal that is read, in bytes."""
_DRAFT = ".new-"
_ID = re.compile(r"[0-9]{4,9}\Z")
_PIECE = 1 << 20


class Event(StrEnum):
    """What a line of a journal tells."""

    KEPT = "kept"
    """What a step changes has been kept; for a step that has not begun, nothing is changed."""
    BEGIN = "begin"
    END = "end"
    FINISHED = "finished"
    """All steps have ended."""
    UNDO = "undo"
    """The run is being taken back."""
    UNDONE = "undone"
    """A step has been taken back; without a step, the whole run."""


class State(StrEnum):
    """Where a run stands."""

    PREPARED = "prepared"
    """Nothing has been changed."""
    BEGUN = "begun"
    FINISHED = "finished"
    UNDOING = "undoing"
    UNDONE = "undone"


class KeptPath(NamedTuple):
    """A path as it was: `entry` None if it was not there, `file` the name of its content kept."""

    path: str
    entry: Entry | None
    file: str


class Journal:
    """One run: its plan, and the events that were written.  The folder is locked while open."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.id = folder.name
        self.plan = plan
        self.events: list[Mapping[str, Any]] = read_events(folder / "journal.jsonl")
        self._key = read_file(folder / "key", 64)
        self._log = os.open(
            folder / "journal.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        _cut_incomplete(folder / "journal.jsonl", self.events)

    def close(self) -> None:
        """Close the file."""
        os.close(self._log)

    def write(self, event: Event, step: str = "", **facts: Any) -> None:
        """Add an event and make it durable.  Raise OSError."""
        told = {"n": len(self.events) + 1, "event": event.value, "step": step, **facts}
        _write_all(self._log, f"{json.dumps(told, sort_keys=True)}\n".encode())
        os.fsync(self._log)
        self.events.append(told)

    @property
    def state(self) -> State:
        """Where the run stands."""
        return _state(self.events)

    def has(self, event: Event, step: str) -> bool:
        """True when an event of a step was written."""
        return any(e["event"] == event and e["step"] == step for e in self.events)

    def last(self, event: Event, step: str) -> Mapping[str, Any]:
        """Return the last such event, empty if there is none."""
        found = (e for e in reversed(self.events) if e["event"] == event and e["step"] == step)
        return next(found, {})

    def keep(self, place: Place, step: str, paths: Iterable[str]) -> None:
        """Keep what is at some paths, and write that down.  Raise OSError."""
        number = len(self.events) + 1
        kept = []
        for index, path in enumerate(paths):
            found = place.find(path)
            name = ""
            if found is not None and found.type is EntryType.FILE:
                name = f"{number}-{index}"
                _copy(place.content(path), self.folder / "kept" / name)
            kept.append(
                {"path": escape(path), "entry": entry_document(found), "file": name,
                 "print": self.print_of(place, path)}
            )  # fmt: skip
        sync_directory(self.folder / "kept")
        self.write(Event.KEPT, step, paths=kept)

    def kept(self, step: str) -> list[KeptPath]:
        """Return what was kept last of a step."""
        told = self.last(Event.KEPT, step).get("paths", ())
        return [KeptPath(unescape(p["path"]), entry_from(p["entry"]), p["file"]) for p in told]

    def put_back(self, place: Place, kept: KeptPath) -> None:
        """Give a path back what it was.  Raise OSError."""
        if kept.entry is None:
            place.remove(kept.path)
            return
        content = _pieces(self.folder / "kept" / kept.file) if kept.file else None
        place.put(kept.entry, content)

    def print_of(self, place: Place, path: str) -> str:
        """Return a keyed digest of a path as it is now, which tells whether it was changed since.

        Empty where nothing is.
        """
        found = place.find(path)
        if found is None:
            return ""
        known = (found.type, found.mode, found.uid, found.gid, found.target, found.xattrs)
        digest = hmac.new(self._key, repr(known).encode(), hashlib.sha256)
        if found.type is EntryType.FILE:
            for piece in place.content(path):
                digest.update(piece)
        return digest.hexdigest()


class Journals:
    """All runs of a machine.  While one is worked on, no other process can."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.folder = Path(place.root) / FOLDER.lstrip("/")

    def ids(self) -> list[str]:
        """Return the names of the runs, oldest first."""
        return [name for name in self._place.names(FOLDER) if _ID.match(name)]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes away.  Raise ApplyError when one is at work."""
        self._make()
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ApplyError(
                    "another apply is at work on this machine",
                    where=str(self.folder),
                    hint="wait until it has ended",
                ) from None
            yield
        finally:
            os.close(descriptor)

    def create(self, plan: Plan) -> Journal:
        """Begin a new run, of which nothing is done yet, while `locked`.  Raise OSError."""
        self._make()
        self._discard_prepared()
        number = max(map(int, self.ids()), default=0) + 1
        draft = self.folder / f"{_DRAFT}{secrets.token_hex(8)}"
        draft.mkdir(mode=0o700)
        for name in ("kept", "packages", "old"):
            (draft / name).mkdir(mode=0o700)
        replace_file(draft / "plan.json", plan_bytes(plan))
        (draft / "plan.json").chmod(0o600)
        read_plan(draft / "plan.json")  # what cannot be read could not be taken back
        _copy([secrets.token_bytes(32)], draft / "key")
        _copy([], draft / "journal.jsonl")
        sync_directory(draft)
        folder = self.folder / f"{number:04d}"
        draft.rename(folder)
        sync_directory(self.folder)
        return Journal(folder, plan)

    def open(self, name: str) -> Journal:
        """Open a run.  Raise ApplyError when there is none, UsageError when it is damaged."""
        folder = self.folder / name
        if not _ID.match(name) or not folder.is_dir():
            known = ", ".join(self.ids()[-5:]) or "none"
            raise ApplyError(f"there is no run {name}", where=FOLDER, hint=f"known runs: {known}")
        return Journal(folder, read_plan(folder / "plan.json"))

    def unfinished(self) -> str:
        """Return the run that was begun and neither finished nor taken back, empty for none."""
        return self._last_in(State.BEGUN, State.UNDOING)

    def last_to_undo(self) -> str:
        """Return the last run that changed something and is not taken back, empty for none."""
        return self._last_in(State.BEGUN, State.UNDOING, State.FINISHED)

    def _last_in(self, *states: State) -> str:
        found = (name for name in reversed(self.ids()) if self._state_of(name) in states)
        return next(found, "")

    def _state_of(self, name: str) -> State:
        return _state(read_events(self.folder / name / "journal.jsonl"))

    def _discard_prepared(self) -> None:
        """Delete what runs left that were killed before they changed anything."""
        for name in self._place.names(FOLDER):
            is_draft = name.startswith(_DRAFT)
            if is_draft or (_ID.match(name) and self._state_of(name) is State.PREPARED):
                shutil.rmtree(self.folder / name)

    def _make(self) -> None:
        """Make the folder, each step of it with no link in it."""
        path = ""
        for name in FOLDER.strip("/").split("/"):
            path = f"{path}/{name}"
            found = self._place.find(path)
            if found is None:
                mode = 0o700 if path.startswith("/var/lib/envlock") else 0o755
                self._place.put(Entry(path, EntryType.DIRECTORY, mode), None)
            elif found.type is not EntryType.DIRECTORY:
                raise ApplyError("it must be a directory", where=path, hint="move it away")


def _state(events: Sequence[Mapping[str, Any]]) -> State:
    """Return where a run with these events stands."""
    seen = {(each["event"], bool(each["step"])) for each in events}
    if (Event.UNDONE, False) in seen:
        return State.UNDONE
    if (Event.UNDO, False) in seen:
        return State.UNDOING
    if (Event.FINISHED, False) in seen:
        return State.FINISHED
    return State.BEGUN if (Event.BEGIN, True) in seen else State.PREPARED


def read_events(path: Path, limit: int = JOURNAL_LIMIT) -> list[Mapping[str, Any]]:
    """Return the complete events of a journal of at most `limit` bytes, none without a file.

    Raise ApplyError for one that is damaged, OSError for one that is too large.
    """
    with suppress(FileNotFoundError):
        raw = read_file(path, limit)
        found = []
        for number, line in enumerate(raw.split(b"\n")[:-1], 1):
            try:
                event = parse_json(line)
                check(event, "journal.schema.json")
            except ValueError as error:
                raise ApplyError(
                    f"the journal is damaged: {error}",
                    where=f"{path}:{number}",
                    hint="the files that were kept are beside it",
                ) from error
            found.append(event)
        return found
    return []


def _cut_incomplete(path: Path, events: list[Mapping[str, Any]]) -> None:
    """Remove the line that a killed run left without its end."""
    raw = path.read_bytes()
    end = raw.rfind(b"\n") + 1
    if end < len(raw):
        os.truncate(path, end)
    del events[raw.count(b"\n") :]


def _write_all(descriptor: int, text: bytes) -> None:
    while text:
        text = text[os.write(descriptor, text) :]


def _copy(pieces: Iterable[bytes], path: Path) -> None:
    path.unlink(missing_ok=True)  # a killed run may have begun it
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as stream:
        stream.writelines(pieces)
        stream.flush()
        os.fsync(descriptor)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece
