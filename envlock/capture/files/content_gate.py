"""The gate for the content of files: what of each may be recorded, stored or hashed.

A digest of a secret file is a disclosure like its content, since a short secret can be guessed.  So
every file whose digest or content would leave a capture passes here first, at every depth, unless
a package publishes exactly that content.  Detection is in `envlock.secrets.files`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from envlock.capture.files.classify import hide
from envlock.capture.files.gate_rules import gate_rules_id
from envlock.capture.files.packed_secrets import packed_rule
from envlock.capture.time_limit import OutOfTime, TimeLimit
from envlock.model.tree import OBSERVED, REDACTED, Entry, FileClass, Row
from envlock.secrets.files import FileKind, Judgement, judge_file
from envlock.secrets.settings import Finding
from envlock.secrets.stream import redact_stream
from envlock.targets.base import HashCache

WHOLE = 1024 * 1024
"""Files up to this size in bytes are judged as a whole, larger ones piece by piece."""
REDACTED_LIMIT = 64 * 1024 * 1024
"""Largest file in bytes of which only the secrets are left out; a larger one is all secret."""
_PIECE = 256 * 1024
_PROBE = 8192
CHANGED = "changed while it was captured"
_TOO_SLOW = "took-too-long"
CLEAN = Judgement(FileKind.PUBLIC)

PUBLISHED = frozenset({FileClass.PACKAGE, FileClass.CONFFILE})
"""Classes whose content, where a package states its digest, is published and so no secret."""


class ContentGate:
    """Judges files, and remembers in the stat cache which contents were found clean.

    `open_file` opens the file of an entry.  `seconds` is the longest that one file may take;
    `is_repeatable` is False once one took longer, which it may not do the next time.
    """

    def __init__(
        self,
        open_file: Callable[[Entry], BinaryIO],
        cache: HashCache | None,
        seconds: float,
    ) -> None:
        self._open = open_file
        self._cache = cache
        self._seconds = seconds
        self.is_repeatable = True
        self.left_out: dict[str, str] = {}
        """Paths of secret files, with the rule that says so."""
        self.redacted: dict[str, str] = {}
        """Paths of files that are kept without their secret values, with the first rule."""

    def judge(self, entry: Entry) -> Judgement:
        """Return what may be recorded of a regular file.

        Raise OSError when it cannot be read, or changed since it was hashed.
        """
        cache = self._cache
        if cache is not None and cache.is_clean(entry.path, entry.sha256, gate_rules_id()):
            return CLEAN
        limit = TimeLimit(self._seconds)
        try:
            with limit:
                judged = self._judge(entry)
        except OutOfTime:
            self.is_repeatable = False
            judged = Judgement(FileKind.SECRET, _TOO_SLOW)
        finally:
            limit.stop()
        if cache is not None:
            if judged.kind is FileKind.PUBLIC:
                cache.mark_clean(entry.path, entry.sha256, gate_rules_id())
            else:
                cache.forget(entry.path)
        return judged

    def settle(self, row: Row, judged: Judgement) -> Row:
        """Return the row with what may be recorded of its file."""
        if judged.kind is FileKind.PUBLIC:
            return row
        if judged.kind is FileKind.SECRET:
            self.left_out[row.entry.path] = judged.rule
            source = f"{OBSERVED} {judged.rule}"
            return Row(hide(row.entry), FileClass.SECRET, row.owner, source)
        sha256 = hashlib.sha256(judged.content).hexdigest()
        entry = hide(row.entry)._replace(sha256=sha256, size=len(judged.content))
        self.redacted[row.entry.path] = judged.rule
        return row._replace(entry=entry, source=f"{REDACTED}{sha256}")

    def _judge(self, entry: Entry) -> Judgement:
        with self._open(entry) as stream:
            if entry.size > WHOLE:
                return _judge_large(entry, stream)
            content = stream.read(WHOLE + 1)
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            raise OSError(0, CHANGED)
        judged = judge_file(entry.path, mode=entry.mode, content=content, size=entry.size)
        return _with_what_is_packed(entry, judged, [content])


def _with_what_is_packed(entry: Entry, judged: Judgement, chunks: Iterable[bytes]) -> Judgement:
    """Return a judgement of a file, given one without a look at what is packed in it."""
    if judged.kind is FileKind.PUBLIC and (rule := packed_rule(entry.path, entry.size, chunks)):
        return Judgement(FileKind.SECRET, rule)
    return judged


def _judge_large(entry: Entry, stream: BinaryIO) -> Judgement:
    """Judge a large file: a binary one by its name and beginning, a text piece by piece.

    Up to `REDACTED_LIMIT` only its secrets are left out.  Raise OSError when it is no longer what
    was hashed.
    """
    head = stream.read(_PIECE)
    judged = judge_file(entry.path, mode=entry.mode, content=head, size=entry.size)
    if judged.kind is FileKind.SECRET or b"\0" in head[:_PROBE]:
        chunks = chain([head], iter(lambda: stream.read(_PIECE), b""))
        return _with_what_is_packed(
            entry, judged if judged.kind is FileKind.SECRET else CLEAN, chunks
        )
    digest = hashlib.sha256(head)
    held: list[bytes] = []
    findings: list[Finding] = []
    for piece in redact_stream(entry.path, chain([head], _rest(stream, digest))):
        findings += piece.findings
        if findings and entry.size > REDACTED_LIMIT:
            return Judgement(FileKind.SECRET, findings[0].rule)
        if entry.size <= REDACTED_LIMIT:
            held.append(piece.content)
    if digest.hexdigest() != entry.sha256:
        raise OSError(0, CHANGED)
    if not findings:
        return CLEAN
    return Judgement(FileKind.REDACTED, findings[0].rule, b"".join(held), tuple(findings))


def _rest(stream: BinaryIO, digest: hashlib._Hash) -> Iterator[bytes]:
    while piece := stream.read(_PIECE):
        digest.update(piece)
        yield piece
