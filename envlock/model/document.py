"""JSON and TOML from anywhere: whatever is wrong with them is one kind of error.

The parsers of the standard library end in RecursionError when brackets are nested deeply, which
no caller expects.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any

_DEEP = "nested too deeply"


def parse_json(raw: bytes | str) -> Any:
    """Return a JSON value.  Raise ValueError when it is none."""
    try:
        return json.loads(raw)
    except RecursionError as error:
        raise ValueError(_DEEP) from error


def parse_toml(text: str) -> dict[str, Any]:
    """Return a TOML document.  Raise tomllib.TOMLDecodeError when it is none."""
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise tomllib.TOMLDecodeError(_DEEP) from error
