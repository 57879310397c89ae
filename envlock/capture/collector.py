"""The declaration of a collector: its name, the paths it reads, and the function that collects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from envlock.capture.context import Context
from envlock.capture.files.ownership import Claims
from envlock.formats.json_values import is_text
from envlock.model.facts import is_keyed
from envlock.model.record import Record
from envlock.targets.base import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """One collector, declared at the end of its module as ``COLLECTOR = Collector(...)``.

    `name` is the section that its coverage is recorded under, `sections` are those it writes.
    `reads` are glob patterns of all paths it may read (`*` within a name, `**` across directories);
    reading any other path is a bug in the collector.  `needs` are the capabilities it requires; on
    a target that lacks one its coverage is `unsupported`.  `sources` are the documents that specify
    the formats, listed in the reference.

    `claims`, for a package system, returns the paths that its packages own.  `needs_scan`:
    `collect` and `claims` use the shared scan (`Context.entry`, `Context.glob` with wildcards in
    directories). Otherwise `claims` runs before the scan, which then knows the files that need MD5
    or SHA-1 too. `needs_owners`: `collect` calls `Context.owner`, so the claims of all package
    systems are made whatever sections are captured.  `digests` are globs of files whose digests it
    uses: they are computed even if nothing else is captured.

    `collect` yields neither a record nor a gap for an empty root.
    """

    name: str
    sections: tuple[str, ...]
    reads: tuple[str, ...]
    collect: Callable[[Context], Iterable[Record]]
    needs: frozenset[Capability] = frozenset({Capability.FILES})
    claims: Callable[[Context], Claims] | None = None
    needs_scan: bool = False
    needs_owners: bool = False
    digests: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def fits(self, record: Record) -> bool:
        """True for a record of its sections that a lock can hold: with a key that is text."""
        if record.section not in self.sections or is_keyed(record.section) != bool(record.key):
            return False
        return record.key.isascii() or is_text(record.key)
