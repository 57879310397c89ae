"""The text report, against golden pages that a person has read."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from envlock.diff.drift import ChangeStatus, DriftReport
from envlock.diff.engine import Options, compare
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from envlock.report.input import Canvas, PairInput
from envlock.report.text import render_text

GOLDEN = Path(__file__).parents[2] / "golden" / "reports"
F, D = EntryType.FILE, EntryType.DIRECTORY
OK = {"status": "ok"}


def lock(*records, coverage=None):
    return Lock.of([Record(*record) for record in records], coverage)


def drifted() -> DriftReport:
    """Compare two environments that differ in every way the report distinguishes."""
    old = [
        ("os", "", {"id": "debian", "version": "12", "arch": "amd64", "libc": "glibc 2.36"}),
        ("deb", "nginx:amd64", {"version": "1.22.1-9+deb12u1", "mark": "manual"}),
        ("deb", "curl:amd64", {"version": "7.88.1-10+deb12u12", "mark": "manual"}),
        ("deb", "libgomp1:amd64", {"version": "12.2.0-14", "mark": "auto"}),
        ("python", "app/numpy", {"version": "1.26.4"}),
        ("env", "LANG", {"value": "C.UTF-8"}),
        ("env", "GREETING", {"value": "grüß dich " * 12}),
        ("host.driver", "nvidia", {"version": "550.54"}),
        ("host.module", "nf_tables", {"version": "1"}),
        ("host.module", "overlay", {"version": "1"}),
    ]
    new = [
        ("os", "", {"id": "debian", "version": "12", "arch": "amd64", "libc": "glibc 2.31"}),
        ("deb", "nginx:amd64", {"version": "1.22.1-9+deb12u2", "mark": "hold"}),
        ("deb", "curl:amd64", {"version": "7.88.1-10+deb12u5", "mark": "manual"}),
        ("deb", "vim\x1b[2J:amd64", {"version": "9.0", "mark": "manual"}),
        ("python", "app/numpy", {"version": "2.0.0"}),
        ("env", "GREETING", {"value": "moin"}),
        ("host.driver", "nvidia", {"version": "470.199"}),
    ]
    curl = {"file_class": FileClass.PACKAGE, "owner": "deb curl:amd64"}
    left = Tree.of([
        Row(Entry("/usr/bin/curl", F, 0o755, sha256="a" * 64), **curl),
        Row(Entry("/etc/app.json", F, 0o644, sha256="c" * 64), FileClass.UNOWNED),
        Row(Entry("/bin/tool", F, 0o755), FileClass.UNOWNED),
        Row(Entry("/var/log/x", F), FileClass.LOG),
    ])  # fmt: skip
    right = Tree.of([
        Row(Entry("/usr/bin/curl", F, 0o755, sha256="b" * 64), **curl),
        Row(Entry("/etc/app.json", F, 0o644, uid=33, sha256="d" * 64), FileClass.UNOWNED),
        Row(Entry("/bin/tool", F, 0o4755), FileClass.UNOWNED),
        Row(Entry("/opt/app", D, 0o755), FileClass.UNOWNED),
        Row(Entry("/opt/app/\udcff\n", F, 0o644), FileClass.UNOWNED),
        *(Row(Entry(f"/srv/{n:02}", F, 0o644), FileClass.UNOWNED) for n in range(14)),
    ])  # fmt: skip
    contents = {
        "c" * 64: b'{"http": {"limit": "1m", "port": 80}}',
        "d" * 64: b'{"http": {"limit": "20m", "port": 80}, "debug": true}',
    }
    options = Options(
        left_name="dev",
        right_name="docker:web",
        ignore=("env:NOTHING",),
        contents=contents.get,
        redact=lambda _name, value: value,
    )
    gap = {"status": "unsupported"}
    a = lock(*old, coverage={"host.module": OK, "deb": OK, "env": OK, "tree": OK})
    b = lock(*new, coverage={"host.module": gap, "deb": OK, "env": OK, "tree": OK})
    return compare(a, b, left_tree=left, right_tree=right, options=options)


def inconclusive() -> DriftReport:
    a = lock(("deb", "curl:amd64", {"version": "1"}), coverage={"deb": OK})
    b = lock(coverage={"deb": {"status": "unreadable", "reason": "/var/lib/dpkg: denied"}})
    options = Options(left_name="dev", right_name="prod", require=frozenset({"deb"}))
    return compare(a, b, options=options)


def equal() -> DriftReport:
    a = lock(("deb", "curl:amd64", {"version": "1"}))
    return compare(a, a, options=Options(left_name="dev", right_name="prod"))


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("drift", PairInput(drifted())),
        ("drift-full", PairInput(drifted(), full=True)),
        ("drift-narrow-ascii", PairInput(drifted(), Canvas(width=60, ascii=True))),
        ("inconclusive", PairInput(inconclusive())),
        ("equal", PairInput(equal())),
    ],
)
def test_golden_pages(name, given):
    page = render_text(given)
    if os.environ.get("ENVLOCK_REGOLD"):
        (GOLDEN / f"{name}.txt").write_text(page)
    assert page == (GOLDEN / f"{name}.txt").read_text()


def colored(report):
    return render_text(PairInput(report, Canvas(color=True)))


def test_colour_adds_only_colour():
    report = drifted()
    coloured = colored(report)
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    plain = render_text(PairInput(report))
    assert [line.rstrip() for line in stripped.splitlines()] == plain.splitlines()
    assert "\x1b[1;31mDRIFT" in coloured


def test_only_the_changed_part_of_a_version_is_coloured():
    a, b = (lock(("deb", "x:all", {"version": f"1.22.1-9+deb12{u}"})) for u in ("u1", "u2"))
    assert "1.22.1-9+\x1b[31mdeb12u1\x1b[0m" in colored(compare(a, b))


def test_colour_does_not_depend_on_environment_variables(monkeypatch):
    coloured = colored(drifted())
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    assert colored(drifted()) == coloured


def test_markup_in_names_is_text():
    a = lock(("env", "[red]x[/red]", {"value": ":smile: [bold]"}))
    assert "[red]x[/red]  :smile: [bold]" in colored(compare(lock(), a))


def test_changes_that_policy_covers_are_counted_and_not_listed():
    report = compare(lock(("env", "A", {"value": "1"})), lock())
    waived = replace(report.changes[0], status=ChangeStatus.WAIVED)
    page = render_text(PairInput(replace(report, changes=(waived,), summary={})))
    assert "covered by policy: 1 waived" in page
    assert "environment variables" not in page


def test_every_critical_change_is_on_the_page():
    records = [("user", f"root{n}", {"uid": "0"}) for n in range(40)]
    page = render_text(PairInput(compare(lock(), lock(*records))))
    assert page.count("critical ") == 41


def test_a_section_lists_the_severe_first_and_digests_only_where_nothing_else_is_known():
    old = [
        ("deb", "a:all", {"version": "1", "mark": "manual"}),
        ("deb", "libz1:amd64", {"version": "1"}),
        ("deb", "libb1:amd64", {"version": "1"}),
        ("setting", "pam.x", {"sha256": "1" * 64, "value": "one"}),
    ]
    new = [
        ("deb", "a:all", {"version": "2", "mark": "manual"}),
        ("deb", "libz1:amd64", {"version": "2"}),
        ("deb", "libb1:amd64", {"version": "2"}),
        ("setting", "pam.x", {"sha256": "2" * 64, "value": "two"}),
        ("user", "x", {"shell": "/sbin/nologin", "shell-missing": "true"}),
    ]
    old.append(("user", "x", {"shell": "/sbin/nologin"}))
    page = render_text(PairInput(compare(lock(*old), lock(*new))))
    listed = re.findall(r"^. (\w+) +(\S+:\w+)", page, re.MULTILINE)
    assert listed == [("high", "libb1:amd64"), ("high", "libz1:amd64"), ("medium", "a:all")]
    assert "pam.x  one → two" in page
    assert "shell-missing only on right" in page
