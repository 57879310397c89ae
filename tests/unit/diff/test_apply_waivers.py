"""Waivers and baselines: bound to a pair and to values; a note names those without effect."""

from dataclasses import replace
from datetime import date

import pytest

from envlock.config.policy_tables import Waiver
from envlock.diff.drift import ChangeStatus, NoteKind, Result, exceeds
from envlock.diff.engine import Options, compare
from envlock.diff.policy.apply_waivers import reapply_waivers
from envlock.diff.policy.baseline import (
    NO_BASELINE,
    Baseline,
    can_be_accepted,
    describe,
    parse_baseline,
    render_baseline,
)
from envlock.diff.policy.bind import mirrored_id
from envlock.diff.policy.policy import Policy
from envlock.errors import ConfigError
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.severity import Severity
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree

TODAY = date(2026, 6, 1)
PAIR = ("dev", "prod")


def lock(*records, coverage=None):
    return Lock.of([Record(*record) for record in records], coverage)


def deb(name, version="1.0-1", **facts):
    return "deb", f"{name}:amd64", {"version": version, "mark": "manual", **facts}


def report_of(left, right, *, names=PAIR, today=TODAY, trees=(None, None), **policy):
    return compare(
        left,
        right,
        left_tree=trees[0],
        right_tree=trees[1],
        options=Options(
            left_name=names[0],
            right_name=names[1],
            policy=Policy(today=today, **policy),
            bind=True,
        ),
    )


def waiver_of(change, **changes):
    waiver = Waiver(
        id=change.id,
        what=describe(change),
        reason="soon",
        expires=TODAY,
        environments=PAIR,
        values=change.bound,
    )
    return replace(waiver, **changes)


LEFT, RIGHT = lock(deb("curl", "2-1"), deb("git")), lock(deb("curl", "1-1"))
CURL, GIT = report_of(LEFT, RIGHT).changes


def statuses(report):
    return {change.key.partition(":")[0]: change.status.value for change in report.changes}


class TestWaivers:
    def test_a_waived_change_is_not_counted_and_says_why(self):
        report = report_of(LEFT, RIGHT, waive=(waiver_of(CURL),))
        assert statuses(report) == {"curl": "waived", "git": "new"}
        assert report.changes[0].policy == "waived until 2026-06-01: soon"
        assert report.summary["high"] == 1
        everything = report_of(LEFT, RIGHT, waive=(waiver_of(CURL), waiver_of(GIT)))
        assert everything.result is Result.EQUAL
        assert not exceeds(everything, Severity.INFO)
        assert len(everything.changes) == 2

    def test_it_holds_in_either_order(self):
        waive = (waiver_of(CURL), waiver_of(GIT))
        back = report_of(RIGHT, LEFT, names=PAIR[::-1], waive=waive)
        assert (back.result, back.notes) == (Result.EQUAL, ())

    def test_it_is_only_about_its_pair(self):
        report = report_of(LEFT, RIGHT, names=("dev", "ci"), waive=(waiver_of(CURL),))
        assert statuses(report)["curl"] == "new"
        assert report.notes == ()
        # The same two values on exchanged sides are another change.
        report = report_of(RIGHT, LEFT, waive=(waiver_of(CURL),))
        assert statuses(report)["curl"] == "new"

    def test_an_expired_waiver_no_longer_covers_the_change(self):
        report = report_of(LEFT, RIGHT, today=date(2026, 6, 2), waive=(waiver_of(CURL),))
        assert report.changes[0].status is ChangeStatus.EXPIRED_WAIVER
        assert report.changes[0].policy == "the waiver expired on 2026-06-01: soon"
        assert report.summary["high"] == 2
        assert report.notes == ()

    def test_without_a_date_every_waiver_has_expired(self):
        options = Options(
            left_name="dev", right_name="prod", policy=Policy(waive=(waiver_of(CURL),))
        )
        assert compare(LEFT, RIGHT, options=options).changes[0].status == "expired-waiver"

    def test_the_waiver_that_expires_last_counts(self):
        old = waiver_of(CURL, expires=date(2026, 5, 1))
        report = report_of(LEFT, RIGHT, waive=(old, waiver_of(CURL), old))
        assert statuses(report)["curl"] == "waived"

    @pytest.mark.parametrize("side", [0, 1])
    def test_it_ends_when_either_value_changes(self, side):
        locks = [LEFT, RIGHT]
        locks[side] = lock(deb("curl", "3-1" if side == 0 else "1.5-1"))
        report = report_of(*locks, waive=(waiver_of(CURL),))
        assert statuses(report)["curl"] == "new"
        (note,) = report.notes
        assert (note.kind, note.subject) == (NoteKind.STALE_WAIVER, CURL.id)
        assert "have changed" in note.text

    def test_an_unused_waiver_gives_a_note(self):
        (note,) = report_of(LEFT, LEFT, waive=(waiver_of(CURL),)).notes
        assert note.text.startswith("deb curl:amd64 version: it no longer differs")

    def test_an_incomplete_comparison_finds_no_stale_waiver(self):
        options = Options(
            left_name="dev",
            right_name="prod",
            sections=frozenset({"env"}),
            policy=Policy(waive=(waiver_of(CURL),), today=TODAY),
        )
        assert compare(LEFT, RIGHT, options=options).notes == ()

    def test_what_follows_from_a_waived_change_is_waived_with_it(self):
        a, b = lock(deb("curl", "1", sha256="a")), lock(deb("curl", "2", sha256="b"))
        version = report_of(a, b).changes[0]
        report = report_of(a, b, waive=(waiver_of(version),))
        assert [c.status.value for c in report.changes] == ["waived", "waived"]
        assert report.result is Result.EQUAL

    def test_unknown_cannot_be_waived(self):
        a = lock(deb("curl"), coverage={"deb": {"status": "ok"}})
        b = lock(coverage={"deb": {"status": "unreadable"}})
        (change,) = report_of(a, b).changes
        assert not can_be_accepted(change)
        report = report_of(a, b, waive=(waiver_of(change),))
        assert report.result is Result.INCONCLUSIVE


