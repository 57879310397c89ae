"""Where a package came from, in a form that may be written down."""

from __future__ import annotations

import re
from collections.abc import Mapping

LOCAL = "local"
"""The origin of what was installed from a folder or file of the machine itself."""

_QUERY = re.compile(r"[?#].*", re.DOTALL)
_TOKEN = re.compile(r"/t/[^/]+(?=/|\Z)")
_USER = re.compile(r"(?<=://)[^/]*@")
_LOCAL = ("file:", "link:", "portal:", "/", ".")


def clean_origin(url: str) -> str:
    """Return `url` without credentials, query and fragment; a local path is only called that.

    Conda channels carry their token as ``/t/TOKEN/`` in the path.

    >>> clean_origin("https://user:pw@example.org/t/abc/main?sig=1")
    'https://example.org/main'
    """
    if url.startswith(_LOCAL):
        return LOCAL
    return _TOKEN.sub("", _QUERY.sub("", strip_user(url)))


def strip_user(text: str) -> str:
    """Return `text` with everything before the host taken out of every URL in it."""
    return _USER.sub("", text) if "://" in text else text


def clean_facts(facts: Mapping[str, str]) -> dict[str, str]:
    """Return the facts that say something, without credentials in any URL."""
    return {name: strip_user(value) for name, value in facts.items() if value}
