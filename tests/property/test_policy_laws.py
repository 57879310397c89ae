"""Laws of policy: symmetric, deterministic, never more changes; and which side moved."""

from dataclasses import replace
from datetime import date

from hypothesis import example, given, settings
from hypothesis import strategies as st

from envlock.config.policy_tables import Demand, Expectation, Waiver
from envlock.diff.drift import ChangeKind, MovedSide
from envlock.diff.engine import Options, compare
from envlock.diff.policy.apply_waivers import reapply_waivers
from envlock.diff.policy.baseline import (
    NO_BASELINE,
    can_be_accepted,
    parse_baseline,
    render_baseline,
)
from envlock.diff.policy.bind import mirrored_id
from envlock.diff.policy.policy import Policy
from envlock.diff.policy.presets import PRESETS
from envlock.diff.side import Side
from envlock.diff.three_way import with_base
from envlock.model.lock import Lock
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from envlock.report.input import PairInput
from envlock.report.json import render_json
from envlock.versions.likeness import Likeness
from tests.property.test_diff_laws import (
    QUIET,
    facts_of,
    lock_pairs,
    mirrored,
    names,
    sections,
    tree_pairs,
    with_tree,
)

FEW = settings(QUIET, max_examples=40)


def expectations():
    demands = st.sampled_from(
        [
            {"demand": Demand.MUST_DIFFER},
            {"demand": Demand.ONLY_IN, "names": frozenset({"a"})},
            {"demand": Demand.ONLY_IN, "names": frozenset({"a", "b"})},
            {"demand": Demand.AT_LEAST, "version": "1.10-1"},
            {"demand": Demand.SATISFIES, "likeness": Likeness.PATCH},
            {"demand": Demand.SATISFIES, "likeness": Likeness.PRESENT},
            {
                "demand": Demand.SATISFIES,
                "likeness": Likeness.MIN,
                "environments": ("a", "b"),
            },
        ]
    )
    return st.builds(
        lambda demand, section, key: Expectation(
            section=section, key=key, fact="", reason="r", severity="high", **demand
        ),
        demands,
        st.one_of(sections, st.just("*")),
        st.one_of(names, st.just("**")),
    )


TODAY = date(2026, 6, 1)
ignore_rules = st.sampled_from(["deb", "file:/opt/**", "*:*:mark", "env:a", "python:*:version"])


@st.composite
def policies(draw, changes):
    """Return a policy with a bit of everything for the pair a and b and some of its changes."""
    accepted = [c for c in changes if can_be_accepted(c)]
    covered = draw(st.lists(st.sampled_from(accepted), max_size=4)) if accepted else []
    baseline = NO_BASELINE.begin(("a", "b"), covered[:2])
    waive = [
        Waiver(
            id=change.id,
            what="",
            reason="r",
            expires=draw(st.sampled_from([TODAY, date(2026, 5, 1)])),
            environments=("a", "b"),
            values=draw(st.sampled_from([change.bound, change.bound[::-1]])),
        )
        for change in covered[1:]
    ]
    return Policy(
        presets=tuple(draw(st.sets(st.sampled_from(sorted(PRESETS))))),
        expect=tuple(draw(st.lists(expectations(), max_size=3))),
        baseline=baseline,
        waive=tuple(waive),
        today=TODAY,
    )


def options_of(policy, *, back=False, ignore=()):
    left, right = ("b", "a") if back else ("a", "b")
    return Options(left_name=left, right_name=right, policy=policy, ignore=tuple(ignore), bind=True)


@st.composite
def judged_pairs(draw):
    (a, b), (x, y) = map(with_tree, draw(lock_pairs()), pair := draw(tree_pairs())), pair
    found = compare(a, b, left_tree=x, right_tree=y, options=options_of(Policy(today=TODAY)))
    return (a, b), (x, y), draw(policies(found.changes))


def counted(report):
    return {(c.id, c.status.value) for c in report.changes if c.status.counts}


