"""Replace the secrets of a file that is too large to be held, in pieces that end with a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from envlock.secrets.encodings import Text, decode_text
from envlock.secrets.reading import reading_of
from envlock.secrets.settings import Finding, redact_text

PIECE = 1_048_576
"""Bytes that are judged at once."""
_MARGIN = 131_072
"""Bytes at the end of a piece among which a good place to cut it is looked for."""
_HEAD = 256


class Piece(NamedTuple):
    """A part of a file without its secrets, and what was replaced in it."""

    content: bytes
    findings: tuple[Finding, ...]


def redact_stream(path: str, chunks: Iterable[bytes]) -> Iterator[Piece]:
    """Yield the content of a text file without its secrets, in order; a binary file as it is.

    A piece ends before a line that begins at the margin, and not within a private key, so that
    values of several lines stay together.  Lines are counted from the beginning of each piece.
    """
    held, encoding, reading = b"", "", None
    for is_last, content in _gathered(chunks):
        held += content
        text = decode_text(held) if not encoding else _decode_as(held, encoding)
        if text is None:
            yield Piece(held, ())
            held = b""
            continue
        encoding = text.encoding
        reading = reading or reading_of(path, text.text[:_HEAD])
        cut = len(text.text) if is_last else cut_of(text.text)
        redacted = redact_text(text.text[:cut], reading, path)
        rest = b"" if is_last else text.rest
        yield Piece(
            text._replace(rest=b"").encode(redacted.text) + (text.rest if is_last else b""),
            redacted.findings,
        )
        held = text._replace(rest=rest).encode(text.text[cut:])


def _gathered(chunks: Iterable[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Yield chunks of at least `PIECE` bytes, each with whether it is the last."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= PIECE:
            yield False, b"".join(held)
            held, size = [], 0
    yield True, b"".join(held)


def _decode_as(content: bytes, encoding: str) -> Text:
    """Return a later piece of a file, in the encoding of the first."""
    width = {"utf-16": 2, "utf-32": 4}.get(encoding[:6], 1)
    whole = len(content) - len(content) % width
    errors = "surrogateescape" if encoding == "utf-8" else "surrogatepass"
    try:
        return Text(content[:whole].decode(encoding, errors), encoding, content[whole:])
    except UnicodeDecodeError:  # UTF-32 has codes that are no characters
        return Text(content.decode("latin-1"), "latin-1")


def cut_of(text: str) -> int:
    """Return where a piece of text may end: before a line at the margin, and before an open key."""
    start = max(0, len(text) - _MARGIN)
    key = text.rfind("-----BEGIN ", start)
    if key >= 0 and text.find("-----END ", key) < 0:
        return (text.rfind("\n", 0, key) + 1 or key) or len(text)
    at = len(text)
    while (at := text.rfind("\n", start, at)) >= 0:
        if text[at + 1 : at + 2].strip():
            return at + 1
    return len(text)
