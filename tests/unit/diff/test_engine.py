"""Locks are compared by key, and coverage gaps are kept apart."""

import pytest

from envlock.diff.drift import Change, ChangeKind, Result, exceeds
from envlock.diff.engine import Options, compare
from envlock.errors import UsageError
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.severity import Severity
from envlock.versions.relation import Relation

OK = {"status": "ok"}


def lock(*records, coverage=None):
    return Lock.of([Record(*record) for record in records], coverage)


def deb(name, version="1.0-1", **facts):
    return "deb", f"{name}:amd64", {"version": version, "mark": "auto", **facts}


def only(report) -> Change:
    assert len(report.changes) == 1, report.changes
    return report.changes[0]


def summaries(report):
    return [(c.section, c.key, c.field, c.kind.value, c.left, c.right) for c in report.changes]


def test_equal_locks_are_equal():
    a, b = (lock(deb("curl"), ("env", "LANG", {"value": "C"})) for _ in range(2))
    report = compare(a, b)
    assert (report.result, report.changes, report.parity) == (Result.EQUAL, (), 100.0)


def test_an_upgrade_is_newer_a_downgrade_older():
    a, b = lock(deb("curl", "1.9-1")), lock(deb("curl", "1.10-1"))
    change = only(compare(a, b))
    assert (change.field, change.kind, change.relation) == (
        "version",
        ChangeKind.CHANGED,
        Relation.NEWER,
    )
    assert (change.left, change.right) == ("1.9-1", "1.10-1")
    back = only(compare(b, a))
    assert (back.relation, back.rule, back.severity) == (
        Relation.OLDER,
        "DEB-DOWNGRADE",
        Severity.HIGH,
    )


def test_records_and_facts_on_one_side_only():
    a = lock(deb("curl"), ("user", "www", {"uid": "33"}))
    b = lock(deb("git"), ("user", "www", {"uid": "33", "shell": "/bin/sh"}))
    assert summaries(compare(a, b)) == [
        ("deb", "curl:amd64", "", "removed", "1.0-1", None),
        ("deb", "git:amd64", "", "added", None, "1.0-1"),
        ("user", "www", "shell", "added", None, "/bin/sh"),
    ]


def test_a_single_table_is_compared_fact_by_fact():
    a, b = lock(deb("curl")), lock(deb("curl"), ("os", "", {"id": "debian", "version": "12"}))
    assert summaries(compare(a, b)) == [
        ("os", "", "version", "added", None, "12"),
        ("os", "", "id", "added", None, "debian"),
    ]


def test_provenance_is_compared_only_if_both_sides_have_it():
    bare, one, other = (lock(deb("curl", **f)) for f in ({}, {"sha256": "a"}, {"sha256": "b"}))
    assert compare(bare, one).changes == ()
    assert only(compare(one, other)).rule == "PACKAGE-REBUILT"


def test_a_changed_version_explains_a_changed_digest():
    a = lock(deb("curl", "1", sha256="a"))
    b = lock(deb("curl", "2", sha256="b"))
    report = compare(a, b)
    assert [(c.field, c.explained_by) for c in report.changes] == [
        ("version", ""),
        ("sha256", "deb curl:amd64"),
    ]
    assert sum(report.summary.values()) == 1


def test_addresses_and_counts_are_never_compared():
    a = lock(("tree", "", {"content": "sha256:1", "object": "sha256:2", "entries": "3"}))
    b = lock(("tree", "", {"content": "sha256:1", "object": "sha256:4", "entries": "5"}))
    assert compare(a, b).result is Result.EQUAL


def test_a_tree_without_rows_is_compared_by_its_digest():
    a, b = (lock(("tree", "", {"content": f"sha256:{n}"})) for n in "12")
    change = only(compare(a, b))
    assert (change.section, change.field, change.rule) == ("tree", "content", "TREE")
    assert "not in this store" in change.why


def test_an_unknown_section_of_a_newer_minor_version_is_compared():
    a, b = lock(("quantum", "bit", {"value": "0"})), lock(("quantum", "bit", {"value": "1"}))
    assert only(compare(a, b)).rule == "OTHER"


