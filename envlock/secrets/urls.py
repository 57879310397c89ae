"""Remove credentials from URLs, and bring the origins of packages into a form to record."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

LOCAL = "local"
"""The origin of a package that was installed from a directory or file of the machine."""

_QUERY = re.compile(r"[?#].*", re.DOTALL)
_TOKEN = re.compile(r"/t/[^/]+(?=/|\Z)")
_USER = re.compile(r"(?<=://)[^/]*@")
_USERINFO = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]{0,30}://)[^\s/?#\"']*@")
_AUTHORITY_END = re.compile(r"[/?#\s\"']")
_SCHEME = f"{string.ascii_letters}{string.digits}+.-"
_TOKEN_LENGTH = 16
_LOCAL = ("file:", "link:", "portal:", "/", ".")


def clean_origin(url: str) -> str:
    """Return `url` without credentials, query and fragment, or `LOCAL` for a local path.

    The URLs of Conda channels contain their token as ``/t/TOKEN/`` in the path.

    >>> clean_origin("https://user:pw@example.org/t/abc/main?sig=1")
    'https://example.org/main'
    """
    if url.startswith(_LOCAL):
        return LOCAL
    return _TOKEN.sub("", _QUERY.sub("", strip_user(url)))


def strip_user(text: str) -> str:
    """Return `text` without anything before the host in any URL."""
    return _USER.sub("", text) if "://" in text else text


def clean_facts(facts: Mapping[str, str]) -> dict[str, str]:
    """Return the facts that are not empty, without credentials in any URL."""
    return {name: strip_user(value) for name, value in facts.items() if value}


def strip_credentials(text: str) -> str:
    """Return `text` without user and password in any URL."""
    return _USERINFO.sub(r"\1", text)


def holds_credentials(text: str) -> bool:
    """True when a URL in `text` has a password, or in place of a user what may be a token."""
    before, *rest = text.split("://")
    for part in rest:
        *users, _host = _AUTHORITY_END.split(part, maxsplit=1)[0].split("@")
        if any(":" in user for user in users) and _ends_with_scheme(before):
            return True
        if users and len(users[0]) >= _TOKEN_LENGTH and ":" not in users[0]:
            return True
        before = part
    return False


def _ends_with_scheme(text: str) -> bool:
    return any(char.isalpha() for char in text[len(text.rstrip(_SCHEME)) :])
