"""Facts, keys, gaps, names and attributes lose their secrets whatever collector they come from."""

from __future__ import annotations

import pytest

from envlock.model.coverage import Gap
from envlock.model.record import Record
from envlock.model.tree import Entry, EntryType
from envlock.secrets.records import (
    clean_entry,
    clean_gap,
    clean_record,
    clean_text,
    has_name_of,
    secret_names,
)

TOKEN = "ghp_" + "aB3dE6gH9jK2" * 3


def test_a_record_without_secrets_is_the_same_object() -> None:
    record = Record("deb", "libc6:amd64", {"version": "2.36-9+deb12u4", "sha256": "ab" * 32})
    assert clean_record(record) is record


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("http://u:p@example.org", "http://example.org"),
        ("https://bob:***@example.org/x", "https://example.org/x"),
        (f"1+{TOKEN}", "1+***"),
        ("/srv/x?password=hunter2", "/srv/x?password=***"),
        ("--db-password=hunter2 --port=80", "--db-password=*** --port=80"),
        ("files mdns4_minimal [NOTFOUND=return] dns", None),
        ("install reinstreq half-installed", None),
        ("build_type=Release cuda_arch=80,90 ~debug +shared", None),
        ("release n=bookworm-backports", None),
        ("hard,proto=tcp,vers=4.2", None),
        ("sha512-AAAA==", None),
        ("sec=krb5,credentials=/etc/cifs", None),
    ],
)
def test_a_fact(value: str, clean: str | None) -> None:
    found = clean_record(Record("env", "A", {"value": value, "empty": "true"}))
    assert found.facts == {"value": value if clean is None else clean, "empty": "true"}


def test_keys_and_gaps_lose_tokens() -> None:
    assert clean_record(Record("software", f"/srv/{TOKEN}", {})).key == "/srv/***"
    gap = clean_gap(Gap(f"/srv/{TOKEN}", "malformed line: password=hunter2"))
    assert gap == Gap("/srv/***", "malformed line: password=***")


def test_links_and_attributes() -> None:
    attributes = (
        ("security.capability", b"\x01\0\0\2\0\4\0\0"),
        ("user.note", TOKEN.encode()),
        ("user.password", b"hunter2"),
        ("user.type", b"text/plain"),
    )
    entry = Entry("/a", EntryType.SYMLINK, 0o777, target=f"/x/{TOKEN}", xattrs=attributes)
    found = clean_entry(entry)
    assert found.target == "/x/***"
    assert dict(found.xattrs) == {
        **dict(attributes),
        "user.note": b"***",
        "user.password": b"***",
    }


def test_names_are_judged_many_at_once() -> None:
    ordinary = [f"lib{number}.so.1" for number in range(10_000)]
    ordinary += ["0123456789abcdef0123456789abcdef01234567", "password", "id_rsa.pub"]
    secret = secret_names([*ordinary, f"backup-{TOKEN}.tar"])
    assert secret == {f"backup-{TOKEN}.tar"}
    is_hidden = has_name_of(secret)
    assert is_hidden(f"/srv/backup-{TOKEN}.tar/x")
    assert not is_hidden("/srv/backup/x")


@pytest.mark.parametrize("text", ["", "1.2.3", "a" * 64, "x" * 10_000])
def test_what_holds_no_secret_is_kept(text: str) -> None:
    assert clean_text(text) == text
