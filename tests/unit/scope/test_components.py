"""Packages of two package systems are compared by library, program and source."""

from __future__ import annotations

from envlock.diff.engine import Options, compare
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.scope import Member, MemberClass, Role, Root, RootKind, scope_records
from envlock.scope.pairing import pair

LINKED, DEPENDS = MemberClass.LINKED, MemberClass.DEPENDS


def lock(section: str, *packages: tuple[str, str, str, MemberClass, str]) -> Lock:
    """Return a machine whose application has these packages: key, version, source, class, step."""
    records = [Record("python", "shop", {"version": "3.12.1", "path": "/srv/shop"})]
    members = [Member("python", "shop", MemberClass.DECLARED, "app")]
    for key, version, source, member_class, step in packages:
        facts = {"version": version} | ({"source": source} if source else {})
        records.append(Record(section, key, facts))
        via = f"python:shop/x → {step}" if step else "deb:other"
        members.append(Member(section, key, member_class, via))
    role = Role("app", Root(RootKind.PYTHON, "/srv/shop"), tuple(members))
    coverage = {section: {"status": "ok"}, "scope": {"status": "ok"}}
    return Lock.of([*records, *scope_records([role])], coverage)


FEDORA = lock(
    "rpm",
    ("openssl-libs", "1:3.2.2-3.fc41", "", LINKED, "_rust.so → libssl.so.3"),
    ("bash", "5.2.32-1.fc41", "", LINKED, "#!/usr/bin/bash"),
    ("zlib-ng-compat", "2.1.7-3.fc41", "", LINKED, "libz.so.1"),
    ("libxcrypt", "4.4.36-10.fc41", "libxcrypt", LINKED, "libcrypt.so.2"),
    ("crypto-policies", "20240725-1", "", DEPENDS, ""),
)
DEBIAN = lock(
    "deb",
    ("libssl3:amd64", "3.0.16-1~deb12u1", "openssl", LINKED, "_rust.so → libssl.so.3"),
    ("bash:amd64", "5.2.32-2", "", LINKED, "#!/bin/bash"),
    ("zlib1g:amd64", "1:1.2.13", "zlib", LINKED, "libz.so.1"),
    ("libcrypt1:amd64", "1:4.4.33-2", "libxcrypt", LINKED, "libcrypt.so.1"),
)


def changes(left: Lock, right: Lock) -> dict[str, tuple[str | None, str | None, str]]:
    paired = pair(left, right, "dev", "prod")
    report = compare(paired.left, paired.right, options=Options(scoping=paired.scoping))
    return {c.key: (c.left, c.right, c.rule) for c in report.changes if c.scope}


def test_they_are_compared_by_library_then_by_source_with_the_upstream_version() -> None:
    assert changes(FEDORA, DEBIAN) == {
        "libssl.so.3": ("3.2.2", "3.0.16", "COMPONENT-OLDER"),
        "libz.so.1": ("2.1.7", "1.2.13", "COMPONENT-OLDER"),
        "libxcrypt": ("4.4.36", "4.4.33", "COMPONENT-OLDER"),
    }


def test_the_chain_names_both_packages() -> None:
    paired = pair(FEDORA, DEBIAN, "dev", "prod")
    assert paired.scoping is not None
    member = paired.scoping.member("app", "component", "libssl.so.3")
    assert member is not None
    assert member.via == (
        "python:shop/x → _rust.so → libssl.so.3 → "
        "libssl3 3.0.16-1~deb12u1 (deb) ↔ openssl-libs 1:3.2.2-3.fc41 (rpm)"
    )


def test_what_has_no_partner_is_reported_as_that() -> None:
    more = lock("rpm", ("libpq", "16.1-1", "", LINKED, "libpq.so.5"))
    none = lock("deb", ("libc6:amd64", "2.36-9", "glibc", LINKED, "libc.so.6"))
    assert changes(more, none) == {
        "libpq.so.5": ("16.1", None, "COMPONENT-MISSING"),
        "libc.so.6": (None, "2.36", "COMPONENT-EXTRA"),
    }


def test_one_package_system_is_compared_by_name() -> None:
    assert not any(key.startswith("lib") and ".so" in key for key in changes(DEBIAN, DEBIAN))
    assert pair(DEBIAN, DEBIAN, "dev", "prod").left.sections.keys() >= {"deb"}