class TestBinding:
    def test_a_record_is_bound_to_its_facts(self):
        one, other = (
            report_of(lock(deb("git", mark=mark)), lock()).changes[0] for mark in ("auto", "manual")
        )
        assert (one.id, one.left) == (other.id, other.left)
        assert one.bound != other.bound
        assert one.bound[1] == "absent"

    def test_provenance_is_not_part_of_the_binding(self):
        one, other = (
            report_of(lock(deb("git", **facts)), lock()).changes[0]
            for facts in ({}, {"sha256": "a"})
        )
        assert one.bound == other.bound

    def test_a_folded_directory_is_bound_to_everything_below(self):
        def tree(*digests):
            rows = [Row(Entry("/opt", EntryType.DIRECTORY, mode=0o755), FileClass.UNOWNED, "")]
            for number, digest in enumerate(digests):
                entry = Entry(f"/opt/{number}", EntryType.FILE, mode=0o644, sha256=digest * 64)
                rows.append(Row(entry, FileClass.UNOWNED, ""))
            return Tree.of(rows)

        changes = [
            report_of(lock(), lock(), trees=(Tree.of([]), tree(*digests))).changes
            for digests in ("ab", "ab", "ac")
        ]
        assert [len(found) for found in changes] == [1, 1, 1]
        one, same, other = (found[0] for found in changes)
        assert one.right == other.right
        assert one.bound == same.bound != other.bound

    def test_a_file_is_bound_alike_with_and_without_its_tree(self):
        facts = {"sha256": "a" * 64, "mode": "0644", "owner": "root:root", "class": "unowned"}
        entry = Entry("/etc/x", EntryType.FILE, mode=0o644, sha256="a" * 64)
        trees = Tree.of([]), Tree.of([Row(entry, FileClass.UNOWNED, "")])
        (from_lock,) = report_of(lock(), lock(("file", "/etc/x", facts))).changes
        (from_tree,) = report_of(lock(), lock(), trees=trees).changes
        assert (from_lock.id, from_lock.bound) == (from_tree.id, from_tree.bound)

    def test_mirrored_ids(self):
        (back,) = report_of(lock(), lock(deb("git"))).changes
        assert mirrored_id(back) == GIT.id
        assert mirrored_id(GIT) == back.id
        assert mirrored_id(CURL) == CURL.id


