"""From what a file, a variable or a flag says to the value of a setting."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from difflib import get_close_matches
from typing import assert_never
from urllib.parse import urlsplit

from envlock.config.setting import Kind, Setting, Value
from envlock.model.facts import SECTIONS

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")

ToPath = Callable[[str], str]
"""Makes a path absolute, as the place it was written in wants it."""


class Refused(ValueError):
    """A value that a setting does not accept; the message completes "<key> ..."."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def from_text(setting: Setting, text: str) -> object:
    """Return what a TOML file would hold for the text of a variable or flag."""
    if setting.kind.is_list:
        return [item.strip() for item in text.split(",") if item.strip()]
    if setting.kind is Kind.COUNT and text.strip().isdecimal():
        return int(text)
    return text


def to_value(setting: Setting, raw: object, to_path: ToPath) -> Value:
    """Return the value for what a TOML file holds.  Raise Refused."""
    if setting.kind.is_list:
        if not isinstance(raw, list | tuple):
            raise Refused(f"must be {setting.kind.value}, not {_type(raw)}")
        if setting.items and len(raw) != setting.items:
            raise Refused(f"must hold {setting.items} items, not {len(raw)}")
        return tuple(_item(setting, item, to_path) for item in raw)
    if setting.kind is Kind.COUNT:
        # In Python True is a number.
        if not isinstance(raw, int) or isinstance(raw, bool):
            raise Refused(f"must be {setting.kind.value}, not {_type(raw)}")
        if raw < setting.minimum:
            raise Refused(f"must be at least {setting.minimum}, not {raw}")
        return raw
    if setting.kind is Kind.SWITCH:
        if not isinstance(raw, bool):
            raise Refused(f"must be {setting.kind.value}, not {_type(raw)}")
        return raw
    if setting.kind is Kind.DATE and isinstance(raw, date) and not isinstance(raw, datetime):
        return raw.isoformat()
    return _item(setting, raw, to_path)


def nearest(word: str, known: tuple[str, ...]) -> str:
    """Return a hint for a word that is none of `known`."""
    close = get_close_matches(word, known, n=1)
    return f'did you mean "{close[0]}"?' if close else f"known: {', '.join(known)}"


def _item(setting: Setting, raw: object, to_path: ToPath) -> str:
    if not isinstance(raw, str):
        verb = "hold texts" if setting.kind.is_list else "be a text"
        raise Refused(f"must {verb}, not {_type(raw)}")
    if "\0" in raw:
        raise Refused("must not hold a null character")
    match setting.kind:
        case Kind.TEXT | Kind.TEXTS | Kind.COUNT | Kind.SWITCH:
            return raw
        case Kind.DATE:
            return _date(raw)
        case Kind.CHOICE | Kind.SECTIONS | Kind.WORDS:
            return _known(raw, setting.choices or tuple(SECTIONS))
        case Kind.PATH | Kind.PATHS:
            # Where nothing is the default, an empty text says the same.
            return to_path(raw) if raw or setting.default or setting.kind.is_list else ""
        case Kind.GLOB | Kind.GLOBS:
            return _glob(raw)
        case Kind.URLS:
            return _url(raw)
        case _:
            assert_never(setting.kind)


def _known(word: str, known: tuple[str, ...]) -> str:
    if word not in known:
        raise Refused(f'does not know "{word}"', nearest(word, known))
    return word


def _glob(pattern: str) -> str:
    if not pattern.startswith(("/", "**")):
        raise Refused(f'holds "{pattern}", which matches no path', 'start it with "/" or "**/"')
    return pattern


def _date(text: str) -> str:
    # fromisoformat alone takes week dates as well.
    if _DATE.match(text):
        with suppress(ValueError):
            return date.fromisoformat(text).isoformat()
    raise Refused(f'must be a date, not "{text}"', "for example 2027-01-31")


def _url(text: str) -> str:
    # A message never repeats the text, which may hold a password.
    try:
        url = urlsplit(text)
    except ValueError as error:
        raise Refused("holds what is no URL") from error
    if "@" in url.netloc:
        raise Refused(
            "holds a URL with credentials", "put them into /etc/apt/auth.conf.d or a netrc file"
        )
    if url.scheme not in ("http", "https", "file") or not (url.netloc or url.scheme == "file"):
        raise Refused("holds what is no http, https or file URL")
    return text


def _type(raw: object) -> str:
    match raw:
        case bool():
            return "true or false"
        case int() | float():
            return f"the number {raw}"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"
