"""The commented example of envlock.toml, generated from the table of settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap

from envlock.config.setting import Kind, Setting, Table, Value
from envlock.config.settings import SETTINGS, TABLES

_WIDTH = 98
_INTRODUCTION = """\
# Settings of envlock.  A line that starts with "#" without a space is a default: remove the "#" to
# change it.  Options override ENVLOCK_* variables, which override this file, which overrides
# ~/.config/envlock/config.toml.  Paths are relative to the directory of this file.
"""


def example() -> str:
    """Return an envlock.toml with every setting explained and its default commented out."""
    return "\n".join([_INTRODUCTION, *_settings(), *_tables()])


def _settings() -> Iterator[str]:
    for section, group in groupby(SETTINGS.values(), key=lambda s: s.key.rpartition(".")[0]):
        if section:
            yield f"[{section}]"
        for setting in group:
            yield from _comment(f"{setting.help}{_choices(setting)}{_other_sources(setting)}")
            yield f"#{setting.key.rpartition('.')[2]} = {to_toml(setting.default)}"
            yield ""


def _tables() -> Iterator[str]:
    for table in TABLES.values():
        yield from _comment(table.help)
        explained: set[str] = set()
        for row in (table.example, *table.further):
            yield f"#{_header(table)}"
            for field in (field for field in table.fields if field.key in row):
                if field.key not in explained:
                    yield from _comment(f"{field.help}{_choices(field)}")
                explained.add(field.key)
                yield f"#{field.key} = {_of_field(field, row[field.key])}"
            yield ""


def _of_field(field: Setting, value: Value) -> str:
    """Return the value of a field; roots, traces and pairs are written as a table."""
    if field.kind not in (Kind.ROOTS, Kind.TRACES, Kind.PAIRS) or not isinstance(value, tuple):
        return to_toml(value)
    of_role: dict[str, tuple[str, ...]] = {}
    for role, _, item in (item.partition("=") for item in value):
        of_role[role] = (*of_role.get(role, ()), item)
    one = field.kind is not Kind.TRACES
    pairs = (
        f"{_bare(role)} = {to_toml(each[0] if one else each)}" for role, each in of_role.items()
    )
    return f"{{ {', '.join(pairs)} }}"


def _bare(key: str) -> str:
    """Return a key of TOML, quoted where it must be."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else to_toml(key)


def to_toml(value: Value) -> str:
    """Return a value in TOML 1.0; a JSON string with DEL escaped is a TOML basic string."""
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


def _other_sources(setting: Setting) -> str:
    return f"  ({', '.join(filter(None, (setting.variable, setting.flag)))})"