class TestCoverageGaps:
    """Unknown is neither equal nor empty."""

    @pytest.mark.parametrize("status", ["partial", "unreadable", "unsupported", "skipped", "novel"])
    def test_a_section_that_could_not_be_read_is_unknown_never_removed(self, status):
        a = lock(deb("curl"), coverage={"deb": OK})
        b = lock(coverage={"deb": {"status": status, "reason": "/var/lib/dpkg: denied"}})
        report = compare(a, b)
        change = only(report)
        assert change.kind is ChangeKind.UNKNOWN
        assert "/var/lib/dpkg: denied" in change.why
        assert report.result is Result.INCONCLUSIVE
        assert not exceeds(report, Severity.INFO)
        assert only(compare(b, a)).kind is ChangeKind.UNKNOWN

    @pytest.mark.parametrize("status", ["ok", "absent"])
    def test_a_covered_section_without_the_record_is_removed(self, status):
        a = lock(deb("curl"), coverage={"deb": OK})
        b = lock(coverage={"deb": {"status": status}})
        assert only(compare(a, b)).kind is ChangeKind.REMOVED
        assert only(compare(b, a)).kind is ChangeKind.ADDED

    def test_versions_are_compared_in_a_partly_read_section(self):
        a = lock(deb("curl"), deb("git"), coverage={"deb": OK})
        b = lock(deb("git", "2"), coverage={"deb": {"status": "partial"}})
        assert [(c.key, c.kind) for c in compare(a, b).changes] == [
            ("curl:amd64", ChangeKind.UNKNOWN),
            ("git:amd64", ChangeKind.CHANGED),
        ]

    def test_sections_of_one_collector_share_its_coverage(self):
        a = lock(("apt-pin", "*", {"priority": "1"}), coverage={"apt-source": OK})
        b = lock(coverage={"apt-source": {"status": "unreadable"}})
        assert only(compare(a, b)).kind is ChangeKind.UNKNOWN
        c = lock(coverage={"apt-source": OK})
        assert only(compare(a, c)).kind is ChangeKind.REMOVED

    def test_a_section_without_coverage_is_unknown(self):
        a = lock(("locale", "", {"tz": "UTC"}), coverage={"locale": OK})
        b = lock(coverage={"deb": OK})
        assert only(compare(a, b)).kind is ChangeKind.UNKNOWN

    def test_a_lock_without_coverage_is_taken_as_complete(self):
        assert only(compare(lock(deb("curl")), lock())).kind is ChangeKind.REMOVED

    @pytest.mark.parametrize("status", ["partial", "unreadable", "skipped", ""])
    def test_a_required_section_makes_it_inconclusive(self, status):
        covered = lock(deb("curl"), coverage={"deb": OK})
        coverage = {"deb": {"status": status}} if status else {}
        report = compare(
            covered, lock(coverage=coverage), options=Options(require=frozenset({"deb"}))
        )
        assert report.result is Result.INCONCLUSIVE
        assert report.changes[0].rule == "REQUIRED-NOT-COVERED"
        assert (
            compare(covered, covered, options=Options(require=frozenset({"deb"}))).result == "equal"
        )

    def test_a_required_section_that_is_absent_was_covered(self):
        a = lock(deb("curl"), coverage={"rpm": {"status": "absent"}})
        assert compare(a, a, options=Options(require=frozenset({"rpm"}))).result is Result.EQUAL


class TestSelection:
    A = lock(
        deb("curl"), deb("git"), ("env", "A", {"value": "1"}), ("host.cpu", "", {"model": "x"})
    )
    B = lock(deb("curl", "2"), deb("git", mark="hold"), ("env", "A", {"value": "2"}),
             ("host.cpu", "", {"model": "y"}))  # fmt: skip

    def sections(self, **options):
        report = compare(self.A, self.B, options=Options(**options))
        return [change.section for change in report.changes], dict(report.hidden)

    def test_sections(self):
        assert self.sections(sections=frozenset({"env"})) == (["env"], {})
        assert self.sections(sections=frozenset({"host"})) == (["host.cpu"], {})

    @pytest.mark.parametrize(
        ("rule", "left"),
        [
            ("deb:curl:amd64", ["deb", "env", "host.cpu"]),
            ("deb:curl*", ["deb", "env", "host.cpu"]),
            ("deb:*:mark", ["deb", "env", "host.cpu"]),
            ("deb:git:amd64:mark", ["deb", "env", "host.cpu"]),
            ("host.*", ["deb", "deb", "env"]),
            ("host.cpu::model", ["deb", "deb", "env"]),
            ("*:*", []),
            ("deb:git:amd64:version", ["deb", "deb", "env", "host.cpu"]),
        ],
    )
    def test_ignored_differences_are_counted_not_shown(self, rule, left):
        shown, hidden = self.sections(ignore=(rule,))
        assert shown == left
        assert hidden == ({"ignored": 4 - len(left)} if len(left) < 4 else {})

    def test_all_ignored_is_equal(self):
        assert compare(self.A, self.B, options=Options(ignore=("**",))).result is Result.EQUAL

    def test_a_rule_without_a_section_is_an_error(self):
        with pytest.raises(UsageError, match="not an ignore rule"):
            compare(self.A, self.B, options=Options(ignore=(":x",)))


