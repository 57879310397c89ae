"""Parse JSON and TOML of any origin; every defect raises the error that callers expect.

The parsers of the standard library raise RecursionError for deeply nested brackets.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any

_DEEP = "nested too deeply"


def parse_json(raw: bytes | str) -> Any:
    """Return the parsed JSON value.  Raise ValueError if `raw` is not JSON."""
    try:
        return json.loads(raw)
    except RecursionError as error:
        raise ValueError(_DEEP) from error


def parse_toml(text: str) -> dict[str, Any]:
    """Return the parsed TOML document.  Raise tomllib.TOMLDecodeError if `text` is not TOML."""
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise tomllib.TOMLDecodeError(_DEEP) from error
