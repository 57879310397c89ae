"""Expectations: met ones hide changes, unmet ones are changes, others give a note."""

import pytest

from envlock.config.policy_tables import Demand, Expectation
from envlock.diff.drift import ChangeKind, NoteKind, Result, exceeds
from envlock.diff.engine import Options, compare
from envlock.diff.policy.policy import Policy
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.severity import Severity
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from envlock.versions.likeness import Likeness

OK = {"status": "ok"}
DEV_PROD = ("dev", "prod")


def lock(*records, coverage=None):
    return Lock.of([Record(*record) for record in records], coverage)


def deb(name, version="1.0-1", **facts):
    return "deb", f"{name}:amd64", {"version": version, "mark": "auto", **facts}


def env(name, value):
    return "env", name, {"value": value}


def expect(demand, section="deb", key="**", **more):
    return Expectation(
        section=section, key=key, fact=more.pop("fact", ""), demand=demand,
        reason="because", severity=more.pop("severity", "high"), **more
    )  # fmt: skip


def judged(left, right, *expectations, names=DEV_PROD, trees=(None, None), **options):
    return compare(
        left,
        right,
        left_tree=trees[0],
        right_tree=trees[1],
        options=Options(
            left_name=names[0], right_name=names[1], policy=Policy(expect=expectations), **options
        ),
    )


def summaries(report):
    return [(c.key, c.field, c.left, c.right, c.rule) for c in report.changes]


class TestMustDiffer:
    EXPECTED = expect(Demand.MUST_DIFFER, "env", "DATABASE_URL", fact="value")

    def test_a_met_expectation_hides_and_counts_the_change(self):
        report = judged(
            lock(env("DATABASE_URL", "a")), lock(env("DATABASE_URL", "b")), self.EXPECTED
        )
        assert (report.result, report.changes) == (Result.EQUAL, ())
        assert (report.hidden, report.parity) == ({"expected": 1}, 100.0)

    def test_an_unmet_expectation_is_a_change_though_nothing_differs(self):
        same = lock(env("DATABASE_URL", "a"), env("X", "1"))
        report = judged(same, same, self.EXPECTED)
        assert summaries(report) == [
            ("DATABASE_URL", "expect:must-differ", "a", "a", "EXPECT-MUST-DIFFER")
        ]
        change = report.changes[0]
        assert (change.kind, change.severity, change.is_unmet) == (
            ChangeKind.CHANGED,
            Severity.HIGH,
            True,
        )
        assert change.why == "because: must-differ, but both have the same"
        assert "dev" in change.next
        assert (report.result, report.parity) == (Result.DRIFT, 50.0)
        assert exceeds(report, Severity.HIGH)

    def test_a_record_on_one_side_stays_a_change(self):
        report = judged(lock(env("DATABASE_URL", "a")), lock(), self.EXPECTED)
        assert [c.rule for c in report.changes] == ["ENV-MISSING"]

    def test_secrets_cannot_be_judged(self):
        same = lock(("env", "DATABASE_URL", {"secret": "present"}))
        report = judged(same, same, expect(Demand.MUST_DIFFER, "env", "DATABASE_*"))
        assert report.result is Result.EQUAL
        (note,) = report.notes
        assert note.kind is NoteKind.UNDECIDED_EXPECTATION
        assert "secret" in note.text

    def test_one_environment_need_not_differ_from_itself(self):
        same = lock(env("DATABASE_URL", "a"))
        assert judged(same, same, self.EXPECTED, names=("dev", "dev")).changes == ()

    def test_it_is_only_about_its_pair(self):
        expected = expect(Demand.MUST_DIFFER, "env", "A", environments=DEV_PROD)
        same = lock(env("A", "1"))
        assert judged(same, same, expected).changes
        assert judged(same, same, expected, names=DEV_PROD[::-1]).changes
        assert not judged(same, same, expected, names=("dev", "ci")).changes


