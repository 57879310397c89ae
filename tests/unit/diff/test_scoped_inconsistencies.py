"""What is wrong in an environment, judged for its applications."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from envlock.diff.inconsistencies.scoped import judge_scope
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.scope import EVERY, Member, MemberClass, Role, Root, scope_records

DECLARED, LINKED, LOADED, ALWAYS, DEPENDS = (
    MemberClass.DECLARED,
    MemberClass.LINKED,
    MemberClass.LOADED,
    MemberClass.ALWAYS,
    MemberClass.DEPENDS,
)
OWN = (
    Member("python", "shop", DECLARED, "app"),
    Member("python", "shop/flask", DECLARED, "python:shop"),
    Member("deb", "libpq5:amd64", LINKED, "python:shop/flask → _pq.so → libpq.so.5"),
    Member("deb", "tool:amd64", DECLARED, "app → serve"),
    Member("os", "", ALWAYS),
    Member("locale", "", ALWAYS),
    Member("host.limits", EVERY, ALWAYS),
    Member("env", "JAVA_HOME", ALWAYS),
)
BASE = (
    Record("os", "", {"id": "debian", "version": "12", "arch": "amd64"}),
    Record("python", "shop", {"version": "3.11.2", "path": "/srv/shop/.venv"}),
    Record("python", "shop/flask", {"version": "3.1.0"}),
)


def judged(
    *records: Record,
    more: Iterable[Member] = (),
    root: str = "python:/srv/shop/.venv",
    coverage: dict[str, str] | None = None,
):
    """Judge a machine with one application and these further records."""
    role = Role("app", Root.parse(root), (*OWN, *more))
    scope = {"scope": coverage or {"status": "ok"}}
    return judge_scope(Lock.of((*BASE, *records, *scope_records([role])), scope))


def deb(key: str, **facts: str) -> Record:
    return Record("deb", key, {"version": "1", **facts})


def dangling(path: str, kind: str) -> Record:
    return Record("dangling", path, {"kind": kind, "target": "/gone"})


HALF = {"status": "install ok half-installed"}
SERVICE = {"program-missing": "/usr/bin/gone"}
NEEDED = {"needed-by": "/usr/local/bin/other", "kind": "program"}


@pytest.mark.parametrize(
    "record",
    [
        deb("libpq5:amd64", **HALF),
        Record("python", "shop/requests", {"version": "1", "unmet": "idna"}),
        Record("missing-library", "libz.so.9", NEEDED | {"needed-by": "/srv/shop/.venv/bin/uwsgi"}),
        Record("missing-symbol", "GLIBC_2.38", NEEDED | {"library": "libc.so.6", "count": "3"}),
        Record("env", "JAVA_HOME", {"value": "/gone", "gone": "/gone"}),
        Record("locale", "", {"timezone": "UTC", "timezone-data": "missing"}),
        dangling("/etc/localtime", "time-zone"),
        dangling("/etc/ssl/cert.pem", "trust"),
    ],
    ids=lambda record: f"{record.section} {record.key}",
)
def test_what_concerns_the_application_counts(record):
    judgement = judged(record, more=[Member("python", "shop/requests", DECLARED, "python:shop")])
    assert [one.scope for one in judgement.found] == [("app",)]
    assert not judgement.outside
    assert [role.name for role in judgement.roles] == ["app"]


OTHERS = (
    (deb("cups:amd64", **HALF), ()),
    (Record("python", "other/flask", {"version": "1", "unmet": "idna"}), ()),
    (Record("missing-library", "libz.so.9", NEEDED), ()),
    (Record("missing-symbol", "GLIBC_2.38", NEEDED | {"library": "libc.so.6", "count": "1"}), ()),
    (Record("service", "cups.service", SERVICE), ("service", "cups.service")),
    (Record("cron", "/etc/cron.d/x y", {"ignored": "mode 0664"}), ("deb", "cron:amd64")),
    (Record("sudo", "/etc/sudoers.d/x", {"refused": "mode"}), ("deb", "sudo:amd64")),
    (
        Record("apt-source", "https://apt.example.org/ stable", {"keyring-sha256": "absent"}),
        ("deb", "apt:amd64"),
    ),
    (Record("user", "root", {"uid": "0", "shell": "/gone", "shell-missing": "true"}), ()),
    (Record("env", "APP_HOME", {"value": "/gone", "gone": "/gone"}), ("env", "APP_HOME")),
    (Record("setting", "postfix.chroot", {"value": "differs"}), ("deb", "postfix:amd64")),
    (
        Record("host.module", "nvidia", {"pending": "true", "version": "1", "disk-version": "2"}),
        ("host.driver", "nvidia"),
    ),
    (dangling("/usr/lib/libz.so.9", "library"), ("missing-library", "libz.so.9")),
    (dangling("/etc/alternatives/java", "alternative"), ("alternative", "java")),
    (dangling("/etc/nginx/sites-enabled/x", "web-server"), ("deb", "nginx:amd64")),
    (dangling("/etc/cron.d/x", "job"), ("deb", "cron:amd64")),
    (
        dangling("/etc/systemd/system/a.target.wants/x.service", "enabled-unit"),
        ("service", "x.service"),
    ),
)


@pytest.mark.parametrize(
    ("record", "member"), OTHERS, ids=[f"{one.section} {one.key}" for one, _ in OTHERS]
)
def test_what_concerns_nothing_is_outside_until_the_application_needs_it(record, member):
    judgement = judged(record)
    assert [one.scope for one in judgement.found] == [()]
    assert not judgement.counted
    if member:
        needed = judged(record, more=[Member(*member, LOADED, "app → serve")])
        assert record.section in {one.found.section for one in needed.counted}


@pytest.mark.parametrize(
    "record",
    [
        Record("missing-library", "libz.so.9", NEEDED),
        Record("software", "/usr/local/bin/x", {"kind": "script", "missing": "/usr/bin/gone"}),
        dangling("/usr/local/bin/x", "program"),
    ],
    ids=lambda record: record.section,
)
def test_what_was_put_into_an_image_by_hand_counts_unless_somebody_declared_what_runs(record):
    for assumed in (True, False):
        role = Role("app", Root.parse("process"), OWN, assumed=assumed)
        lock = Lock.of((*BASE, record, *scope_records([role])), {"scope": {"status": "ok"}})
        assert bool(judge_scope(lock).counted) is assumed


def test_a_package_that_only_depends_on_cron_is_no_reason_to_judge_its_jobs():
    job = Record("cron", "/etc/cron.d/x y", {"ignored": "mode 0664"})
    assert not judged(job, more=[Member("deb", "cron:amd64", DEPENDS, "deb:tool:amd64")]).counted


def test_what_a_container_runs_always_counts():
    start = Record("process", "", {"cmd": '["serve"]', "program-missing": "serve"})
    gone = Record("env", "APP_HOME", {"value": "/gone", "gone": "/gone"})
    judgement = judged(start, gone, more=[Member("process", "", ALWAYS)])
    assert {one.found.rule for one in judgement.counted} == {"PROCESS-START", "ENV-GONE"}


VIA = "deb:libpq5:amd64 → libpq.so.5.15"


def test_a_library_that_a_packaged_program_does_not_find():
    lost = Member("missing-library", "libgssapi_krb5.so.2", LINKED, VIA)
    (one,) = judged(more=[lost]).counted
    assert (one.found.rule, one.found.key) == ("LIBRARY-UNRESOLVED", "libgssapi_krb5.so.2")
    assert one.found.message == f"{VIA} needs it, and it is nowhere"


def test_a_library_that_its_package_lacks_already_is_told_once():
    lost = Member("missing-library", "libgssapi_krb5.so.2", LINKED, VIA)
    (one,) = judged(deb("libpq5:amd64", unmet="libgssapi-krb5-2"), more=[lost]).counted
    assert one.found.rule == "PACKAGE-DEPENDS"
    assert one.via == "python:shop/flask → _pq.so → libpq.so.5"


def test_a_library_of_a_part_that_may_not_be_used_is_advice():
    part = Member("deb", "codecs:amd64", LOADED, "deb:libpq5:amd64 → codecs")
    lost = Member("missing-library", "libx.so.1", LINKED, "deb:codecs:amd64 → x.so")
    (one,) = judged(more=[part, lost]).counted
    assert one.found.rule == "LIBRARY-UNRESOLVED-OPTIONAL"


def test_a_declared_root_that_is_not_there():
    roles = [
        Role("app", Root.parse("python:.venv"), OWN),
        Role("tool", Root.parse("exe:/usr/bin/zip"), (Member("os", "", ALWAYS),)),
    ]
    gaps = {"status": "partial", "gaps": "1", "reason": "exe:/usr/bin/zip: there is no such root"}
    lock = Lock.of((*BASE, deb("cups:amd64", **HALF), *scope_records(roles)), {"scope": gaps})
    judgement = judge_scope(lock)
    (one,) = judgement.counted
    assert (one.found.rule, one.found.key, one.scope) == ("ROOT-MISSING", "tool", ("tool",))
    assert len(judgement.outside) == 1


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ([], "names no application"),
        ([Role("app", Root.parse("process"), (Member("os", "", ALWAYS),), True)], "names no"),
        ([Role("app", Root.parse("exe:/x"), (Member("os", "", ALWAYS),))], "names no"),
    ],
)
def test_without_an_application_everything_counts(roles, said):
    lock = Lock.of((*BASE, deb("cups:amd64", **HALF), *scope_records(roles)))
    judgement = judge_scope(lock)
    assert "PACKAGE-HALF" in {one.found.rule for one in judgement.counted}
    assert said in judgement.note
    assert not judgement.roles and not judgement.outside
    assert judge_scope(Lock.of((*BASE, *scope_records(roles)))).note == ""


def test_a_root_that_is_not_there_leaves_everything_to_judge():
    roles = [Role("app", Root.parse("exe:/x"), (Member("os", "", ALWAYS),))]
    gap = {"status": "partial", "gaps": "1", "reason": "exe:/x: there is no such root here"}
    lock = Lock.of((*BASE, deb("cups:amd64", **HALF), *scope_records(roles)), {"scope": gap})
    judgement = judge_scope(lock)
    assert {one.found.rule for one in judgement.counted} == {"ROOT-MISSING", "PACKAGE-HALF"}
    assert judgement.note == "no application is there, so everything counts"


def test_a_closure_that_is_known_in_part_proves_nothing_to_be_outside():
    gaps = {"status": "partial", "gaps": "1", "reason": "app: its closure has more files"}
    judgement = judged(deb("cups:amd64", **HALF), coverage=gaps)
    assert [one.scope for one in judgement.found] == [None]
    assert judgement.note.endswith("everything counts: app: its closure has more files")


def test_whole_is_everything():
    role = Role("app", Root.parse("exe:/x"), (Member("os", "", ALWAYS),))
    lock = Lock.of((*BASE, deb("cups:amd64", **HALF), *scope_records([role])))
    judgement = judge_scope(lock, whole=True)
    assert [(one.found.rule, one.scope) for one in judgement.found] == [("PACKAGE-HALF", None)]
    assert judgement.note == ""
