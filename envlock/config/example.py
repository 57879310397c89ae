"""The commented envlock.toml, written from the table of settings so that it cannot be wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap

from envlock.config.setting import Kind, Setting, Table, Value
from envlock.config.settings import SETTINGS, TABLES

_WIDTH = 98
_INTRODUCTION = """\
# Settings of envlock.  Every line that starts with "#" and no space is a default: take the "#" away
# to change it.  Flags win over ENVLOCK_* variables, these over this file, and this file over
# ~/.config/envlock/config.toml.  Paths are relative to the folder of this file.
"""


def example() -> str:
    """Return an envlock.toml that changes nothing: every setting explained and commented out."""
    return "\n".join([_INTRODUCTION, *_settings(), *_tables()])


def _settings() -> Iterator[str]:
    for section, group in groupby(SETTINGS.values(), key=lambda s: s.key.rpartition(".")[0]):
        if section:
            yield f"[{section}]"
        for setting in group:
            yield from _comment(f"{setting.help}{_choices(setting)}{_ways(setting)}")
            yield f"#{setting.key.rpartition('.')[2]} = {to_toml(setting.default)}"
            yield ""


def _tables() -> Iterator[str]:
    for table in TABLES.values():
        yield from _comment(table.help)
        told: set[str] = set()
        for row in (table.example, *table.further):
            yield f"#{_header(table)}"
            for field in (field for field in table.fields if field.key in row):
                if field.key not in told:
                    yield from _comment(f"{field.help}{_choices(field)}")
                told.add(field.key)
                yield f"#{field.key} = {to_toml(row[field.key])}"
            yield ""


def to_toml(value: Value) -> str:
    """Return a value as TOML 1.0 writes it: a JSON string is a basic string, DEL escaped."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case tuple():
            return f"[{', '.join(to_toml(item) for item in value)}]"


def _header(table: Table) -> str:
    return f"[[{table.key}]]" if table.is_array else f"[{table.key}.dev]"


def _comment(text: str) -> Iterator[str]:
    return (f"# {line}" for line in wrap(text, _WIDTH, break_on_hyphens=False))


def _choices(setting: Setting) -> str:
    match setting.kind:
        case Kind.CHOICE:
            return f"  One of: {', '.join(setting.choices)}."
        case Kind.WORDS:
            return f"  Any of: {', '.join(setting.choices)}."
        case _:
            return ""


def _ways(setting: Setting) -> str:
    return f"  ({', '.join(filter(None, (setting.variable, setting.flag)))})"
