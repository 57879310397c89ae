"""The ``WWW-Authenticate`` header: which ways of authentication a registry offers.

Source: RFC 9110, 11.6.1.  Values may be quoted and contain commas; several challenges may share
one header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

LIMIT = 8192
"""Longest header in characters that is read; what is beyond is cut off."""

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}"
_PIECE = re.compile(
    rf"(?P<scheme>{_TOKEN})(?=[ ]|,|\Z)(?![ ]*=)|(?P<name>{_TOKEN})[ ]?=[ ]?"
    rf'(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<plain>{_TOKEN}))'
)


class Challenge(NamedTuple):
    """One way to authenticate: its scheme in small letters, and its parameters."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Return the challenges of a header in order; what cannot be understood is left out."""
    found: list[tuple[str, dict[str, str]]] = []
    for piece in _PIECE.finditer(header[:LIMIT]):
        scheme = piece["scheme"]
        if scheme:
            found.append((scheme.lower(), {}))
        elif found:
            quoted = piece["quoted"]
            value = piece["plain"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            found[-1][1].setdefault(piece["name"].lower(), value)
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)