class TestBaseline:
    BASELINE = NO_BASELINE.begin(PAIR, (CURL, GIT))

    def test_an_accepted_difference_is_not_counted(self):
        report = report_of(LEFT, RIGHT, baseline=self.BASELINE)
        assert statuses(report) == {"curl": "baseline", "git": "baseline"}
        assert (report.result, report.notes) == (Result.EQUAL, ())
        back = report_of(RIGHT, LEFT, names=PAIR[::-1], baseline=self.BASELINE)
        assert back.result is Result.EQUAL

    def test_a_changed_value_is_new(self):
        report = report_of(LEFT, lock(deb("curl", "1.5-1")), baseline=self.BASELINE)
        assert statuses(report) == {"curl": "new", "git": "baseline"}

    def test_a_gone_difference_gives_a_note_and_is_dropped_for_good(self):
        fixed = lock(deb("curl", "2-1"))
        report = report_of(LEFT, fixed, baseline=self.BASELINE)
        (note,) = report.notes
        assert note.kind is NoteKind.STALE_BASELINE
        gone = self.BASELINE.missing(report.changes, PAIR)
        assert gone == {(PAIR, CURL.id)}
        smaller = self.BASELINE.without(gone)
        assert set(smaller.of(PAIR)) == {GIT.id}
        assert smaller.missing(report.changes, PAIR[::-1]) == {(PAIR, GIT.id)}
        assert statuses(report_of(LEFT, RIGHT, baseline=smaller))["curl"] == "new"
        everything = smaller.missing([], PAIR)
        assert smaller.without(everything).pairs == {}

    def test_it_never_grows(self):
        with pytest.raises(ConfigError, match="only shrinks"):
            self.BASELINE.begin(PAIR[::-1], (CURL,))
        other = self.BASELINE.begin(("ci", "prod"), (CURL,))
        assert set(other.pairs) == {PAIR, ("ci", "prod")}

    def test_waivers_can_be_reapplied_to_a_report(self):
        fresh = report_of(LEFT, RIGHT)
        again = reapply_waivers(fresh, Policy(baseline=self.BASELINE, today=TODAY), PAIR)
        assert again == report_of(LEFT, RIGHT, baseline=self.BASELINE)
        assert reapply_waivers(again, Policy(today=TODAY), PAIR) == fresh

    def test_a_baseline_is_read_as_written(self):
        written = render_baseline(self.BASELINE)
        read = parse_baseline(written, "b.toml")
        assert read == Baseline(pairs=self.BASELINE.pairs, where="b.toml")
        assert render_baseline(read) == written
        assert parse_baseline(render_baseline(NO_BASELINE), "").pairs == {}

    def test_odd_names_survive(self):
        odd = {('a."b', "c\nd\x7f"): {CURL.id: self.BASELINE.of(PAIR)[CURL.id]}}
        assert parse_baseline(render_baseline(Baseline(pairs=odd)), "").pairs == odd

    @pytest.mark.parametrize(
        "text",
        [
            b"\xff",
            b"not toml",
            b'baseline-version = "2"',
            b'baseline-version = "1"\npair = 1',
            b'baseline-version = "1"\n[pair]\na = 1',
            b'baseline-version = "1"\n[pair.a.b]\nx = 1',
            b'baseline-version = "1"\n[pair.a.b.e7d5d1abdacd]\nwhat = "x"\nleft = "absent"',
            b'baseline-version = "1"\n[pair.a.b.e7d5d1abdacd]\nwhat = "x"\nleft = "a"\nright = "b"',
            b'baseline-version = "1"\n[pair.a.b.x]\nwhat = "x"\nleft = "absent"\nright = "absent"',
        ],
    )
    def test_an_invalid_baseline_is_rejected(self, text):
        with pytest.raises(ConfigError, match="not a baseline"):
            parse_baseline(text, "b.toml")
