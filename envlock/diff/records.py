"""Compare two locks section by section and key by key; unknown is never equal or removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.locations import describes_another, hides, location_of, unread_paths
from envlock.model.coverage import Status
from envlock.model.facts import Kind, coverage_of, fact_sort_key, kind_of, order_of
from envlock.model.lock import Lock
from envlock.model.record import Facts
from envlock.versions.ordering import relate
from envlock.versions.relation import Relation

_DIGESTS = frozenset({"sha256", "md5", "sha1", "integrity"})
_FOLLOWS: Mapping[str, frozenset[str]] = {
    "version": _DIGESTS | {"artifact", "source-version", "revision", "build", "hash"},
    "build": _DIGESTS,
}
"""Fact of a package -> facts whose change follows from a change of it."""
UNREAD = "the content is not known on one side"
NOT_RECORDED = "(value not recorded)"
OTHER_VALUE = "(another value, not recorded)"
_VALUE_GAP = "the value is recorded on one side only"
_HIDDEN = "what is above it could not be read"
_FILE = "file"
_NO_FACTS: Facts = {}
UNSUPPORTED = "not supported by the target"
_WORDS = {
    "skipped": "not captured",
    "unsupported": UNSUPPORTED,
    "partial": "partly unreadable",
}
_KNOWN = frozenset(status.value for status in Status if status.is_known)


class CoverageGaps(NamedTuple):
    """Why a missing record proves nothing, for each side; empty if it proves absence.

    `unread` are the paths that each side could not read for the section, None if not all are
    known: a gap hides only what is there.  `hidden` are those that it could not read at all.
    """

    left: str = ""
    right: str = ""
    unread: tuple[frozenset[str] | None, frozenset[str] | None] = (None, None)
    hidden: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())

    @classmethod
    def of(cls, left: Lock, right: Lock, section: str) -> CoverageGaps:
        """Return the coverage gaps of a section."""
        # A lock written by hand has no coverage; it is taken as complete.
        locks = (left, right)
        ours, theirs = (coverage_gap(lock, section) if lock.coverage else "" for lock in locks)
        hidden, their_hidden = (unread_paths(lock, _FILE) or frozenset() for lock in locks)
        return cls(
            ours,
            theirs,
            unread=(unread_paths(left, section), unread_paths(right, section)),
            hidden=(hidden, their_hidden),
        )

    def kind(self, *, on_left: bool, path: str = "") -> ChangeKind:
        """Return the kind of change of a record on one side only; `path` is where it is."""
        if self.note(on_left=on_left, path=path):
            return ChangeKind.UNKNOWN
        return ChangeKind.REMOVED if on_left else ChangeKind.ADDED

    def note(self, *, on_left: bool, path: str = "") -> str:
        """Return why that is unknown, empty if it is known."""
        why, unread = (self.right if on_left else self.left), self.unread[on_left]
        if why and path and unread is not None and not hides(unread, path):
            return ""
        if not why and path and hides(self.hidden[on_left], path):
            return _HIDDEN
        return why

    def about(self, section: str, key: str) -> CoverageGaps:
        """Return the gaps without the files that describe other packages than this one."""
        left, right = (
            unread and frozenset(p for p in unread if not describes_another(p, section, key))
            for unread in self.unread
        )
        return self._replace(unread=(left, right))

    def at(self, path: str) -> CoverageGaps:
        """Return the gaps that hide what is at `path`."""
        left, right = (self.note(on_left=is_left, path=path) for is_left in (False, True))
        return CoverageGaps(left, right)


_NO_GAPS = CoverageGaps()


def compare_section(section: str, left: Lock, right: Lock) -> Iterator[Delta]:
    """Yield the differences in one section."""
    ours, theirs = left.sections.get(section, {}), right.sections.get(section, {})
    if ours == theirs:
        return
    gaps = CoverageGaps.of(left, right, section)
    for key, facts in ours.items():
        other = theirs.get(key)
        if other is None:
            found = gaps.about(section, key).at(location_of(section, key, facts, left))
            yield from _one_sided(section, key, facts, found, on_left=True)
        elif is_left_over(section, facts) != is_left_over(section, other):
            was_removed = is_left_over(section, other)
            installed = facts if was_removed else other
            yield from _one_sided(section, key, installed, _NO_GAPS, on_left=was_removed)
        elif facts != other:
            yield from _compare_facts(section, key, facts, other, gaps)
    for key, facts in theirs.items():
        if key not in ours:
            found = gaps.about(section, key).at(location_of(section, key, facts, right))
            yield from _one_sided(section, key, facts, found, on_left=False)


def is_left_over(section: str, facts: Facts) -> bool:
    """True for a removed package of which only the configuration files are left."""
    return section == "deb" and facts.get("status", "").endswith(" config-files")


def coverage_status(lock: Lock, section: str) -> str:
    """Return the coverage status of a section; without coverage ``ok`` if there are records."""
    facts = lock.coverage.get(coverage_of(section))
    if facts is not None:
        return facts.get("status", Status.OK.value)
    prefix = f"{section}."
    has_records = any(name == section or name.startswith(prefix) for name in lock.sections)
    return Status.OK.value if has_records else Status.SKIPPED.value


def coverage_gap(lock: Lock, section: str) -> str:
    """Return why the absence of a record proves nothing, empty if it proves absence."""
    status = coverage_status(lock, section)
    if status in _KNOWN:
        return ""
    reason = lock.coverage.get(coverage_of(section), _NO_FACTS).get("reason", "")
    return _WORDS.get(status, status) + (f" ({reason})" if reason else "")


def _one_sided(
    section: str, key: str, facts: Facts, gaps: CoverageGaps, *, on_left: bool
) -> Iterator[Delta]:
    """Yield a record on one side only: as a whole, or fact by fact if it is a single table."""
    kind, note = gaps.kind(on_left=on_left), gaps.note(on_left=on_left)
    pairs = [("", describe_record(section, key, facts))] if key else _compared(section, facts)
    if is_left_over(section, facts):
        pairs = [("status", facts["status"])]
    for field, text in pairs or [("", describe_record(section, key, facts))]:
        left, right = (text, None) if on_left else (None, text)
        yield Delta(section, key, field, kind, left, right, facts, note=note)


def _compared(section: str, facts: Facts) -> list[tuple[str, str]]:
    skipped = (Kind.ADDRESS, Kind.PROVENANCE)
    return [(name, text) for name, text in facts.items() if kind_of(section, name) not in skipped]


def describe_record(section: str, key: str, facts: Facts) -> str:
    """Return a record in a few words: its version, its value, or what is not in its key."""
    for name in ("version", "value"):
        if name in facts:
            return facts[name]
    if "secret" in facts:
        return NOT_RECORDED
    in_key = set(key.split())
    shown = [
        name
        for name in sorted(facts, key=fact_sort_key)
        if kind_of(section, name) in (Kind.TEXT, Kind.MODE)
        and not set(facts[name].split()) <= in_key
    ]
    told = [name for name in shown if not facts[name].startswith("sha256:")]
    return " ".join(f"{name} {facts[name]}" for name in told) or ", ".join(shown)


def _compare_facts(
    section: str, key: str, left: Facts, right: Facts, gaps: CoverageGaps
) -> Iterator[Delta]:
    following: frozenset[str] = frozenset()
    for cause, facts in _FOLLOWS.items():
        if left.get(cause) != right.get(cause):
            following |= facts
    if section == "env" and ("secret" in left or "secret" in right):
        yield from _compare_unrecorded(key, left, right)
        return
    for name in left.keys() | right.keys():
        before, after = left.get(name), right.get(name)
        if before == after:
            continue
        kind = kind_of(section, name)
        if kind is Kind.ADDRESS or (kind is Kind.PROVENANCE and not (before and after)):
            continue
        unknown = _unknown(section, name, left, right, gaps)
        yield Delta(
            section,
            key,
            name,
            ChangeKind.UNKNOWN if unknown else change_kind(before, after),
            before,
            after,
            right,
            _relation(section, kind, before, after),
            f"{section} {key}" if name in following else "",
            note=unknown,
        )


def _compare_unrecorded(key: str, left: Facts, right: Facts) -> Iterator[Delta]:
    """Compare a variable whose value one side does not record: by fingerprint if both have one."""
    if "secret" not in left or "secret" not in right:
        before, after = (facts.get("value", NOT_RECORDED) for facts in (left, right))
        kind = ChangeKind.UNKNOWN
        yield Delta("env", key, "value", kind, before, after, right, note=_VALUE_GAP)
        return
    ours, theirs = (facts.get("fingerprint", "") for facts in (left, right))
    is_one_key = _key_of(left) == _key_of(right, missing="none")
    if is_one_key and ours != theirs:
        kind = ChangeKind.CHANGED
        yield Delta("env", key, "value", kind, NOT_RECORDED, OTHER_VALUE, right)


def compared_by_presence(left: Lock, right: Lock) -> int:
    """Return how many variables are set on both sides and have no value that can be compared."""
    ours, theirs = (lock.sections.get("env", {}) for lock in (left, right))
    return sum(
        "secret" in facts
        and "secret" in theirs[key]
        and _key_of(facts) != _key_of(theirs[key], missing="none")
        for key, facts in ours.items()
        if key in theirs
    )


def _key_of(facts: Facts, missing: str = "") -> str:
    """Return the id of the key of a fingerprint, `missing` without one."""
    return facts.get("fingerprint", "").partition(":")[0] or missing


def _unknown(section: str, name: str, left: Facts, right: Facts, gaps: CoverageGaps) -> str:
    """Return why the difference of a fact is unknown, empty if it is known."""
    if (section, name) == ("tree", "content"):
        return gaps.left or gaps.right
    is_one_sided = (section, name) == ("file", "sha256") and (name in left) != (name in right)
    # A file without a digest could not be read; a symbolic link never has one.
    are_files = all("mode" in facts and "target" not in facts for facts in (left, right))
    return UNREAD if is_one_sided and are_files else ""


def change_kind(before: str | None, after: str | None) -> ChangeKind:
    """Return what happened to a value that differs."""
    if before is None:
        return ChangeKind.ADDED
    return ChangeKind.REMOVED if after is None else ChangeKind.CHANGED


def _relation(section: str, kind: Kind, before: str | None, after: str | None) -> Relation:
    if kind is not Kind.VERSION or before is None or after is None:
        return Relation.DIFFERS
    return relate(order_of(section), before, after)
