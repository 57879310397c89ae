"""Conversion and checks of values from files, variables and options."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from difflib import get_close_matches
from urllib.parse import urlsplit

from envlock.config.setting import Kind, Setting, Value
from envlock.model.facts import SECTIONS
from envlock.model.scope import is_role, parse_assignment

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")

_MOST_DIGITS = 18
MAX_COUNT = 1_000_000_000
"""The largest number of a setting."""
MAX_ITEMS = 10_000
"""Most items of a list of settings."""
MAX_PATTERN = 4096
"""The longest pattern, in characters: as long as a path may be."""

ToPath = Callable[[str], str]
"""Turns a path as a user wrote it into an absolute one, relative to the source it came from."""


class InvalidValueError(ValueError):
    """A value that a setting does not accept; the message follows the key: "jobs must be ..."."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def from_text(setting: Setting, text: str) -> object:
    """Return the TOML value that the text of a variable or option stands for."""
    if setting.kind.is_list:
        return [item.strip() for item in text.split(",") if item.strip()]
    if setting.kind is Kind.COUNT and text.strip().isdecimal():
        return int(text.strip()[:_MOST_DIGITS])
    return text


def to_value(setting: Setting, raw: object, to_path: ToPath) -> Value:
    """Return the value of a setting for a TOML value.  Raise InvalidValueError."""
    if setting.kind is Kind.ROOTS:
        return _roots(setting, raw)
    if setting.kind is Kind.TRACES:
        return _traces(setting, raw, to_path)
    if setting.kind is Kind.PAIRS:
        return _pairs(setting, raw)
    if setting.kind.is_list:
        return _list(setting, raw, to_path)
    if setting.kind is Kind.COUNT:
        return _count(setting, raw)
    if setting.kind is Kind.SWITCH:
        if not isinstance(raw, bool):
            raise InvalidValueError(f"must be {setting.kind.value}, not {_type(raw)}")
        return raw
    if setting.kind is Kind.DATE and isinstance(raw, date) and not isinstance(raw, datetime):
        return raw.isoformat()
    return _item(setting, raw, to_path)


def _list(setting: Setting, raw: object, to_path: ToPath) -> tuple[str, ...]:
    if not isinstance(raw, list | tuple):
        raise InvalidValueError(f"must be {setting.kind.value}, not {_type(raw)}")
    if setting.items and len(raw) != setting.items:
        raise InvalidValueError(f"must have {setting.items} items, not {len(raw)}")
    if len(raw) > MAX_ITEMS:
        raise InvalidValueError(f"must have at most {MAX_ITEMS:,} items")
    return tuple(_item(setting, item, to_path) for item in raw)


def _roots(setting: Setting, raw: object) -> tuple[str, ...]:
    if not isinstance(raw, dict):
        raise InvalidValueError(f"must be {setting.kind.value}, not {_type(raw)}")
    if len(raw) > MAX_ITEMS:
        raise InvalidValueError(f"must have at most {MAX_ITEMS:,} items")
    found = []
    for role, root in sorted(raw.items()):
        if not isinstance(root, str):
            raise InvalidValueError(f"must contain only strings, not {_type(root)}")
        try:
            found.append("=".join(parse_assignment(f"{role}={root}")))
        except ValueError as error:
            raise InvalidValueError(f"is wrong: {error}") from None
    return tuple(found)


def _traces(setting: Setting, raw: object, to_path: ToPath) -> tuple[str, ...]:
    if not isinstance(raw, dict):
        raise InvalidValueError(f"must be {setting.kind.value}, not {_type(raw)}")
    found = []
    for role, paths in sorted(raw.items()):
        if not is_role(role):
            raise InvalidValueError(f"is wrong: not a name of a role: {role!r}")
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise InvalidValueError(f"must have a list of paths for {role}")
        found += [f"{role}={to_path(path)}" for path in paths if "\0" not in path]
    if len(found) > MAX_ITEMS:
        raise InvalidValueError(f"must have at most {MAX_ITEMS:,} items")
    return tuple(found)


