"""Input for the tests of renderers: reports, locks, and a comparison of many environments.

One report has everything in it, one is hostile, and one is as long as asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from envlock.diff.drift import (
    Change,
    ChangeKind,
    ChangeStatus,
    Delta,
    DriftReport,
    MovedSide,
    Note,
    NoteKind,
    Result,
    summarize,
)
from envlock.diff.engine import Options
from envlock.diff.many.matrix import Matrix, compare_many
from envlock.lockfile.lines import Lines
from envlock.lockfile.writer import render_lock
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.scope import Member, MemberClass
from envlock.model.scoping import PairedBy, RolePair, Scoping
from envlock.model.severity import Severity
from envlock.report.source_location import LockText, LockTexts
from envlock.versions.relation import Relation

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "`|` \\| *bold* _x_ [link](javascript:alert(1)) @everyone #1 !2 $math$ ~~x~~",
    'quote\'s "double" &amp; --> ]]> {{x}} {0} %0A %25',
    "::error file=x::y\n::stop-commands::t ##[error]z",
    "\x00\x1b[2J\x85\u2028\ufffe\udcff",
    "rtl \u202eevil\u202c עברית العربية",
    "日本語 🙂 e\u0301",
    "https://user@example.org/x?a=b www.example.org",
    "| --- | <details> deadbeefcafe123",
)
"""Names and values that try to escape from every format."""


def change(section: str, key: str, field: str, kind: ChangeKind, **rest: object) -> Change:
    """Return a change with the fingerprint that the engine would give it."""
    left, right = rest.pop("left", None), rest.pop("right", None)
    delta = Delta(section, key, field, kind, None, None, {})
    given: dict[str, object] = {
        "relation": Relation.DIFFERS,
        "severity": Severity.MEDIUM,
        "rule": "OTHER",
        "why": "it differs",
    }
    return Change(
        id=delta.id,
        section=section,
        key=key,
        field=field,
        kind=kind,
        left=left,  # type: ignore[arg-type]
        right=right,  # type: ignore[arg-type]
        **{**given, **rest},  # type: ignore[arg-type]
    )


def report_of(changes: Iterable[Change], **rest: object) -> DriftReport:
    """Return a report of changes."""
    found = tuple(changes)
    given: dict[str, object] = {
        "result": Result.DRIFT,
        "left_name": "dev",
        "right_name": "prod",
        "hidden": {},
        "parity": 71.4,
    }
    return DriftReport(changes=found, summary=summarize(found), **{**given, **rest})  # type: ignore[arg-type]


def everything() -> DriftReport:
    """Return a report with every kind, severity, relation and status, and notes."""
    add, gone, mod, unk = ChangeKind
    return report_of(
        [
            change("os", "", "libc", mod, left="glibc 2.36", right="glibc 2.31",
                 severity=Severity.CRITICAL, rule="OS-LIBC-OLDER",
                 why="programs built against glibc 2.36 need symbols that glibc 2.31 lacks",
                 next="build on prod, or upgrade it", moved=MovedSide.RIGHT),
            change("deb", "curl:amd64", "version", mod, left="7.88.1-10+deb12u12",
                 right="7.88.1-10+deb12u5", relation=Relation.OLDER, severity=Severity.HIGH,
                 rule="DEB-DOWNGRADE", why="older on prod: it lacks fixes of 7.88.1-10+deb12u12",
                 fix=(("apt-get", "install", "curl=7.88.1-10+deb12u12"),)),
            change("deb", "nginx:amd64", "version", mod, left="1.22.1-9+deb12u1",
                 right="1.22.1-9+deb12u2", relation=Relation.NEWER, rule="DEB-REVISION",
                 why="another Debian revision of the same upstream version",
                 next="bring both sides to 1.22.1-9+deb12u2", moved=MovedSide.BOTH),
            change("deb", "old:all", "", gone, left="1.0", severity=Severity.LOW,
                 status=ChangeStatus.WAIVED, policy="W-14 until 2027-02-01: prod is rebuilt then"),
            change("deb", "older:all", "", gone, left="1.0", severity=Severity.HIGH,
                 status=ChangeStatus.EXPIRED_WAIVER, policy="W-3 expired on 2026-01-01"),
            change("deb", "vim:amd64", "", add, right="9.0", severity=Severity.LOW,
                 status=ChangeStatus.BASELINE, policy="in the baseline"),
            change("env", "DATABASE_URL", "expect:must_differ", mod, left="x", right="x",
                 severity=Severity.CRITICAL, rule="EXPECT", why="both sides use one database",
                 next="give prod a database of its own"),
            change("env", "LANG", "", gone, left="C.UTF-8", severity=Severity.HIGH,
                 rule="ENV-CHARSET", why="without UTF-8 programs read and write text as ASCII"),
            change("env", "GREETING", "value", mod, left="moin", right="moin moin"),
            change("file", "/etc/app.json", "sha256", mod, left="c" * 64, right="d" * 64,
                 rule="FILE-CONTENT", why="the content differs"),
            change("file", "/etc/app.json", "content:http.limit", mod, left="1m", right="20m",
                 severity=Severity.INFO, rule="EXPLAINED", explained_by="file /etc/app.json"),
            change("file", "/etc/app.json", "content:debug", add, right="true",
                 severity=Severity.INFO, rule="EXPLAINED", explained_by="file /etc/app.json"),
            change("file", "/usr/bin/curl", "sha256", mod, left="a" * 64, right="b" * 64,
                 severity=Severity.INFO, rule="EXPLAINED", explained_by="deb curl:amd64"),
            change("file", "/srv/data", "", add, right="directory 0755 0:0", severity=Severity.LOW,
                 rule="FILE-EXTRA", why="only prod has it"),
            change("file", "/usr/lib/lost", "mode", mod, left="0644", right="0755",
                 severity=Severity.INFO, rule="EXPLAINED", explained_by="deb ignored:amd64"),
            change("host.module", "overlay", "", unk, left="1", severity=Severity.INFO,
                 rule="NOT-COVERED", why="cannot be seen there",
                 next="capture that side again with the rights and depth that show it"),
            change("host.sysctl", "", "coverage", unk, left="ok", right="unsupported",
                 severity=Severity.HIGH, rule="REQUIRED-NOT-COVERED",
                 why="policy requires this section; prod: unsupported"),
        ],
        hidden={"expected": 2, "log": 11},
        notes=(Note(NoteKind.STALE_WAIVER, "W-9", "waiver W-9 matches nothing any more"),),
        base_name="golden",
    )  # fmt: skip


def scoped() -> DriftReport:
    """Return a report of two applications, one of which nobody declared on the right."""
    add, gone, mod, _ = ChangeKind
    via = "python:app/cryptography → _rust.abi3.so → libssl.so.3"
    app = RolePair(
        role="app", left="python:.venv", right="python:/opt/app", paired_by=PairedBy.SIMILARITY,
        score=0.94, basis="46 of 49 Python packages", projected="right",
        declare=("[environments.prod.roots]", 'app = "python:/opt/app"'),
        members=(
            Member("deb", "libssl3:amd64", MemberClass.LINKED, via),
            Member("python", "app/flask", MemberClass.DECLARED, "python:app"),
        ),
    )  # fmt: skip
    web = RolePair(
        role="web", left="service:nginx", right="process", paired_by=PairedBy.DECLARED,
        basis="the same name, nginx", is_equal=True,
        members=(Member("deb", "nginx:amd64", MemberClass.DECLARED, "web"),),
    )  # fmt: skip
    return report_of(
        [
            change("deb", "libssl3:amd64", "version", mod, left="3.0.16-1", right="3.0.11-1",
                   relation=Relation.OLDER, severity=Severity.HIGH, rule="DEB-DOWNGRADE",
                   why=f"older on prod: it lacks fixes of 3.0.16-1; app needs it: {via}",
                   scope=("app", "web"), via=via),
            change("deb", "vim:amd64", "", gone, left="9.0", severity=Severity.HIGH, scope=()),
            change("env", "TOKEN", "expect:must_differ", mod, left="x", right="x", rule="EXPECT",
                   why="both sides use one token", next="give prod a token of its own"),
            change("python", "app/flask", "version", mod, left="3.1.0", right="3.0.0",
                   relation=Relation.OLDER, scope=("app",)),
            change("python", "app/extra", "", add, right="1.0", severity=Severity.LOW,
                   scope=("app",)),
        ],
        scoping=Scoping((app, web)),
        notes=(Note(NoteKind.SCOPE, "dev prod", "job of dev has no partner on prod"),),
    )  # fmt: skip


def hostile() -> DriftReport:
    """Return a report in which every text is hostile."""
    found = []
    for number, text in enumerate(HOSTILE):
        for kind in ChangeKind:
            left = None if kind is ChangeKind.ADDED else f"{text} {number}"
            right = None if kind is ChangeKind.REMOVED else f"{number} {text}"
            found.append(
                change(
                    "env" if number % 2 else "file", f"{text}{number}", "value", kind, left=left,
                    right=right, severity=list(Severity)[number % 5], rule="RULE<&`|",
                    why=f"because {text}", next=f"do {text}", policy=text,
                    status=list(ChangeStatus)[number % 4],
                    explained_by=text if number == 7 else "",
                )
            )  # fmt: skip
    note = Note(NoteKind.STALE_WAIVER, HOSTILE[0], f"note {HOSTILE[0]} {HOSTILE[2]}")
    return report_of(
        found,
        left_name=HOSTILE[0],
        right_name=HOSTILE[4],
        hidden={HOSTILE[1]: 3},
        notes=(note,),
        base_name=HOSTILE[3],
    )


def many(number: int) -> DriftReport:
    """Return a report of `number` changes in several sections."""
    sections = ("deb", "python", "env", "file", "host.sysctl")
    kinds = list(ChangeKind)
    severities = list(Severity)
    return report_of(
        change(
            sections[n * len(sections) // number],
            f"package-{n:05}:amd64",
            "version" if n % 4 > 1 else "",
            kinds[n % 4],
            left=None if n % 4 == 0 else f"1.{n}.0-1+deb12u1",
            right=None if n % 4 == 1 else f"1.{n}.0-1+deb12u2",
            severity=severities[n % 7 % 5],
            rule=f"RULE-{n % 9}",
            why="another Debian revision of the same upstream version, often a security fix",
            next=f"bring both sides to 1.{n}.0-1+deb12u2",
        )
        for n in range(number)
    )


def without_changes() -> DriftReport:
    """Return a report of two equal environments."""
    return replace(everything(), changes=(), result=Result.EQUAL, summary={})


LEFT = Lock.of([
    Record("deb", "curl:amd64", {"version": "7.88.1-10+deb12u12", "mark": "manual"}),
    Record("deb", "old:all", {"version": "1.0"}),
    Record("env", "LANG", {"value": "C.UTF-8"}),
    Record("os", "", {"id": "debian", "libc": "glibc 2.36"}),
])  # fmt: skip
RIGHT = Lock.of([
    Record("deb", "curl:amd64", {"version": "7.88.1-10+deb12u5", "mark": "manual"}),
    Record("deb", "nginx:amd64", {"version": "1.22.1-9+deb12u2"}),
    Record("deb", 'odd"\\\udcff:all', {"version": "1"}),
    Record("env", "GREETING", {"value": "moin moin"}),
    Record("os", "", {"id": "debian", "libc": "glibc 2.31"}),
    Record("tree", "", {"content": "sha256:1", "entries": "4"}),
])  # fmt: skip


def lock_text(lock: Lock, path: str, *, is_current: bool = True) -> LockText:
    """Return a lockfile as a report refers to it."""
    return LockText(path, Lines.of(render_lock(lock)), is_current=is_current)


LOCKS = LockTexts(lock_text(LEFT, "locks/dev.lock"), lock_text(RIGHT, "locks/prod.lock"))
"""The lockfiles that `everything` points at."""


def environment(libc: str, lang: str = "C.UTF-8", **packages: str) -> Lock:
    """Return the lock of a small environment."""
    records = [
        Record("deb", "libc6:amd64", {"version": libc}),
        Record("env", "LANG", {"value": lang}),
        *(Record("deb", name, {"version": version}) for name, version in packages.items()),
    ]
    return Lock.of(records)


def fleet() -> Matrix:
    """Return a comparison of 17 equal environments and two that deviate."""
    locks = {f"web-{n}": environment("2.36-9") for n in range(1, 18)}
    locks["db"] = environment("2.31-13", "C")
    locks["old"] = environment("2.31-13", tool="1")
    return compare_many(locks, Options())