@FEW
@given(judged_pairs(), st.lists(ignore_rules, max_size=2))
def test_policy_is_a_mirror(judged, ignore):
    (a, b), (x, y), policy = judged
    forth = options_of(policy, ignore=ignore)
    back = options_of(policy, ignore=ignore, back=True)
    one = compare(a, b, left_tree=x, right_tree=y, options=forth)
    other = compare(b, a, left_tree=y, right_tree=x, options=back)
    assert facts_of(one) == mirrored(other)
    assert (one.result, one.parity) == (other.result, other.parity)
    assert sum(one.hidden.values()) == sum(other.hidden.values())
    assert {(mirrored_id(c), c.status, c.policy) for c in one.changes} == {
        (c.id, c.status, c.policy) for c in other.changes
    }
    assert sorted(n.subject for n in one.notes) == sorted(n.subject for n in other.notes)


@FEW
@given(judged_pairs(), st.lists(ignore_rules, max_size=2))
def test_more_policy_never_adds_findings(judged, ignore):
    (a, b), (x, y), policy = judged

    def findings(policy, ignore=()):
        options = options_of(policy, ignore=ignore)
        return counted(compare(a, b, left_tree=x, right_tree=y, options=options))

    bare = findings(replace(policy, presets=(), baseline=NO_BASELINE, waive=()))
    ids = {id_ for id_, _ in bare}
    for more in (
        replace(policy, presets=(), baseline=NO_BASELINE),
        replace(policy, presets=(), waive=()),
        replace(policy, baseline=NO_BASELINE, waive=()),
        policy,
    ):
        assert {id_ for id_, _ in findings(more)} <= ids
        assert findings(more, ignore) <= findings(more)


@FEW
@given(judged_pairs())
def test_a_new_baseline_accepts_every_change(judged):
    (a, b), (x, y), policy = judged
    policy = replace(policy, baseline=NO_BASELINE)
    report = compare(a, b, left_tree=x, right_tree=y, options=options_of(policy))
    accepted = [c for c in report.changes if c.status.counts and can_be_accepted(c)]
    begun = replace(policy, baseline=NO_BASELINE.begin(("a", "b"), accepted))
    after = compare(a, b, left_tree=x, right_tree=y, options=options_of(begun))
    assert after == reapply_waivers(report, begun, ("a", "b"))
    assert not any(c.status.counts and can_be_accepted(c) for c in after.changes)
    read = parse_baseline(render_baseline(begun.baseline), "")
    assert read.pairs == begun.baseline.pairs or not accepted


@FEW
@given(judged_pairs())
def test_policy_is_deterministic(judged):
    (a, b), (x, y), policy = judged
    reports = [
        compare(a, b, left_tree=x, right_tree=y, options=options_of(policy)) for _ in range(2)
    ]
    assert render_json(PairInput(reports[0])) == render_json(PairInput(reports[1]))


MIRRORED_SIDE = {
    MovedSide.LEFT: MovedSide.RIGHT,
    MovedSide.RIGHT: MovedSide.LEFT,
    MovedSide.BOTH: MovedSide.BOTH,
    None: None,
}


ONE_FILE = Tree.of([Row(Entry("/etc/x", EntryType.FILE), FileClass.PACKAGE)])
LOCK_OF_ONE_FILE = Lock(sections={"file": {"/etc/x": {"mode": "0600"}}}, coverage={})


@FEW
@given(lock_pairs(), tree_pairs(), st.sampled_from(["left", "right"]))
@example((Lock(sections={}, coverage={}), LOCK_OF_ONE_FILE), (ONE_FILE, ONE_FILE), "left")
def test_which_side_moved(locks, pair, unchanged):
    """If the base is one of the two, the other one moved; and the result is symmetric."""
    (a, b), (x, y) = map(with_tree, locks, pair), pair
    left, right = Side("l", a, x), Side("r", b, y)
    base = left if unchanged == "left" else right
    report = with_base(compare(a, b, left_tree=x, right_tree=y), base, left, right)
    moved = {c.moved for c in report.changes if c.kind is not ChangeKind.UNKNOWN}
    assert moved <= {MovedSide.RIGHT if unchanged == "left" else MovedSide.LEFT}
    back = with_base(compare(b, a, left_tree=y, right_tree=x), base, right, left)
    assert {(c.section, c.key, c.field, MIRRORED_SIDE[c.moved]) for c in report.changes} == {
        (c.section, c.key, c.field, c.moved) for c in back.changes
    }
