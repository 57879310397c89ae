"""The description of a setting: its kind, its default, and its help text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

Value = str | int | tuple[str, ...]
"""The value of a setting after it is read; paths are absolute strings."""


class Kind(StrEnum):
    """What a setting accepts; the value is its description in documentation and messages."""

    TEXT = "a string"
    CHOICE = "one of a few words"
    COUNT = "a whole number"
    PATH = "a path"
    """Relative to the directory of the file that sets it, else to the working directory."""
    TEXTS = "a list of strings"
    SECTIONS = "a list of section names"
    GLOBS = "a list of path patterns"
    """Absolute, or starting with ``**``; `*` does not match a slash."""
    PATHS = "a list of paths"
    URLS = "a list of URLs without credentials"
    GLOB = "a path pattern"
    WORDS = "a list of a few words"
    SWITCH = "true or false"
    ROOTS = "a table of roots by role"
    """The value is a list of strings ``ROLE=ROOT``."""
    TRACES = "a table of lists of paths by role"
    """The value is a list of strings ``ROLE=PATH``, with absolute paths."""
    PAIRS = "a table of strings"
    """The value is a list of strings ``NAME=TEXT``; `choices` are the names it accepts, if any."""
    DATE = "a date"
    """A TOML date, or a string such as ``2027-01-31``; the value is a string."""

    @property
    def is_list(self) -> bool:
        """True when the value is a tuple."""
        return self in _LISTS


_LISTS = frozenset({Kind.TEXTS, Kind.SECTIONS, Kind.GLOBS, Kind.PATHS, Kind.URLS, Kind.WORDS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting.

    `key` is dotted; in a `Table` it is the name of a field.  `default` is written as in
    envlock.toml.  `flag` is the option that sets it, or empty.  `choices` are the words that CHOICE
    and WORDS accept, `minimum` the least COUNT, `items` the required length of a list (0: any).
    """

    key: str
    kind: Kind
    default: Value
    help: str
    flag: str = ""
    choices: tuple[str, ...] = ()
    minimum: int = 0
    items: int = 0

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "ENVLOCK_" + self.key.upper().replace(".", "_").replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A repeatable setting: tables by name (``[environments.dev]``) or an array (``[[x]]``).

    Only files can set it.  `required` are the fields without a default.  `example` is a row and
    `further` are more; together they show every field.  `check` returns what is wrong with a row
    as a whole, empty if nothing is.
    """

    key: str
    is_array: bool
    fields: tuple[Setting, ...]
    help: str
    example: Mapping[str, Value]
    further: tuple[Mapping[str, Value], ...] = ()
    required: frozenset[str] = frozenset()
    check: Callable[[Mapping[str, Value]], str] = lambda _row: ""


LEVELS = ("critical", "high", "medium", "low", "info")
"""Severities of a change, the worst first."""
