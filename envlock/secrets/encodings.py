"""Read files as text in the encodings that settings have, and write them back byte for byte."""

from __future__ import annotations

import codecs
from typing import NamedTuple

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDTHS = {"utf-32-le": 4, "utf-32-be": 4, "utf-16-le": 2, "utf-16-be": 2}
_PROBE = 8192
_CONTROLS = bytes((*range(9), *range(14, 27), *range(28, 32), 127))
_HIGH = bytes(range(128, 256))


class Text(NamedTuple):
    """The text of a file, its encoding, and bytes at the end that are no whole character."""

    text: str
    encoding: str
    rest: bytes = b""

    def encode(self, text: str) -> bytes:
        """Return another text in the same encoding, with the same bytes at its end."""
        return text.encode(self.encoding, _errors(self.encoding)) + self.rest


def decode_text(content: bytes) -> Text | None:
    """Return content as text, or None if it is binary.

    `content` may be the beginning of a file.  Encoding the text gives the same bytes again.

    >>> decode_text("password = x".encode("utf-16-le")).encoding
    'utf-16-le'
    """
    for encoding in _candidates(content):
        width = _WIDTHS.get(encoding, 1)
        whole = len(content) - len(content) % width
        try:
            text = content[:whole].decode(encoding, _errors(encoding))
        except UnicodeDecodeError:
            continue
        return Text(text, encoding, content[whole:])
    return None


def _candidates(content: bytes) -> list[str]:
    """Return the encodings in which content may be, the likeliest first."""
    marked = [encoding for mark, encoding in _MARKS if content.startswith(mark)]
    if marked:
        return marked
    head = content[:_PROBE]
    if b"\0" in head and (encoding := _utf_16_of(head)):
        return [encoding]
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls * 20 >= max(len(head), 1):
        return []
    try:
        codecs.utf_8_decode(head, "strict", False)
    except UnicodeDecodeError:
        high = len(head) - len(head.translate(None, _HIGH))
        return [] if high * 10 > len(head) * 3 else ["latin-1"]
    return ["utf-8"]


def _utf_16_of(head: bytes) -> str:
    """Return which UTF-16 text without a mark is in: every other byte of ASCII in it is zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd * 10 > len(head) * 3 and even * 20 < odd:
        return "utf-16-le"
    return "utf-16-be" if even * 10 > len(head) * 3 and odd * 20 < even else ""


def _errors(encoding: str) -> str:
    """Return how bytes that are no text survive being read and written again."""
    return "surrogateescape" if encoding == "utf-8" else "surrogatepass"
