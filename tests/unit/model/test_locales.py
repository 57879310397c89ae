"""Locales that an environment names, and those of the generated ones that an application meets."""

from __future__ import annotations

import pytest

from envlock.model.locales import is_locale, named_locales, with_named_locales
from envlock.model.lock import Lock


def lock(available: str, **variables: str) -> Lock:
    env = {name: {"value": value} for name, value in variables.items()}
    return Lock(
        sections={"env": env, "locale": {"": {"available": available, "lang": "de_DE.UTF-8"}}}
    )


def test_variables_and_settings_name_locales() -> None:
    found = [(each.variable, each.value) for each in named_locales(lock("", LC_ALL="C", TZ="UTC"))]
    assert found == [("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]


@pytest.mark.parametrize(
    ("name", "generated", "same"),
    [
        ("de_DE.UTF-8", "de_DE.utf8", True),
        ("de_DE", "de_DE.utf8", True),
        ("de_DE@euro", "de_DE@euro", True),
        ("de_DE.UTF-8", "de_DE", False),
        ("de", "de_DE.utf8", False),
        ("C.UTF-8", "C.utf8", True),
    ],
)
def test_a_name_and_a_generated_locale(name: str, generated: str, same: bool) -> None:
    assert is_locale(name, generated) is same


def test_what_nobody_names_is_left_out() -> None:
    few = with_named_locales(lock("C.utf8 de_DE.utf8 fr_FR.utf8", LANG="C.UTF-8"))
    assert few.get("locale") == {"available": "C.utf8 de_DE.utf8", "lang": "de_DE.UTF-8"}


def test_a_named_locale_that_was_not_generated_still_differs() -> None:
    assert with_named_locales(lock("fr_FR.utf8")).get("locale") == {"lang": "de_DE.UTF-8"}


def test_a_library_that_offers_every_locale_keeps_saying_so() -> None:
    assert with_named_locales(lock("(all)")).get("locale")["available"] == "(all)"
