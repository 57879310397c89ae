"""The result of a capture: the lock, the file tree, and what was covered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from envlock.capture.captured_files import CapturedFiles
from envlock.capture.gap_paths import unread_paths
from envlock.model.coverage import Coverage, Status
from envlock.model.lock import Lock
from envlock.model.record import Facts, Record
from envlock.model.tree import Tree
from envlock.targets.base import IGNORED


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A finished capture.

    `left_out` are paths whose content is secret, with the rule that says so; `redacted` those kept
    without their secret values.  `coverage` holds
    every gap; the lock has the counts.  `seconds` is wall time per collector, for people and never
    in the lock.  `remember` writes the snapshot that makes the next capture of the same target
    incremental; it may be called once a reference keeps the tree.  `view` shows the files and who
    owns them while the target is open.  `is_repeatable` is False when the result depended on more
    than the target, such as on time.
    """

    lock: Lock
    make_tree: Callable[[], Tree] | None = None
    left_out: Mapping[str, str]
    redacted: Mapping[str, str] = field(default_factory=dict)
    coverage: Mapping[str, Coverage]
    seconds: Mapping[str, float]
    files: int = 0
    size: int = 0
    remember: Callable[[], None] = _nothing
    is_incremental: bool = False
    view: CapturedFiles | None = None
    is_repeatable: bool = True

    @property
    def tree(self) -> Tree | None:
        """The file tree, or None unless everything was hashed."""
        return self.make_tree() if self.make_tree else None

    def leaving_out(self, more: Mapping[str, str]) -> Capture:
        """Return the capture with `more` paths that were left out."""
        return replace(self, left_out={**self.left_out, **more})

    def adding(self, name: str, records: Iterable[Record], coverage: Coverage) -> Capture:
        """Return the capture with the records of one more section, and what was covered of it."""
        facts = {**self.lock.coverage, name: _coverage_facts(coverage)}
        lock = Lock.of((*self.lock.records(), *records), facts, self.lock.version)
        return replace(self, lock=lock, coverage={**self.coverage, name: coverage})


def lock_of(records: Iterable[Record], coverage: Mapping[str, Coverage]) -> Lock:
    """Return the lock of what was found."""
    return Lock.of(records, {name: _coverage_facts(cover) for name, cover in coverage.items()})


def _coverage_facts(coverage: Coverage) -> Facts:
    facts = {"status": coverage.status.value}
    if coverage.gaps:
        first = min(coverage.gaps)
        facts["gaps"] = str(len(coverage.gaps))
        ignored = sum(gap.reason == IGNORED for gap in coverage.gaps)
        if ignored:
            facts["ignored"] = str(ignored)
        facts["reason"] = f"{first.where}: {first.reason}"
        unread = unread_paths(coverage.gaps)
        if unread and coverage.status is not Status.SKIPPED:
            facts["unread"] = unread
    return facts


def tree_record(content: str, address: str, entries: int, residue: int | None) -> Record:
    """Return the record of a file tree: digest of what is compared, where it is kept, how many
    paths it has, and how many bytes are kept by value.
    """  # noqa: D205
    facts = {"content": content, "entries": str(entries)}
    if residue is not None:
        facts["object"] = f"sha256:{address}"
        facts["residue"] = str(residue)
    return Record("tree", "", facts)
