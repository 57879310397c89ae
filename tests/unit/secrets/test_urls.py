"""URLs without credentials."""

from __future__ import annotations

import pytest

from envlock.secrets.urls import LOCAL, clean_facts, clean_origin, strip_credentials


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://user:pw@example.org/simple", "https://example.org/simple"),
        ("https://example.org/x?token=1#sha256=2", "https://example.org/x"),
        ("https://example.org/t/abc-1/main", "https://example.org/main"),
        ("https://example.org/t/abc-1", "https://example.org"),
        ("git+ssh://git@example.org/a.git", "git+ssh://example.org/a.git"),
        ("file:///srv/wheels", LOCAL),
        ("/srv/wheels", LOCAL),
        ("../wheels", LOCAL),
        ("link:../a", LOCAL),
    ],
)
def test_origins(url, clean):
    assert clean_origin(url) == clean


def test_facts_without_a_value_are_left_out():
    facts = {"a": "", "b": "https://u:p@example.org", "c": "x@y"}
    assert clean_facts(facts) == {"b": "https://example.org", "c": "x@y"}


def test_every_url_of_a_text_loses_its_credentials():
    text = "a=http://u:p@example.org/x b=https://t@example.com user@example.net"
    assert (
        strip_credentials(text) == "a=http://example.org/x b=https://example.com user@example.net"
    )
