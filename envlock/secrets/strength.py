"""How much a value looks like a secret, whatever its name."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache

from envlock.secrets.placeholders import has_odd_case, is_placeholder, looks_random

LONGEST = 4096
"""Of longer values only so many characters are judged."""


class Strength(IntEnum):
    """How much a value looks like a secret."""

    NONE = 0
    """A placeholder, switch, small number, path or text."""
    WORD = 1
    """One word or identifier: a weak password, or the name of something."""
    MIXED = 2
    """Letters with digits or signs, or several words: `hunter2`, `correct horse`."""
    RANDOM = 3
    """At least 16 characters that no one would choose as a name."""
    NEVER = 4
    """More than any value has."""


_SCHEME = re.compile(
    r"(?:basic|bearer|token|bot|digest|negotiate|api-?key|key|splunk|genie(?:key)?|sso-key)"
    r"[ \t]{1,8}",
    re.IGNORECASE,
)
_WORD = re.compile(r"_{0,2}[^\W\d_](?:[^\W\d]|[.-]){0,255}")


@lru_cache(maxsize=4096)
def measure(value: str) -> Strength:
    """Return how much a value looks like a secret; a scheme before it (`Bearer x`) is no part.

    >>> [measure(value).name for value in ("${KEY}", "letmein", "hunter2", "aZ3kd02mfQpq91xx")]
    ['NONE', 'WORD', 'MIXED', 'RANDOM']
    """
    text = _SCHEME.sub("", value[:LONGEST].strip(), count=1)
    if len(text) < 2 or is_placeholder(text):
        return Strength.NONE
    if len(text.split(maxsplit=1)) > 1:
        return Strength.MIXED
    if looks_random(text):
        return Strength.RANDOM
    if _WORD.fullmatch(text):
        return Strength.MIXED if len(text) > 7 and has_odd_case(text) else Strength.WORD
    return Strength.MIXED
