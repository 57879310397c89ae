"""Compare two locks, and their trees if both are available: by key, never by position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from envlock.diff.contents import with_contents
from envlock.diff.cuda import with_driver_requirement
from envlock.diff.debian import explain_packages
from envlock.diff.declared import explain_declared
from envlock.diff.drift import (
    EXPECTED,
    Change,
    ChangeKind,
    Delta,
    DriftReport,
    Note,
    NoteKind,
    judge,
    summarize,
)
from envlock.diff.file_settings import conceal
from envlock.diff.files import SECTION as FILE
from envlock.diff.files import FileDrift, compare_trees
from envlock.diff.filters import IgnoreRules, drop, is_selected
from envlock.diff.fixes.commands import Surroundings
from envlock.diff.fixes.packages import together
from envlock.diff.inconsistencies.compare import with_inconsistencies
from envlock.diff.locations import unread_paths
from envlock.diff.logins import with_logins
from envlock.diff.policy.apply_waivers import apply_waivers
from envlock.diff.policy.bind import bind
from envlock.diff.policy.expect import ExpectationResult, judge_expectations
from envlock.diff.policy.policy import NO_POLICY, Policy
from envlock.diff.policy.presets import PRESETS
from envlock.diff.predicates import record_differs_from_package
from envlock.diff.records import (
    CoverageGaps,
    compare_section,
    compared_by_presence,
    coverage_gap,
    coverage_status,
)
from envlock.diff.rules import SPECIAL_RULES
from envlock.diff.scoped import fold, in_scope, of_roles, ours, size, within
from envlock.diff.severity import classify
from envlock.diff.side import Side
from envlock.model.coverage import Status
from envlock.model.facts import SECTIONS, fact_sort_key, packages_of
from envlock.model.lock import Lock
from envlock.model.scoping import Scoping
from envlock.model.state import SECTION as STATE
from envlock.model.state import state_of
from envlock.model.text import sort_key
from envlock.model.tree import Tree

REQUIRED = SPECIAL_RULES["required"].id
_TREE = "tree"
_PACKAGES = frozenset(packages_of())
DERIVED = frozenset(name for name, section in SECTIONS.items() if section.is_derived)
"""Sections that say what others mean, and are not compared themselves."""
_OTHER_CONTENT = frozenset({"", "version", "sha256", "sha1", "build", "hash", "revision"})
"""Fields of a package whose change means that the package has other files."""
_POSITION = {name: position for position, name in enumerate(SECTIONS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to compare and what to leave out.

    `sections` limits the comparison (empty: all; ``host`` means every ``host.*``).  `ignore` holds
    rules ``SECTION:KEY-GLOB[:FIELD]``; what they match is counted as hidden.  `all` shows noisy
    file classes, and with `unknown_secrets` says of each secret file that its content is unknown.
    `require` names sections that must be covered on both sides, else the result is
    inconclusive.  `contents` returns the content of a digest (hex), or None; with it changed
    configuration files are explained by setting, and `redact(name, value)` returns what may be
    shown of a value.  `policy` is applied last; it refers to the two sides by the names in
    `environments`, by default those shown.  With `bind` every change has the digests of its values,
    from which a waiver or a baseline can be written.  `scoping` says which records belong to the
    applications that are compared; the locks are then named by role (`envlock.scope.pairing`).
    """

    left_name: str = "left"
    right_name: str = "right"
    sections: frozenset[str] = frozenset()
    ignore: tuple[str, ...] = ()
    all: bool = False
    unknown_secrets: bool = True
    require: frozenset[str] = frozenset()
    contents: Callable[[str], bytes | None] | None = None
    redact: Callable[[str, str], str] = conceal
    policy: Policy = NO_POLICY
    environments: tuple[str, str] = ("", "")
    bind: bool = False
    scoping: Scoping | None = None


_DEFAULTS = Options()