def _pairs(setting: Setting, raw: object) -> tuple[str, ...]:
    if not isinstance(raw, dict):
        raise InvalidValueError(f"must be {setting.kind.value}, not {_type(raw)}")
    if len(raw) > MAX_ITEMS:
        raise InvalidValueError(f"must have at most {MAX_ITEMS:,} items")
    for name, text in raw.items():
        if setting.choices:
            _known(name, setting.choices)
        if not isinstance(text, str):
            raise InvalidValueError(f"must contain only strings, not {_type(text)}")
        if not name or "=" in name or "\0" in name or "\0" in text:
            raise InvalidValueError(
                f"contains {name!r}, which must not be empty, and without = and null characters"
            )
    return tuple(f"{name}={text}" for name, text in sorted(raw.items()))


def _count(setting: Setting, raw: object) -> int:
    # In Python, True is an int.
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise InvalidValueError(f"must be {setting.kind.value}, not {_type(raw)}")
    if raw < setting.minimum:
        raise InvalidValueError(f"must be at least {setting.minimum}, not {raw}")
    if raw > MAX_COUNT:
        raise InvalidValueError(f"must be at most {MAX_COUNT:,}")
    return raw


def spelling_hint(word: str, known: tuple[str, ...]) -> str:
    """Return a hint for an unknown word: the most similar of `known`, else all of them."""
    close = get_close_matches(word, known, n=1)
    return f'did you mean "{close[0]}"?' if close else f"known: {', '.join(known)}"


def _item(setting: Setting, raw: object, to_path: ToPath) -> str:
    if not isinstance(raw, str):
        wanted = "contain only strings" if setting.kind.is_list else "be a string"
        raise InvalidValueError(f"must {wanted}, not {_type(raw)}")
    if "\0" in raw:
        raise InvalidValueError("must not contain a null character")
    match setting.kind:
        case Kind.DATE:
            return _date(raw)
        case Kind.CHOICE | Kind.SECTIONS | Kind.WORDS:
            return _known(raw, setting.choices or tuple(SECTIONS))
        case Kind.PATH | Kind.PATHS:
            # An empty string stands for the default if the default is no path at all.
            return to_path(raw) if raw or setting.default or setting.kind.is_list else ""
        case Kind.GLOB | Kind.GLOBS:
            return _glob(raw)
        case Kind.URLS:
            return _url(raw)
        case _:
            return raw


def _known(word: str, known: tuple[str, ...]) -> str:
    if word not in known:
        raise InvalidValueError(f'does not allow "{word}"', spelling_hint(word, known))
    return word


def _glob(pattern: str) -> str:
    if not pattern.startswith(("/", "**")):
        raise InvalidValueError(
            f'contains "{pattern}", which cannot match a path', 'start it with "/" or "**/"'
        )
    if len(pattern) > MAX_PATTERN:
        raise InvalidValueError(f"contains a pattern of more than {MAX_PATTERN:,} characters")
    return pattern


def _date(text: str) -> str:
    # fromisoformat alone would accept week dates too.
    if _DATE.match(text):
        with suppress(ValueError):
            return date.fromisoformat(text).isoformat()
    raise InvalidValueError(f'must be a date, not "{text}"', "for example 2027-01-31")


def _url(text: str) -> str:
    # Messages never repeat the text, because it may contain a password.
    try:
        url = urlsplit(text)
    except ValueError as error:
        raise InvalidValueError("contains an invalid URL") from error
    if "@" in url.netloc:
        raise InvalidValueError(
            "contains a URL with credentials", "put them into /etc/apt/auth.conf.d or a netrc file"
        )
    if url.scheme not in ("http", "https", "file") or not (url.netloc or url.scheme == "file"):
        raise InvalidValueError("contains something else than http, https and file URLs")
    return text


def _type(raw: object) -> str:
    match raw:
        case bool():
            return "true or false"
        case int() | float():
            return f"the number {raw}"
        case str():
            return "a string"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"
