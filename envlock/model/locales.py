"""Locales that the variables and settings of an environment name, and whether they are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.model.lock import Lock

_SECTION, _AVAILABLE = "locale", "available"
_VARIABLES = re.compile(r"LANG\Z|LC_[A-Z]+\Z")


class NamedLocale(NamedTuple):
    """A locale that a fact of the lock names: ``de_DE.UTF-8``, by LANG, LC_ALL and the like."""

    section: str
    key: str
    field: str
    value: str

    @property
    def variable(self) -> str:
        """The variable that names it."""
        return self.key or self.field.upper().replace("-", "_")


def named_locales(lock: Lock) -> Iterator[NamedLocale]:
    """Yield the locales that variables and settings name."""
    for key, facts in lock.sections.get("env", {}).items():
        if _VARIABLES.match(key):
            yield NamedLocale("env", key, "value", facts.get("value", ""))
    for fact, value in lock.get(_SECTION).items():
        if _VARIABLES.match(fact.upper().replace("-", "_")):
            yield NamedLocale(_SECTION, "", fact, value)


def plain(name: str) -> str:
    """Return a locale as localedef(1) writes it: ``de_DE.utf8``."""
    head, dot, rest = name.partition(".")
    charset, at, variant = rest.partition("@")
    written = re.sub(r"[^a-z0-9]", "", charset.lower())
    return f"{head}{dot}{written}{at}{variant}"


def is_locale(name: str, generated: str) -> bool:
    """True when a generated locale is the one that a variable names, with or without charset."""
    wanted, found = plain(name), plain(generated)
    return found == wanted or ("." not in wanted and found.startswith(f"{wanted}."))


def with_named_locales(lock: Lock) -> Lock:
    """Return a lock that has, of the generated locales, those that it names itself.

    Two environments offer an application the same when these are the same.
    """
    facts = lock.get(_SECTION)
    if _AVAILABLE not in facts:
        return lock
    values = {each.value for each in named_locales(lock)}
    kept = [
        word
        for word in facts[_AVAILABLE].split()
        if word == "(all)" or any(is_locale(value, word) for value in values)
    ]
    new = {name: value for name, value in facts.items() if name != _AVAILABLE}
    if kept:
        new[_AVAILABLE] = " ".join(kept)
    sections = {**lock.sections, _SECTION: {**lock.sections[_SECTION], "": new}}
    return Lock(sections=sections, coverage=lock.coverage, version=lock.version)
