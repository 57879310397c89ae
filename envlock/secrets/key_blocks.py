"""Blocks of private keys in text: PEM, OpenPGP, SSH2, OpenVPN and PuTTY."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.secrets.placeholders import is_placeholder
from envlock.secrets.spans import Span

PRIVATE_KEY = "private-key"

LONGEST = 131_072
"""A block that is longer ends there."""

_BEGIN = re.compile(
    r"-{4,5} ?BEGIN (?:[A-Z0-9]{1,16} ){0,4}(?:PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V\d)"
    r" ?-{4,5}"
)
_END = re.compile(r"-{4,5} ?END [A-Za-z0-9 ]{1,64}-{4,5}")
_HEADER = re.compile(r"(?:\A|\n|\\n)[ \t]{0,64}[A-Za-z-]{2,32}: [^\n\\]{0,200}")
_LAYOUT = re.compile(r"\\[nrt]|[\s\"'`+\\,|>#*;-]")
_BODY = re.compile(r"[A-Za-z0-9+/]{8,}+={0,2}(?:=[A-Za-z0-9+/]{4})?")
_UNENDED = re.compile(
    r"(?:[\s\"'\\>|#-]|\\[nr]){0,64}+(?P<body>[A-Za-z0-9+/=]{40,}+[A-Za-z0-9+/=\s\\]*+)"
)
_CUT_OFF = re.compile(
    r"\r?\n(?P<body>[A-Za-z0-9+/=_.-]{8,512}+(?:\r?\n[A-Za-z0-9+/=_.-]{1,512}+){0,512}+)\s*+\Z"
)
"""The rest of a text after the first line of a key whose last line is missing."""
_PUTTY = re.compile(
    r"Private-Lines: \d{1,4}\r?\n(?P<body>[A-Za-z0-9+/=]{16,128}+\r?\n?"
    r"(?:[A-Za-z0-9+/=]{1,128}+\r?\n?){0,256}+)"
)


def key_block_spans(text: str) -> Iterator[Span]:
    """Yield every private key in `text`, with the lines that begin and end it."""
    if "PRIVATE KEY" in text or "Static key" in text:
        at = 0
        while found := _BEGIN.search(text, at):
            end = _end_of_block(text, found.end())
            if end > found.end():
                yield Span(found.start(), end, PRIVATE_KEY)
            at = max(found.end(), end)
    if "Private-Lines: " in text:
        for found in _PUTTY.finditer(text):
            yield Span(*found.span("body"), PRIVATE_KEY)


def _end_of_block(text: str, start: int) -> int:
    """Return where the block whose first line ends at `start` ends, or `start`: it holds no key."""
    ended = _END.search(text, start, start + LONGEST)
    again = _BEGIN.search(text, start, ended.start() if ended else start)
    if ended and not again:
        return ended.end() if _is_key(text[start : ended.start()]) else start
    cut = _UNENDED.match(text, start, start + LONGEST) or _CUT_OFF.match(text, start)
    return cut.end("body") if cut and not is_placeholder(cut["body"]) else start


def _is_key(body: str) -> bool:
    """Return whether what stands between the two lines is a key, and no text about one."""
    if "..." in body or "\N{HORIZONTAL ELLIPSIS}" in body:
        return False
    letters = _LAYOUT.sub("", _HEADER.sub("", body))
    return bool(_BODY.fullmatch(letters)) and not is_placeholder(letters)