def compare(
    left: Lock,
    right: Lock,
    *,
    left_tree: Tree | None = None,
    right_tree: Tree | None = None,
    options: Options = _DEFAULTS,
) -> DriftReport:
    """Return the differences of two environments.

    `compare(a, a)` is empty, `compare(a, b)` mirrors `compare(b, a)`, and with the default options
    the report is empty exactly if both digests and the process are equal (ADR 0003 has the
    exception).  Raise UsageError for an invalid ignore rule.
    """
    sides = (
        Side(options.environments[0] or options.left_name, left, left_tree),
        Side(options.environments[1] or options.right_name, right, right_tree),
    )
    found = _find(sides, options)
    expected = judge_expectations(options.policy.expect, sides, options.sections)
    explained = with_contents(found.deltas, options.contents, options.redact)
    deltas = list(with_logins(with_driver_requirement(explained, *sides), right))
    deltas = with_inconsistencies(deltas, *sides, options.sections)
    deltas = [*within(deltas, options.scoping), *of_roles(options.scoping)]
    deltas = _hide(deltas, found.hidden, options, expected)
    uncovered = list(_uncovered(left, right, options))
    everything = sorted((*uncovered, *deltas, *expected.unmet), key=_sort_key)
    names = {name for name in _names(left, right) if is_selected(name, options.sections)}
    around = Surroundings(left, right, together(ours(found.deltas, options.scoping)))
    changes = (_judged(delta, options, around) for delta in everything)
    pair = (sides[0].name, sides[1].name)
    judged = apply_waivers(changes, options.policy, pair, complete=not options.sections)
    judged = judged._replace(changes=fold(judged.changes))
    return DriftReport(
        result=judge(judged.changes, uncovered=bool(uncovered)),
        left_name=options.left_name,
        right_name=options.right_name,
        changes=judged.changes,
        hidden={name: found.hidden[name] for name in sorted(found.hidden)},
        summary=summarize(judged.changes),
        parity=_parity(options.scoping, judged.changes, found.total),
        notes=(*_not_compared(sides, options), *expected.notes, *judged.notes),
        files_by_presence=found.secret,
        variables_by_presence=compared_by_presence(left, right) if "env" in names else 0,
        scoping=options.scoping,
    )


def _parity(scoping: Scoping | None, changes: Iterable[Change], total: int) -> float:
    """Return the equal share of all records and paths, or of those in scope."""
    differing = {c.record for c in changes if not c.is_outside and c.rule != REQUIRED}
    if scoping is None:
        return parity(total, len(differing))
    return parity(size(scoping), len(differing))


def _not_compared(sides: tuple[Side, Side], options: Options) -> Iterator[Note]:
    """Yield notes of what was not compared, for sides that lack it or do not record it."""
    yield from _data_not_compared(sides, options)
    named = ((options.left_name, sides[0]), (options.right_name, sides[1]))
    shallow = [name for name, side in named if _is_shallow(side.lock)]
    if shallow and is_selected(FILE, options.sections):
        names = " and ".join(dict.fromkeys(shallow))
        text = (
            "files outside /etc were not compared, but for those that differ from their package: "
            f"{names} captured without --deep"
        )
        yield Note(NoteKind.NOT_COMPARED, names, text)


def _data_not_compared(sides: tuple[Side, Side], options: Options) -> Iterator[Note]:
    """Yield a note when a side has data of services: what is in it was not compared."""
    if not is_selected(STATE, options.sections):
        return
    named = sorted({f"{d.path} ({d.engine})" for side in sides for d in state_of(side.lock)})
    if named:
        text = f"what services keep in their data was not compared: {', '.join(named)}"
        yield Note(NoteKind.NOT_COMPARED, STATE, text)


def _is_shallow(lock: Lock) -> bool:
    """True for a lock of a machine of whose files only the configuration was read."""
    return lock.coverage.get(_TREE, {}).get("status") == Status.SKIPPED.value


class _Differences(NamedTuple):
    """The differences before policy; `hidden` by file class, `total` records and paths compared."""

    deltas: list[Delta]
    hidden: Counter[str]
    total: int
    secret: int = 0


def _find(sides: tuple[Side, Side], options: Options) -> _Differences:
    left, right = (side.lock for side in sides)
    names = [n for n in _names(left, right) if is_selected(n, options.sections)]
    deltas = explain_packages(d for name in names for d in compare_section(name, left, right))
    deltas = explain_declared(deltas)
    total = sum(len(left.sections.get(n, {}).keys() | right.sections.get(n, {})) for n in names)
    changed = changed_packages(deltas)
    deltas = [fold_packaged(delta, changed) for delta in deltas]
    drift = _compare_files(sides, changed, options)
    if drift is None:
        return _Differences(deltas, Counter(), total)
    return _Differences(
        _with_tree(deltas, drift, _deviating(left, right)),
        drift.hidden,
        total + drift.compared,
        drift.secret,
    )


def _hide(
    deltas: list[Delta], hidden: Counter[str], options: Options, expected: ExpectationResult
) -> list[Delta]:
    """Return what no ignore rule, preset or met expectation hides; count the rest in `hidden`."""
    hiders: list[tuple[str, Callable[[Delta], bool]]]
    hiders = [("ignored", IgnoreRules(options.ignore).covers)]
    hiders += [(name, IgnoreRules(PRESETS[name].rules).covers) for name in options.policy.presets]
    hiders.append(("expected", expected.hides))
    for name, covers in hiders:
        deltas, count = drop(deltas, covers)
        if count:
            hidden[name] += count
    return deltas


