"""Edits of envlock.toml that keep comments, order and spacing.

This is the only module that imports tomlkit, which is slow, so it does so only to edit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from envlock.config.example import to_toml
from envlock.config.setting import Value
from envlock.errors import ConfigError
from envlock.model.document import parse_toml

_WHERE = "envlock.toml"


def append_table(text: str, name: str, row: Mapping[str, Value]) -> str:
    """Return the document with another ``[[name]]`` table at its end.

    Raise ConfigError when `text` is not TOML, or uses `name` for something else.
    """
    _parse(text)
    row_lines = (f"{key} = {to_toml(value)}" for key, value in row.items())
    above = (text.rstrip("\n"), "") if text.strip() else ()
    edited = "\n".join((*above, f"[[{name}]]", *row_lines, ""))
    _parse(edited)
    return edited


def put_table(text: str, name: str, row: Mapping[str, Value], identity: Iterable[str]) -> str:
    """Return the document with `row` as a ``[[name]]`` table.

    It replaces the table whose `identity` fields are equal, else it is appended.  Raise ConfigError
    as `append_table` does.
    """
    import tomlkit.items

    _parse(text)
    document = tomlkit.parse(text)
    tables = document.get(name)
    for table in tables if isinstance(tables, tomlkit.items.AoT) else ():
        if all(_plain(table.get(field)) == row[field] for field in identity):
            for field, value in row.items():
                if _plain(table.get(field)) != value:
                    table[field] = list(value) if isinstance(value, tuple) else value
            return tomlkit.dumps(document)
    return append_table(text, name, row)


def _plain(value: Any) -> object:
    return tuple(value) if isinstance(value, list) else value


def _parse(text: str) -> dict[str, Any]:
    try:
        return parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"cannot edit the settings, which are not TOML: {error}", where=_WHERE
        ) from error