class TestOnlyIn:
    EXPECTED = expect(Demand.ONLY_IN, "deb", "gdb:*", names=frozenset({"dev", "ci"}))

    def test_a_change_in_an_allowed_environment_is_hidden(self):
        assert judged(lock(deb("gdb")), lock(), self.EXPECTED).hidden == {"expected": 1}
        assert judged(lock(), lock(deb("gdb")), self.EXPECTED, names=("prod", "ci")).hidden == {
            "expected": 1
        }

    def test_a_record_in_another_environment_is_a_change(self):
        report = judged(lock(deb("gdb")), lock(deb("gdb")), self.EXPECTED)
        assert summaries(report) == [
            ("gdb:amd64", "expect:only-in", "1.0-1", "1.0-1", "EXPECT-ONLY-IN")
        ]
        assert "it is in prod" in report.changes[0].why
        report = judged(lock(), lock(deb("gdb")), self.EXPECTED)
        assert [c.rule for c in report.changes] == ["DEB-EXTRA-DEPENDENCY", "EXPECT-ONLY-IN"]

    def test_a_difference_between_allowed_environments_stays(self):
        report = judged(lock(deb("gdb")), lock(), self.EXPECTED, names=("dev", "ci"))
        assert [c.rule for c in report.changes] == ["DEB-DEPENDENCY-MISSING"]

    def test_an_uncovered_section_stays_unknown(self):
        a = lock(deb("gdb"), coverage={"deb": OK})
        b = lock(coverage={"deb": {"status": "unreadable"}})
        (change,) = judged(a, b, self.EXPECTED).changes
        assert change.kind is ChangeKind.UNKNOWN

    def test_files_that_only_the_tree_lists(self):
        def tree(*paths):
            entries = (Entry(path, EntryType.FILE, mode=0o644, sha256="a" * 64) for path in paths)
            return Tree.of([Row(entry, FileClass.UNOWNED, "") for entry in entries])

        expected = expect(Demand.ONLY_IN, "file", "/srv/debug/**", names=frozenset({"dev"}))
        trees = tree("/srv/debug/x"), tree("/srv/debug/x")
        (change,) = judged(lock(), lock(), expected, trees=trees).changes
        assert (change.key, change.rule) == ("/srv/debug/x", "EXPECT-ONLY-IN")
        report = judged(lock(), lock(), expected, trees=(trees[0], tree()))
        assert (report.changes, report.hidden) == ((), {"expected": 1})


class TestAtLeast:
    @pytest.mark.parametrize(
        ("left", "right", "rules", "hidden"),
        [
            ("1.10-1", "1.9-1", [], {"expected": 1}),
            ("1.9-1", "1.9-1", [], {}),
            ("1.8-1", "1.8-1", ["EXPECT-AT-LEAST"], {}),
            ("1.10-1", "1.8-1", ["DEB-DOWNGRADE", "EXPECT-AT-LEAST"], {}),
            ("1:1.0-1", "2.0-1", [], {"expected": 1}),
            ("1.9~rc1-1", "1.9-1", ["DEB-REVISION", "EXPECT-AT-LEAST"], {}),
        ],
    )
    def test_by_the_order_of_the_section(self, left, right, rules, hidden):
        expected = expect(Demand.AT_LEAST, key="libx:*", version="1.9")
        a, b = lock(deb("libx", left)), lock(deb("libx", right))
        report = judged(a, b, expected)
        found = [c.rule for c in report.changes]
        assert found[-1:] == rules[-1:]
        assert len(found) == len(rules)
        assert report.hidden == hidden

    def test_other_facts_are_compared_as_numbers(self):
        expected = expect(Demand.AT_LEAST, "host.sysctl", "fs.*", fact="value", version="10000")
        a, b = (lock(("host.sysctl", "fs.file-max", {"value": n})) for n in ("65536", "9000"))
        assert judged(a, b, expected).changes[-1].rule == "EXPECT-AT-LEAST"
        assert judged(a, a, expected).changes == ()

    def test_versions_without_an_order_give_a_note(self):
        expected = expect(Demand.AT_LEAST, key="x:*", version="1.9")
        (note,) = judged(lock(deb("x", "a b")), lock(deb("x", "a b")), expected).notes
        assert note.kind is NoteKind.UNDECIDED_EXPECTATION

    def test_what_follows_from_a_hidden_change_is_hidden_too(self):
        a = lock(deb("libx", "2-1", sha256="a"))
        b = lock(deb("libx", "3-1", sha256="b"))
        report = judged(a, b, expect(Demand.AT_LEAST, key="libx:*", version="1"))
        assert (report.changes, report.hidden) == ((), {"expected": 2})

    def test_an_expectation_without_a_record_gives_a_note(self):
        (note,) = judged(lock(), lock(), expect(Demand.AT_LEAST, key="libx", version="1")).notes
        assert note.kind is NoteKind.UNUSED_EXPECTATION
        assert "libx" in note.text


