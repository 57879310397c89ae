"""Values that are plainly no secret, by their shape: switches, numbers, versions, places.

A variable whose name is on no list has its value recorded only if the name has no word for a secret
and the whole value has one of these shapes.  Each row of the table is tried in turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from envlock.secrets.names import grade_name
from envlock.secrets.strength import Strength, measure
from envlock.secrets.values import judge_value

_LONGEST = 1024
_HOST = r"(?:[a-z0-9-]{1,63}+\.){1,8}[a-z]{2,24}|localhost"
_KNOWN_HOST = (
    r"(?:[a-z0-9-]{1,63}+\.){1,8}(?:com|org|net|io|dev|app|cloud|local|internal|lan|corp|intra|home"
    r"|svc|test|example|[a-z]{2})|localhost"
)
_ADDRESS = r"(?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:]{2,39}\]"
_WORDS = r"[A-Za-z]{1,24}(?:[._-][A-Za-z]{1,24}){0,5}\d{0,2}|v?\d{1,3}(?:\.\d{1,3}){0,3}"
_PART = re.compile(rf"(?:{_WORDS})\Z")


class Shape(NamedTuple):
    """One shape of a value: its name, pattern, an example, and a further condition."""

    name: str
    pattern: re.Pattern[str]
    example: str
    condition: Callable[[str], bool] = lambda _value: True


def _is_ordinary_path(value: str) -> bool:
    """True if no part of a path, or of a list of paths, looks like a token."""
    parts = (part for path in value.split(":") for part in path.split("/") if part)
    return all(len(part) <= 64 and measure(part) < Strength.RANDOM for part in parts)


def _is_ordinary_url(value: str) -> bool:
    """True if every part of the path of a URL is made of words or is a version."""
    path = value.partition("://")[2].partition("/")[2]
    return all(_PART.match(part) for part in path.split("/") if part)


def _is_ordinary_name(value: str) -> bool:
    return measure(value) < Strength.RANDOM


def _pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(rf"(?:{text})\Z", flags)


SHAPES = (
    Shape(
        "switch",
        _pattern(
            r"true|false|yes|no|on|off|enabled?|disabled?|none|null|auto|always|never",
            re.IGNORECASE),
        "true",
    ),
    Shape("number", _pattern(r"[+-]?\d{1,5}(?:\.\d{1,4})?"), "8080"),
    Shape(
        "size or duration",
        _pattern(
            r"\d{1,6}(?:\.\d{1,3})? ?(?:[kmgt]i?b?|b|ns|us|ms|s|m|h|d|w|min|sec|%)", re.IGNORECASE),
        "512MiB",
    ),
    Shape(
        "level of a log",
        _pattern(r"trace|debug|info|notice|warn|warning|error|err|critical|fatal|verbose|quiet",
                 re.IGNORECASE),
        "WARNING",
    ),
    Shape(
        "name of a stage",
        _pattern(
            r"prod|production|staging|stage|dev|devel|development|test|testing|qa|uat|local|ci"
            r"|preview|sandbox|demo|live|canary", re.IGNORECASE),
        "staging",
    ),
    Shape(
        "version",
        _pattern(
            r"v?\d{1,4}(?:\.\d{1,6}){1,3}"
            r"(?:[-+~._]?(?:alpha|beta|rc|dev|post|pre|a|b|deb|el|fc|ubuntu|lts|r)\.?\d{0,3}){0,2}"),
        "1.24.0-rc1",
    ),
    Shape(
        "locale",
        _pattern(r"(?:[a-z]{2,3}_[A-Z]{2}|C|POSIX)(?:\.(?:UTF-8|utf8|utf-8|ISO-8859-\d{1,2}))?"
                 r"(?:@[a-z]{2,12})?"),
        "de_DE.UTF-8",
    ),
    Shape(
        "encoding",
        _pattern(r"utf-?8|ascii|us-ascii|latin-?1|iso-8859-\d{1,2}", re.IGNORECASE),
        "UTF-8",
    ),
    Shape(
        "time zone",
        _pattern(
            r"UTC|GMT|(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada"
            r"|Chile|Etc|Europe|Indian|Mexico|Pacific|US)(?:/[A-Za-z_+-]{2,32}\d{0,2}){1,2}"),
        "Europe/Berlin",
    ),
    Shape(
        "name of a module",
        _pattern(r"[a-z_][a-z_]{0,31}\d{0,2}(?:\.[A-Za-z_]{1,32}\d{0,2}){1,2}(?::[A-Za-z_]{1,32})?"),
        "shop.settings.production",
        _is_ordinary_name,
    ),
    Shape(
        "absolute path",
        _pattern(r"/[\w.@+,%-]{0,255}(?:/[\w.@+,%-]{1,255}+){0,24}/?"
                 r"(?::/[\w.@+,%-]{0,255}(?:/[\w.@+,%-]{1,255}+){0,24}/?){0,24}"),
        "/etc/app/prod.yml",
        _is_ordinary_path,
    ),
    Shape(
        "host and port",
        _pattern(
            rf"(?:{_KNOWN_HOST}|{_ADDRESS})(?:,(?:{_KNOWN_HOST}|{_ADDRESS})){{0,15}}"
            rf"|(?:{_HOST}|{_ADDRESS}):\d{{1,5}}(?:,(?:{_HOST}|{_ADDRESS}):\d{{1,5}}){{0,15}}"),
        "db1.example.org:5432",
    ),
    Shape(
        "URL",
        _pattern(
            rf"[a-z][a-z0-9+]{{1,15}}://(?:{_HOST}|{_ADDRESS}|[a-z]{{2,24}})(?::\d{{1,5}})?"
            r"(?:/[\w.-]{0,64}){0,12}"),
        "https://example.org/v2/orders",
        _is_ordinary_url,
    ),
)  # fmt: skip
"""Shapes of values that are no secret under a name that has no word for one."""


def plain_shape(name: str, value: str) -> str:
    """Return the name of the shape by which the value of a variable is no secret, or an empty text.

    >>> plain_shape("DATABASE_PORT", "5432"), plain_shape("API_TOKEN", "5432")
    ('number', '')
    """
    if not value or len(value) > _LONGEST or grade_name(name) or judge_value(name, value):
        return ""
    return next((s.name for s in SHAPES if s.pattern.match(value) and s.condition(value)), "")