def test_changes_are_sorted_by_section_then_key():
    keys = ["a", "Z", "é", "\udcff", "b\n"]
    a = lock(*(("env", key, {"value": "1"}) for key in keys), ("os", "", {"id": "x"}))
    report = compare(a, lock())
    assert [(c.section, c.key) for c in report.changes] == [
        ("os", ""), ("env", "Z"), ("env", "a"), ("env", "b\n"), ("env", "é"), ("env", "\udcff"),
    ]  # fmt: skip


def test_ids_do_not_depend_on_values():
    a, b, c = (lock(deb("curl", version)) for version in "123")
    assert only(compare(a, b)).id == only(compare(b, c)).id == only(compare(c, a)).id
    assert only(compare(a, lock())).id != only(compare(lock(), a)).id


def test_parity_is_never_rounded_up_to_100():
    a = lock(*(deb(f"p{n}") for n in range(5000)))
    b = lock(*(deb(f"p{n}") for n in range(4999)), deb("p4999", "2"))
    assert compare(a, b).parity == 99.9
    assert compare(lock(), lock()).parity == 100.0


def test_the_threshold():
    report = compare(lock(deb("curl", "2")), lock(deb("curl", "1")))
    assert report.summary["high"] == 1
    assert exceeds(report, Severity.HIGH)
    assert exceeds(report, Severity.LOW)
    assert not exceeds(report, Severity.CRITICAL)
    assert not exceeds(report, None)


def test_a_package_explains_what_it_contains():
    owner = "deb python3-yaml:amd64"

    def both(version, python):
        return lock(
            deb("python3-yaml", version),
            ("python", "system-3", {"version": "3.11"}),
            ("python", "system-3/pyyaml", {"version": python, "packaged-by": owner}),
            ("python", "system-3/six", {"version": python, "packaged-by": "deb python3-six:all"}),
        )

    changes = compare(both("6.0-1", "6.0"), both("6.1-1", "6.1")).changes
    assert {change.key: change.explained_by for change in changes} == {
        "python3-yaml:amd64": "",
        "system-3/pyyaml": owner,
        "system-3/six": "",
    }


def test_content_that_one_side_could_not_read_is_unknown():
    known = {"class": "unowned", "mode": "0644", "owner": "0:0", "sha256": "a" * 64}
    unread = {name: value for name, value in known.items() if name != "sha256"}
    link = {"class": "unowned", "mode": "0777", "owner": "0:0", "target": "x"}
    gone = {"class": "conffile-missing"}
    file, other, missing, linked = (
        lock(("file", "/etc/x", facts)) for facts in (known, unread, gone, link)
    )
    for pair in ((file, other), (other, file)):
        change = only(compare(*pair))
        assert (change.field, change.kind) == ("sha256", ChangeKind.UNKNOWN)
        assert compare(*pair).result is Result.INCONCLUSIVE
    assert compare(file, missing).result is Result.DRIFT
    assert compare(file, linked).result is Result.DRIFT


def test_the_digest_of_a_tree_with_gaps_proves_nothing():
    a, b = (lock(("tree", "", {"content": f"sha256:{name * 64}"})) for name in "ab")
    assert compare(a, b).result is Result.DRIFT
    partly = lock(
        ("tree", "", {"content": f"sha256:{'b' * 64}"}),
        coverage={"tree": {"status": "partial", "reason": "/root: permission denied"}},
    )
    assert compare(a, partly).result is Result.INCONCLUSIVE
