"""The list of packages that Yarn's Plug'n'Play writes instead of a node_modules.

Source: Yarn documentation, "Plug'n'Play specification" (.pnp.data.json, and the same inside of
.pnp.cjs, in a string or an object).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.formats.json_values import at, json_or_none, text_at

_STRING = re.compile(r"RAW_RUNTIME_STATE\s*=\s*'((?:[^'\\]|\\.)*+)'", re.DOTALL)
_OBJECT = re.compile(r"hydrateRuntimeState\(\s*(?=\{)")
_ESCAPE = re.compile(r"\\(\n|.)", re.DOTALL)
_VERSION = re.compile(r"npm(?::|%3A)([^#&:@\s]+)")


class PnpPackage(NamedTuple):
    """A package: `location` is relative to the file; `version` is empty where it is not stated."""

    name: str
    version: str
    location: str
    is_workspace: bool


def parse_pnp(text: str) -> tuple[PnpPackage, ...] | None:
    """Return the packages of a .pnp.data.json or .pnp.cjs, or None when the text is neither."""
    document = _document(text)
    registry = at(document, "packageRegistryData")
    return tuple(_packages(registry)) if isinstance(registry, list) else None


def _document(text: str) -> object:
    string = _STRING.search(text)
    if string:
        # A line of the string goes on after a backslash at its end.
        return json_or_none(_ESCAPE.sub(lambda found: found[1].strip("\n"), string[1]))
    literal = _OBJECT.search(text)
    if literal:
        try:
            return json.JSONDecoder().raw_decode(text, literal.end())[0]
        except (ValueError, RecursionError):
            return None
    return json_or_none(text)


def _packages(registry: list[object]) -> Iterator[PnpPackage]:
    for row in registry:
        name, versions = row if isinstance(row, list) and len(row) == 2 else (None, None)
        if not isinstance(name, str) or not isinstance(versions, list):
            continue  # without a name: the project itself
        for pair in versions:
            reference, facts = pair if isinstance(pair, list) and len(pair) == 2 else (None, None)
            location = text_at(facts, "packageLocation")
            if isinstance(reference, str) and location:
                version = _VERSION.search(reference)
                is_soft = text_at(facts, "linkType") == "SOFT"
                yield PnpPackage(name, version[1] if version else "", location, is_soft)
