"""The residue: content that no package can give back, kept in the store by its digest.

Small unmodified configuration files of packages are kept too, so that a diff can tell which
setting differs from them.

Nothing secret is kept: each file that would travel by value passes the gate of
`envlock.capture.files.content_gate` first.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from typing import BinaryIO

from envlock.capture.context import describe
from envlock.capture.files.classify import STATE_LIMIT
from envlock.capture.files.content_gate import CHANGED, CLEAN, PUBLISHED, WHOLE, ContentGate
from envlock.capture.files.ownership import Claim, Claims
from envlock.capture.files.rules import noisy_rule
from envlock.capture.published import Members
from envlock.errors import StateInUseError
from envlock.model.coverage import Gap
from envlock.model.tree import REDACTED, Entry, EntryType, FileClass, Row
from envlock.secrets.files import FileKind
from envlock.store.objects import ObjectWriter, Store
from envlock.targets.base import ContentWriter, HashCache, Target

_NOT_KEPT = frozenset({FileClass.CACHE, FileClass.LOG, FileClass.SECRET, FileClass.IDENTITY})
_SETTING_LIMIT = 64 * 1024
_CHUNK = 1024 * 1024
_HEAD = 64


class Residue:
    """Collects the by-value content of one capture in the store."""

    def __init__(
        self,
        target: Target,
        store: Store,
        gaps: list[Gap],
        cache: HashCache | None = None,
        seconds: float = math.inf,
        members: Members | None = None,
        is_wanted: Callable[[str], bool] = lambda _path: False,
    ) -> None:
        self._target = target
        self._store = store
        self._gaps = gaps
        self._members = members or Members(None, {})
        self._is_wanted = is_wanted
        self.gate = ContentGate(self.open, cache, seconds)
        self._spooled: set[str] = set()
        self._kept: set[str] = set()
        self._counted: set[str] = set()
        self.size = 0
        """Bytes kept by value, each content once."""

    def keeper(self, claims: Claims) -> Callable[[Entry], ContentWriter | None]:
        """Return the `writer_for` of a scan plan: which files a streaming target must spool.

        A file that its package can give back is not spooled; if it turns out to be modified, it is
        fetched again.
        """

        def keep(entry: Entry) -> ContentWriter | None:
            claim = claims.get(entry.path)
            if claim is not None and _is_elsewhere(claim) and not _is_setting(claim, entry):
                return None
            is_owned = claim is not None and not claim.generated
            rule = noisy_rule(entry, owned=is_owned, exists=lambda _path: True)
            is_noise = rule and (rule.file_class in _NOT_KEPT or entry.size > STATE_LIMIT)
            if is_noise and not self._is_wanted(entry.path):
                return None
            return _Spool(self._store.writer(), self._spooled)

        return keep if self._target.is_streaming else lambda _entry: None

    def settle(self, row: Row, *, is_stated: bool) -> Row:
        """Put the content of a ``blob`` row into the store and return the row, changed if need be.

        `is_stated`: a package states the content of the path.  Everything else passes the gate
        first, and is not kept where a published package has it.  The source of content that changed
        since it was hashed, or can no longer be read, becomes ``observed``, with a gap.
        """
        row = self._members.held(row)
        if not row.source.startswith("blob "):
            if row.file_class is FileClass.CONFFILE and 0 < row.entry.size <= _SETTING_LIMIT:
                self._keep_pristine(row.entry)
            return row
        entry = row.entry
        is_published = is_stated and row.file_class in PUBLISHED
        try:
            # What a package holds is public, whatever it looks like.
            if source := self._members.source(row, lambda: self._beginning(entry)):
                return row._replace(source=source)
            judged = CLEAN if is_published else self.gate.judge(entry)
            if judged.kind is FileKind.PUBLIC:
                self._keep(entry)
                return row
        except OSError as error:
            self._gaps.append(Gap(entry.path, describe(error)))
            return row._replace(source="observed")
        settled = self.gate.settle(row, judged)
        if judged.kind is FileKind.REDACTED:
            self._store.put(judged.content)
            self._count(settled.entry)
        return settled

    def keep_state(self, row: Row) -> Row:
        """Put the content of a file of data that is taken whole into the store, unjudged.

        Raise StateInUseError when it changed meanwhile or cannot be read: the data would be torn.
        """
        if row.source.startswith("blob ") and row.entry.sha256:
            try:
                self._keep(row.entry)
            except OSError as error:
                raise _torn(row.entry, describe(error)) from error
        elif row.entry.type is EntryType.FILE and row.source.startswith("blob"):
            raise _torn(row.entry, "cannot be read")
        return row

    def count(self, row: Row) -> None:
        """Count the content of a replayed row, which is not at hand."""
        if row.source.startswith(("blob ", REDACTED)):
            self._count(row.entry)

    def finish(self) -> None:
        """Drop content that was spooled and turned out not to be needed."""
        self._store.discard(self._spooled - self._kept)

    def open(self, entry: Entry) -> BinaryIO:
        """Open a scanned file, from the store where it is there and the target is a stream."""
        is_held = self._target.is_streaming and self._store.holds(entry.sha256, entry.size)
        if entry.sha256 in self._spooled or is_held:
            return BytesIO(self._store.read(entry.sha256))
        return self._target.open(entry.path)

    def put_tree(self, pieces: Sequence[bytes | memoryview]) -> str:
        """Store the canonical bytes of the tree object; return their digest."""
        digest = self._store.put_packed(*pieces)
        self._kept.add(digest)
        return digest

    def _keep(self, entry: Entry) -> None:
        """Keep one file's content.

        Raise OSError when it cannot be read any more or is no longer what was hashed.
        """
        if entry.sha256 not in self._kept and not self._store.holds(entry.sha256, entry.size):
            if entry.size > WHOLE:
                self._copy(entry)
            else:
                content = self._content(entry)
                if hashlib.sha256(content).hexdigest() != entry.sha256:
                    raise OSError(0, CHANGED)
                self._store.put(content)
        self._count(entry)

    def _keep_pristine(self, entry: Entry) -> None:
        # Not needed for a rebuild: what cannot be kept is no gap.
        if self._store.holds(entry.sha256, entry.size):
            self._kept.add(entry.sha256)
            return
        with suppress(OSError):
            content = self._content(entry)
            if hashlib.sha256(content).hexdigest() == entry.sha256:
                self._store.put(content)
                self._kept.add(entry.sha256)

    def _count(self, entry: Entry) -> None:
        self._kept.add(entry.sha256)
        if entry.sha256 not in self._counted:
            self._counted.add(entry.sha256)
            self.size += entry.size

    def _content(self, entry: Entry) -> bytes:
        if entry.sha256 in self._spooled:
            return self._store.read(entry.sha256)
        with self._target.open(entry.path) as stream:
            return stream.read(WHOLE + 1)

    def _beginning(self, entry: Entry) -> bytes:
        with self.open(entry) as stream:
            return stream.read(_HEAD)

    def _copy(self, entry: Entry) -> None:
        writer = self._store.writer()
        try:
            with self._target.open(entry.path) as stream:
                for chunk in _pieces(stream, entry.size):
                    writer.write(chunk)
        except BaseException:
            writer.abort()
            raise
        if writer.close() != entry.sha256:
            raise OSError(0, CHANGED)


def _torn(entry: Entry, reason: str) -> StateInUseError:
    return StateInUseError(
        f"data that was to be kept whole would be torn: {reason}",
        where=entry.path,
        hint="stop the server and capture again, as a user who may read its files",
    )


def _pieces(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the content of a file.  Raise OSError when it is longer: it may grow for ever."""
    while chunk := stream.read(_CHUNK):
        size -= len(chunk)
        if size < 0:
            raise OSError(0, CHANGED)
        yield chunk


def _is_elsewhere(claim: Claim) -> bool:
    return bool(claim.digest and claim.source)


def _is_setting(claim: Claim, entry: Entry) -> bool:
    return claim.conffile and entry.size <= _SETTING_LIMIT


class _Spool:
    """An object writer that remembers what it wrote."""

    def __init__(self, writer: ObjectWriter, spooled: set[str]) -> None:
        self._writer = writer
        self._spooled = spooled
        self.write = writer.write
        self.abort = writer.abort

    def close(self) -> None:
        """Finish the object and remember its digest."""
        self._spooled.add(self._writer.close())
