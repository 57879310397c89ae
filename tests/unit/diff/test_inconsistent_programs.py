"""Programs that cannot start, and names that lead to nothing, in one lock and in a comparison."""

import pytest

from envlock.diff.engine import Options, compare
from envlock.diff.inconsistencies.find import find_inconsistencies
from envlock.diff.rules import INCONSISTENCY_RULES, RULES
from envlock.diff.rules.inconsistent.programs import INCONSISTENT_PROGRAMS
from envlock.model.lock import Lock
from envlock.model.record import Record

AMD64 = ("os", "", {"id": "debian", "arch": "amd64"})
TOOL = "/usr/local/bin/tool"


def lock(*records):
    return Lock.of(Record(*record) for record in records)


def software(key, kind, **facts):
    return ("software", key, {"kind": kind, **facts})


def missing(key="libfoo.so.1", kind="program", **facts):
    facts = {name.replace("_", "-"): value for name, value in facts.items()}
    return ("missing-library", key, {"needed-by": TOOL, "count": "1", "kind": kind, **facts})


def symbol(kind):
    facts = {"needed-by": TOOL, "library": "libc.so.6", "newest": "2.36", "kind": kind}
    return ("missing-symbol", "GLIBC_2.38", facts)


def link(path, kind, **facts):
    return ("dangling", path, {"kind": kind, "target": "../gone", **facts})


CASES = [
    ("PROGRAM-FOREIGN", [AMD64, software(TOOL, "program", machine="aarch64")]),
    ("TREE-FOREIGN", [AMD64, software("/opt/app", "tree", machine="aarch64", programs="2")]),
    ("PROGRAM-LOADER", [missing("/lib/ld-musl-x86_64.so.1")]),
    ("LIBRARY-MISSING", [missing()]),
    ("LIBRARY-MISSING", [("missing-library", "libfoo.so.1", {"needed-by": TOOL})]),
    ("LIBRARY-MISSING-BUNDLED", [missing(kind="bundled-program")]),
    ("LIBRARY-MISSING-OPTIONAL", [missing(kind="bundled")]),
    ("LIBRARY-MISSING-OPTIONAL", [missing("/lib/ld-musl-x86_64.so.1", kind="bundled")]),
    ("LIBRARY-NOT-CACHED", [missing(found_in="/usr/local/lib", cached="false")]),
    ("LIBRARY-OFF-PATH", [missing(found_in="/opt/foo/lib")]),
    ("SYMBOL-MISSING", [symbol("program")]),
    ("SYMBOL-MISSING-BUNDLED", [symbol("bundled-program")]),
    ("SYMBOL-MISSING-OPTIONAL", [symbol("bundled")]),
    ("INTERPRETER-MISSING", [software(TOOL, "script", missing="/usr/bin/python2")]),
    ("INTERPRETER-MISSING", [software("/opt/app", "tree", **{"lost-interpreter": "/srv/bin/x"})]),
    ("DANGLING-LIBRARY", [link("/usr/lib/libfoo.so.1", "library")]),
    ("DANGLING-PROGRAM", [link("/usr/bin/python", "program")]),
    ("DANGLING", [link("/usr/bin/python", "program", **{"packaged-by": "deb x:amd64"})]),
    ("DANGLING-ALTERNATIVE", [link("/etc/alternatives/editor", "alternative")]),
    ("DANGLING-SERVICE", [link("/etc/systemd/system/a.target.wants/b.service", "enabled-unit")]),
    ("DANGLING-ENABLED", [link("/etc/nginx/sites-enabled/shop", "web-server")]),
    ("DANGLING-JOB", [link("/etc/cron.daily/backup", "job")]),
    ("DANGLING-TRUST", [link("/etc/ssl/certs/ca-certificates.crt", "trust")]),
    ("DANGLING-TIME-ZONE", [link("/etc/localtime", "time-zone")]),
    ("DANGLING", [link("/etc/sysctl.d/99-x.conf", "setting")]),
]