class TestSatisfies:
    @pytest.mark.parametrize(
        ("likeness", "left", "right", "met"),
        [
            ("exact", "1.2.3", "1.2.3", True),
            ("exact", "1.2.3", "1.2.4", False),
            ("patch", "1.2.3", "1.2.9", True),
            ("patch", "1.2", "1.2.9", True),
            ("patch", "1.2.3", "1.3.3", False),
            ("patch", "1.2.3", "1!1.2.3", False),
            ("minor", "1.2.3", "1.9", True),
            ("minor", "1.2.3", "2.2.3", False),
            ("present", "1", "9", True),
        ],
    )
    def test_levels(self, likeness, left, right, met):
        expected = expect(Demand.SATISFIES, "python", "app/*", likeness=Likeness(likeness))
        a, b = (lock(("python", "app/x", {"version": v})) for v in (left, right))
        report = judged(a, b, expected)
        assert ("EXPECT-SATISFIES" in [c.rule for c in report.changes]) is not met
        assert not met or report.changes == ()
        assert judged(b, a, expected).result == report.result

    def test_min_depends_on_the_order_of_the_environments(self):
        expected = expect(Demand.SATISFIES, likeness=Likeness.MIN, environments=DEV_PROD, key="x:*")
        low, high = lock(deb("x", "1.9-1")), lock(deb("x", "1.10-1"))
        assert judged(low, high, expected).changes == ()
        assert judged(high, low, expected, names=DEV_PROD[::-1]).changes == ()
        assert "EXPECT-SATISFIES" in [c.rule for c in judged(high, low, expected).changes]

    def test_present_applies_to_a_record_that_both_sides_lack(self):
        expected = expect(
            Demand.SATISFIES, key="x:amd64", likeness=Likeness.PRESENT, severity="critical"
        )
        (change,) = judged(lock(), lock(), expected).changes
        assert (change.key, change.left, change.right) == ("x:amd64", None, None)
        assert change.severity is Severity.CRITICAL
        assert "it is missing in dev and prod" in change.why
        uncovered = lock(coverage={"deb": {"status": "unreadable"}})
        report = judged(uncovered, uncovered, expected)
        assert report.changes == ()
        assert report.notes[0].kind is NoteKind.UNDECIDED_EXPECTATION

    def test_sections_that_are_not_selected_are_not_judged(self):
        expected = expect(Demand.SATISFIES, key="x", likeness=Likeness.PRESENT)
        report = judged(lock(), lock(), expected, sections=frozenset({"env"}))
        assert (report.changes, report.notes) == ((), ())


def test_two_expectations_of_one_record_give_one_change():
    expected = [expect(Demand.AT_LEAST, key=key, version="9") for key in ("x:*", "**")]
    report = judged(lock(deb("x")), lock(deb("x")), *expected)
    assert len(report.changes) == 1
