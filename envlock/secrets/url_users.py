"""Passwords, and tokens in place of a user, in URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.secrets.placeholders import looks_random, stands_for_secret
from envlock.secrets.spans import Span

URL_CREDENTIALS = "url-credentials"

_LONGEST = 65_536
_END = re.compile(r"[\s\"'`<>\\]|://")
_PATH = re.compile(r"[/?#]")
_USER = re.compile(r"[\w.%+~-]{0,128}")
_HOST = re.compile(r"[\w\[]")
_FULL_HOST = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,16}|[\w-]{1,63}:\d|\[|localhost")
_PORT = re.compile(r"\d{1,5}(?:[/?#]|\Z)")


def url_user_spans(text: str) -> Iterator[Span]:
    """Yield the password of every URL in `text`, or its user where that is a token.

    A password may hold characters that should have been escaped (`/`, `#`, `?`, `@`, `:`); a port
    and an `@` in a path are told from one.
    """
    at = text.find("://")
    while at >= 0:
        start = at + 3
        if at and text[at - 1].isalnum():
            stop = _END.search(text, start, start + _LONGEST)
            end = stop.start() if stop else min(len(text), start + _LONGEST)
            if "@" in text[start:end]:
                yield from _user_spans(text, start, end)
        at = text.find("://", start)


def _user_spans(text: str, start: int, end: int) -> Iterator[Span]:
    path = _PATH.search(text, start, end)
    sign = text.rfind("@", start, path.start() if path else end)
    last = text.rfind("@", start, end)
    colon = text.find(":", start, sign if sign >= 0 else end)
    if last > sign and _is_odd_password(text, start, colon, sign, last, end):
        sign = last
    if sign < 0:
        return
    if colon >= 0 and colon + 1 < sign and not stands_for_secret(text[colon + 1 : sign]):
        yield Span(colon + 1, sign, URL_CREDENTIALS)
    user_end = colon if colon >= 0 else sign
    if looks_random(text[start:user_end]):
        yield Span(start, user_end, URL_CREDENTIALS)


def _is_odd_password(text: str, start: int, colon: int, first: int, last: int, end: int) -> bool:
    """Return whether what stands before the `last` @ is a password with odd characters.

    The `first` @ before the path, if there is one, is then part of it: behind it stands no host.
    """
    if colon < 0 or not _USER.fullmatch(text, start, colon) or not _HOST.match(text, last + 1, end):
        return False
    if first >= 0:
        return text[last - 1] != "/" and not _FULL_HOST.match(text, first + 1, end)
    return not _PORT.match(text, colon + 1, end)