def _judged(delta: Delta, options: Options, around: Surroundings) -> Change:
    change = classify(delta, options.left_name, options.right_name, around)
    if options.scoping is not None:
        change = in_scope(change, delta, options.scoping)
    policy = options.policy
    if options.bind or policy.waive or policy.baseline.pairs:
        return replace(change, bound=bind(delta))
    return change


def _names(left: Lock, right: Lock) -> list[str]:
    names = (left.sections.keys() | right.sections) - DERIVED
    return sorted(names, key=section_sort_key)


def section_sort_key(name: str) -> tuple[int, str]:
    """Return the sort key of a section: in the order of the vocabulary, unknown ones last."""
    return _POSITION.get(name, len(_POSITION)), name


def _sort_key(delta: Delta) -> tuple[tuple[int, str], bytes, bool, tuple[bool, str]]:
    is_unmet = delta.field.startswith(EXPECTED)
    return (
        section_sort_key(delta.section),
        sort_key(delta.key),
        is_unmet,
        fact_sort_key(delta.field),
    )


def changed_packages(deltas: Iterable[Delta]) -> frozenset[str]:
    """Return the records of packages whose own change explains changes of their content."""
    return frozenset(
        delta.record
        for delta in deltas
        if delta.section in _PACKAGES
        and delta.field in _OTHER_CONTENT
        and delta.kind is not ChangeKind.UNKNOWN
    )


def fold_packaged(delta: Delta, changed: frozenset[str]) -> Delta:
    """Mark a difference as explained if the record is part of a package that changed."""
    owner = delta.facts.get("packaged-by", "")
    is_explained = owner in changed and delta.kind is not ChangeKind.UNKNOWN
    return delta._replace(explained_by=owner) if is_explained else delta


def _compare_files(
    sides: tuple[Side, Side], changed: frozenset[str], options: Options
) -> FileDrift | None:
    left, right = sides
    if left.tree is None or right.tree is None or not is_selected(FILE, options.sections):
        return None
    return compare_trees(
        left.tree,
        right.tree,
        gaps=CoverageGaps.of(left.lock, right.lock, _TREE),
        ignoring=(_ignores(left.lock), _ignores(right.lock)),
        changed=changed,
        everything=options.all,
        unknown_secrets=options.unknown_secrets,
        unread=_unread(left.lock) & _unread(right.lock),
    )


def _unread(lock: Lock) -> frozenset[str]:
    """Return the paths that a section should have read and could not."""
    sections = (name for name in lock.coverage if name not in (_TREE, FILE))
    return frozenset(path for name in sections for path in unread_paths(lock, name) or ())


def _ignores(lock: Lock) -> bool:
    return "ignored" in lock.coverage.get(_TREE, {})


def _deviating(*locks: Lock) -> frozenset[str]:
    """Return the paths that differ from their package, by the record of either side."""
    records = (lock.sections.get(FILE, {}).items() for lock in locks)
    return frozenset(
        path for items in records for path, facts in items if record_differs_from_package(facts)
    )


def _with_tree(deltas: Iterable[Delta], drift: FileDrift, deviating: frozenset[str]) -> list[Delta]:
    """Return the differences of records and of trees without duplicates.

    The comparison of the trees has more detail and is kept.  But if it is explained by the change
    of a package, and a record says that the file differs from that package, the record is kept.
    """
    unexplained = {delta.key for delta in drift.deltas if not delta.explained_by}
    kept = []
    for delta in deltas:
        if delta.section == FILE and delta.key in drift.paths:
            is_duplicate = delta.key in unexplained or delta.key not in deviating
        else:
            is_duplicate = delta.section == _TREE and bool(drift.paths)
        if not is_duplicate:
            kept.append(delta)
    by_record = {delta.key for delta in kept if delta.section == FILE}
    return kept + [delta for delta in drift.deltas if delta.key not in by_record]


def _uncovered(left: Lock, right: Lock, options: Options) -> Iterator[Delta]:
    for section in options.require:
        if not is_selected(section, options.sections):
            continue
        named = ((left, options.left_name), (right, options.right_name))
        gaps = [f"{name}: {why}" for lock, name in named if (why := coverage_gap(lock, section))]
        if not gaps:
            continue
        yield Delta(
            section,
            "",
            "coverage",
            ChangeKind.UNKNOWN,
            coverage_status(left, section),
            coverage_status(right, section),
            {},
            note=f"policy requires this section; {'; '.join(gaps)}",
            special_rule="required",
        )


def parity(total: int, differing: int) -> float:
    """Return the equal share in percent, rounded down so that only 100 means all."""
    if not total:
        return 100.0 if not differing else 0.0
    return max(0, total - differing) * 1000 // total / 10
