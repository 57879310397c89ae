"""Keyed fingerprints of values that are not recorded, so that two locks can still compare them.

A fingerprint is an HMAC under a key that is in no repository and no lock.  Without the key nothing
can be learned from it; whoever has the key could guess a short value, so that none is made of one.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections import Counter
from os import urandom

from envlock.model.text import to_bytes

KEY_BYTES = 32
_LEAST_LENGTH = 16
_LEAST_BITS = 48
_DIGITS = 32
_FINGERPRINT = re.compile(r"[0-9a-f]{8}:[0-9a-f]{32}\Z")


class ValueKey:
    """A key, and the id by which its fingerprints are told from those of another key.

    A key in memory only (`is_shared` False) is forgotten at the end of a comparison, so that even
    short values may be compared with it.
    """

    def __init__(self, raw: bytes, *, is_shared: bool = True) -> None:
        self._raw = raw
        self._is_shared = is_shared
        self._id = hmac.new(raw, b"envlock key id", hashlib.sha256).hexdigest()[:8]

    @classmethod
    def in_memory(cls) -> ValueKey:
        """Return a random key for one comparison of live targets; it is never written."""
        return cls(urandom(KEY_BYTES), is_shared=False)

    def __repr__(self) -> str:
        """Return the id; a snapshot of a capture is valid for one key."""
        return f"ValueKey({self._id if self._is_shared else 'in memory'})"

    def fingerprint(self, name: str, value: str) -> str:
        """Return ``ID:HMAC`` of a value, empty for one that could be guessed with the key."""
        if not value or (self._is_shared and not is_unguessable(value)):
            return ""
        text = to_bytes(f"{name}\0{value}")
        return f"{self._id}:{hmac.new(self._raw, text, hashlib.sha256).hexdigest()[:_DIGITS]}"


def is_unguessable(value: str) -> bool:
    """Return whether a value is long and varied enough that it cannot be found by trying.

    >>> is_unguessable("hunter2"), is_unguessable("a" * 40), is_unguessable("Zk3jfu39Gh28sLq0")
    (False, False, True)
    """
    counted = Counter(value).values()
    bits = -sum(count * math.log2(count / len(value)) for count in counted)
    return len(value) >= _LEAST_LENGTH and bits >= _LEAST_BITS


def is_fingerprint(text: str) -> bool:
    """Return whether a text has the form of a fingerprint, ``ID:HMAC``."""
    return _FINGERPRINT.match(text) is not None


def key_id(fingerprint: str) -> str:
    """Return the id of the key of a fingerprint."""
    return fingerprint.partition(":")[0]
