"""The published JSON Schema of a lockfile, and validation against it for `envlock check`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources

from envlock.model.text import escape


def schema() -> Mapping[str, object]:
    """Return the JSON Schema (2020-12) of a lockfile parsed as TOML."""
    text = resources.files(__name__).joinpath("lock-1.0.schema.json").read_text(encoding="utf-8")
    document: Mapping[str, object] = json.loads(text)
    return document


def violations(document: Mapping[str, object]) -> list[str]:
    """Return every violation of the schema as ``dotted key: message``, sorted."""
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(schema()).iter_errors(document)
    return sorted(
        f"{escape('.'.join(map(str, error.absolute_path)))}: {escape(error.message)}"
        for error in errors
    )
