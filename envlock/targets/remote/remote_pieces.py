"""Parts of many files of a remote machine in a few round trips, and digests computed there."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from envlock.targets.base import Place
from envlock.targets.remote.conversation import Conversation, batches_of
from envlock.targets.remote.ssh_remote import FOLLOW, PIECE_LIMIT, SHA256

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_PLACES = 16
"""Most pieces of one file in a request: with this a request stays as small as the others."""


def fetch_pieces(
    conversation: Conversation, wanted: Mapping[str, Sequence[Place]]
) -> dict[str, dict[Place, bytes]]:
    """Return the pieces of each file that can be read; see `BatchedTarget.pieces`."""
    found: dict[str, dict[Place, bytes]] = {}
    rows = [
        (path, tuple(places[at : at + _PLACES]))
        for path, places in wanted.items()
        if "\0" not in path
        for at in range(0, len(places), _PLACES)
    ]
    replies = _Replies(conversation)
    for value in conversation.replies(replies.requests(rows), replies.take):
        path, places = replies.expected()
        pieces = replies.parse(value, path, places)
        if pieces is not None:
            found.setdefault(path, {}).update(zip(places, pieces, strict=True))
    return found


class _Replies:
    """What was asked for and is not answered yet, and the bytes that came for it."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._pending: deque[tuple[str, tuple[Place, ...]]] = deque()
        self._content = bytearray()

    def requests(
        self, rows: Iterable[tuple[str, tuple[Place, ...]]]
    ) -> Iterator[Mapping[str, object]]:
        """Yield the requests for these pieces."""
        for batch in batches_of(rows, lambda row: f"{row[0]}{' ' * 24 * len(row[1])}"):
            self._pending.extend(batch)
            yield {"do": "pieces", "files": [[path, list(places)] for path, places in batch]}

    def take(self, content: bytes) -> None:
        """Take content; more than was asked for is no valid reply."""
        self._content += content
        if len(self._content) > _PLACES * PIECE_LIMIT:
            raise self._conversation.unexpected_reply()

    def expected(self) -> tuple[str, tuple[Place, ...]]:
        """Return what the next reply is about."""
        if not self._pending:
            raise self._conversation.unexpected_reply()
        return self._pending.popleft()

    def parse(self, value: list[Any], path: str, places: Sequence[Place]) -> list[bytes] | None:
        """Return the pieces that came, None when the file cannot be read.  Raise TargetError."""
        content, self._content = bytes(self._content), bytearray()
        if len(value) != 3 or value[0] != path or type(value[1]) is not int:
            raise self._conversation.unexpected_reply()
        if value[1]:
            return None
        sizes = value[2]
        is_sound = (
            isinstance(sizes, list)
            and len(sizes) == len(places)
            and all(
                type(size) is int and 0 <= size <= most
                for size, (_, most) in zip(sizes, places, strict=True)
            )
            and sum(sizes) == len(content)
        )
        if not is_sound:
            raise self._conversation.unexpected_reply()
        pieces, at = [], 0
        for size in sizes:
            pieces.append(content[at : at + size])
            at += size
        return pieces


def fetch_digests(conversation: Conversation, paths: Iterable[str], limit: int) -> dict[str, str]:
    """Return the SHA-256 of each file that can be read, as hex, computed on the other machine.

    A file of more than `limit` bytes has none.
    """
    asked = (
        {"do": "read", "files": [[path, SHA256 | FOLLOW] for path in batch], "limit": limit}
        for batch in batches_of(path for path in paths if "\0" not in path)
    )
    found: dict[str, str] = {}
    for file in map(conversation.parse_file, conversation.replies(asked)):
        if not file.errno:
            if not _SHA256.match(file.sha256):
                raise conversation.unexpected_reply()
            found[file.path] = file.sha256
    return found
