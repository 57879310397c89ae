"""The registry of PEAR and PECL: a file of serialized PHP values for each package.

Sources: PEAR, ``PEAR/Registry.php`` (``.registry/*.reg``); PHP manual, ``serialize``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_DEEPEST = 60
_SCALAR = re.compile(rb"(?:N|b:[01]|i:-?\d{1,20}|d:[-+.\w]{1,40});")
_HEAD = re.compile(rb"([as]):(\d{1,9}):")

Value = str | dict[str, object] | None


class PearPackage(NamedTuple):
    """A package: its version, the stability of its release, and the channel it is from."""

    name: str
    version: str
    stability: str
    channel: str
    files: tuple[str, ...]


def parse_registry(raw: bytes) -> PearPackage | None:
    """Return the package of a registry file, or None when the bytes are not one."""
    try:
        document, _ = _value(raw, 0, 0)
    except (ValueError, IndexError):
        return None
    name, version = _text(document, "name"), _text(document, "version", "release")
    if not name or not version:
        return None
    filelist = document.get("filelist") if isinstance(document, dict) else None
    files = [
        _text(facts, "installed_as")
        for facts in (filelist.values() if isinstance(filelist, dict) else ())
    ]
    return PearPackage(
        name=name,
        version=version,
        stability=_text(document, "stability", "release"),
        channel=_text(document, "channel"),
        files=tuple(sorted(path for path in files if path.startswith("/"))),
    )


def _text(document: object, *path: str) -> str:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, str) else ""


def _value(raw: bytes, at: int, depth: int) -> tuple[object, int]:
    """Return the value that begins at `at`, and the offset of its end.

    Numbers, truth values and null are texts or None: nothing here needs them.  Raise ValueError for
    anything malformed, objects included.
    """
    scalar = _SCALAR.match(raw, at)
    if scalar:
        return scalar[0][2:-1].decode("ascii"), scalar.end()
    head = _HEAD.match(raw, at)
    if head is None or depth > _DEEPEST:
        raise ValueError("not a serialized value")
    size, at = int(head[2]), head.end()
    if head[1] == b"s":
        end = at + 1 + size
        if raw[at : at + 1] != b'"' or raw[end : end + 2] != b'";':
            raise ValueError("a text of another length")
        return raw[at + 1 : end].decode("utf-8", "surrogateescape"), end + 2
    if raw[at : at + 1] != b"{":
        raise ValueError("an array without its begin")
    at += 1
    found: dict[str, object] = {}
    for _ in range(size):
        key, at = _value(raw, at, depth + 1)
        found[str(key)], at = _value(raw, at, depth + 1)
    if raw[at : at + 1] != b"}":
        raise ValueError("an array without its end")
    return found, at + 1
