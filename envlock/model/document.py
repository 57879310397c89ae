"""Parse JSON and TOML of any origin within limits; every defect is the error that callers expect.

The parsers of the standard library raise RecursionError for deep nesting and a plain ValueError for
integers of thousands of digits.  A value takes up to a hundred times the memory of its text, so the
number of values is limited before anything is parsed.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 200
"""Most levels of nesting."""
MAX_KEYS = 32
"""Most keys that dots join in TOML, on which the parser spends the square of their number."""
MAX_VALUES = 2_000_000
"""Most commas of a document, which bound the number of its values."""

_DEEP = "nested too deeply"
_MANY = "more than {:,} values"
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|u([dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""An escape of JSON; a surrogate that is not one of a pair is its group."""
_TOML = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?|\'\'\'(?:[^\']|\'(?!\'\'))*+(?:\'\'\')?'
    r'|"(?:[^"\\\n]|\\.)*+"?|\'[^\'\n]*+\'?|#[^\n]*+|[\[\]{}.\n,=]|0[xob][0-9a-fA-F_]{64}',
    re.DOTALL,
)
"""The marks of a TOML document that nest.  Strings and comments, in which they do not, are whole; a
string without an end reaches to the end, so that no text is looked through twice."""


def parse_json(
    raw: bytes | str,
    *,
    max_values: int = MAX_VALUES,
    pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
) -> Any:
    """Return the parsed JSON value.  Raise ValueError if `raw` is not JSON, or too much of it.

    Escapes of lone surrogates, which no text can hold, become U+FFFD; those that stand for bytes
    which are not UTF-8 (*surrogateescape*) are kept.
    """
    text = raw.decode(json.detect_encoding(raw)) if isinstance(raw, bytes) else raw
    if text.count(",") > max_values:
        raise ValueError(_MANY.format(max_values))
    if "\\ud" in text or "\\uD" in text:
        text = _ESCAPE.sub(_without_lone_surrogate, text)
    try:
        value = json.loads(text, object_pairs_hook=pairs_hook)
    except RecursionError as error:
        raise ValueError(_DEEP) from error
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise ValueError(_DEEP)
    return value


def _without_lone_surrogate(escape: re.Match[str]) -> str:
    lone = escape[1]
    return escape[0] if lone is None or 0xDC80 <= int(lone, 16) <= 0xDCFF else "\\ufffd"


def _depth(value: Any) -> int:
    """Return how many containers are inside each other; more than `MAX_DEPTH` are not counted."""
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        level = [
            item
            for one in level
            if isinstance(one, dict | list)
            for item in (one.values() if isinstance(one, dict) else one)
            if isinstance(item, dict | list)
        ]
        depth += 1
    return depth


def parse_toml(text: str) -> dict[str, Any]:
    """Return the parsed TOML document.

    Raise tomllib.TOMLDecodeError if `text` is not TOML, or nested too deeply.
    """
    _check_toml(text)
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise tomllib.TOMLDecodeError(_DEEP) from error
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:  # an integer that Python refuses to convert
        raise tomllib.TOMLDecodeError("a number that is too long") from error


def _check_toml(text: str) -> None:
    """Raise tomllib.TOMLDecodeError when a document exceeds the limits."""
    depth = dots = commas = 0
    for match in _TOML.finditer(text):
        mark = match[0]
        if mark == ".":
            dots += 1
        elif mark in "\n,=":
            dots = 0
            commas += mark == ","
        elif mark in "[{":
            depth, dots = depth + 1, 0
        elif mark in "]}":
            depth = max(depth - 1, 0)
        if mark.startswith(("0x", "0o", "0b")):  # no limit of Python's counts here
            raise tomllib.TOMLDecodeError("a number that is too long")
        if depth > MAX_DEPTH or dots >= MAX_KEYS:
            raise tomllib.TOMLDecodeError(_DEEP)
        if commas > MAX_VALUES:
            raise tomllib.TOMLDecodeError(_MANY.format(MAX_VALUES))