QUIET = [
    [AMD64, software(TOOL, "program", machine="x86_64")],
    [AMD64, software(TOOL, "program", machine="i386")],
    [AMD64, software("/opt/app", "tree", machine="aarch64 x86_64", programs="2")],
    [AMD64, software("/opt/sdk", "tree", machine="aarch64")],
    [AMD64, software("/opt/x", "tree", machine="cuda", programs="1")],
    [software(TOOL, "program", machine="aarch64")],
    [
        AMD64,
        software(TOOL, "program", machine="aarch64"),
        ("deb", "qemu-user-static:amd64", {"version": "1"}),
    ],
    [
        missing(found_in="/opt/foo/lib"),
        ("env", "LD_LIBRARY_PATH", {"value": "/opt/x:/opt/foo/lib/"}),
    ],
    [software(TOOL, "script", interpreter="/bin/sh")],
]


@pytest.mark.parametrize(("rule", "records"), CASES)
def test_each_inconsistency_is_found(rule, records):
    (found,) = find_inconsistencies(lock(*records))
    assert found.rule == rule
    assert found.message and found.next and "{" not in found.next


@pytest.mark.parametrize("records", QUIET)
def test_what_works_has_no_findings(records):
    assert find_inconsistencies(lock(*records)) == []


def test_every_rule_of_programs_has_a_case():
    later = {"SYMBOL-STILL-MISSING"}  # judges differences only
    assert {rule for rule, _ in CASES} == {rule.id for rule in INCONSISTENT_PROGRAMS} - later


def test_every_rule_has_its_reason_and_its_source():
    assert all(rule.source and rule.why and rule.next for rule in INCONSISTENCY_RULES.values())
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)


def test_the_machine_of_a_foreign_program_explains_the_libraries_that_it_lacks():
    foreign = software(TOOL, "program", machine="aarch64")
    assert [one.rule for one in find_inconsistencies(lock(AMD64, foreign, missing()))] == [
        "PROGRAM-FOREIGN"
    ]


def changes(left, right):
    report = compare(lock(*left), lock(*right), options=Options(left_name="dev", right_name="prod"))
    return {(c.section, c.key, c.field): (c.rule, c.severity, c.why) for c in report.changes}


def test_a_difference_tells_what_holds_on_one_side_only():
    good = software(TOOL, "script", interpreter="/usr/bin/python2")
    bad = software(TOOL, "script", interpreter="/usr/bin/python2", missing="/usr/bin/python2")
    record = ("software", TOOL, "missing")
    assert changes([good], [bad]) == {
        record: (
            "INTERPRETER-MISSING",
            "high",
            "on prod, its interpreter /usr/bin/python2 does not exist",
        )
    }
    assert changes([bad], [good]) == {
        record: (
            "INTERPRETER-MISSING",
            "low",
            "only on dev, its interpreter /usr/bin/python2 does not exist",
        )
    }
    assert changes([bad], [bad]) == {}


def test_what_no_fact_shows_is_a_difference_of_its_own():
    arm = ("os", "", {"id": "debian", "arch": "arm64"})
    tool = software(TOOL, "program", machine="x86_64")
    found = changes([AMD64, tool], [arm, tool])
    assert found["software", TOOL, "check:PROGRAM-FOREIGN"] == (
        "PROGRAM-FOREIGN",
        "critical",
        "a program for another architecture does not start",
    )
    assert found["os", "", "arch"][0] == "OS-ARCH"


def test_a_new_record_takes_the_rule_that_is_more_severe():
    found = changes([], [missing(kind="bundled")])
    assert found["missing-library", "libfoo.so.1", ""][0] == "LIBRARY-MISSING"
    found = changes([], [link("/usr/lib/libfoo.so.1", "library")])
    assert found["dangling", "/usr/lib/libfoo.so.1", ""][0] == "DANGLING-LIBRARY"
    found = changes([link("/usr/lib/libfoo.so.1", "library")], [])
    assert found["dangling", "/usr/lib/libfoo.so.1", ""][1] == "low"


def test_only_chosen_sections_are_compared():
    options = Options(sections=frozenset({"deb"}))
    assert compare(lock(), lock(missing()), options=options).changes == ()


TWO = software(TOOL, "script", interpreter="x", missing="x", machine="aarch64")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([AMD64], [AMD64, TWO]),
        ([AMD64, software(TOOL, "script", interpreter="x")], [AMD64, TWO]),
        ([("os", "", {"arch": "arm64"}), TWO], [AMD64, TWO]),
        ([], [link("/usr/lib/libfoo.so.1", "library"), missing()]),
    ],
)
def test_both_directions_show_the_same_records(left, right):
    forth, back = changes(left, right), changes(right, left)
    assert forth.keys() == back.keys()
    assert any(severity in ("critical", "high") for _, severity, _ in forth.values())
