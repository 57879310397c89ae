"""What a collector is: a name, the paths it reads, and a function from a context to records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from envlock.capture.context import Context
from envlock.capture.files.ownership import Claims
from envlock.model.record import Record
from envlock.targets.base import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """One collector, declared at the end of its module as ``COLLECTOR = Collector(...)``.

    `name` is the section its coverage is recorded under.  `sections` are the sections it writes.
    `reads` are glob patterns of every path it may read (`*` within a name, `**` across); reading
    anything else is an error of the collector.  `needs` are the capabilities it cannot do without;
    a target that lacks one gives coverage `unsupported`.  `sources` are the documents the formats
    are specified in, for the docs table.  `claims`, for a package system, says which paths its
    packages own.  `needs_scan` tells that `collect` and `claims` look through the shared scan
    (`View.glob` with wildcards in directories, `View.entry`); without it `claims` runs before the
    scan, so that the scan knows which files need dpkg's MD5 as well.  `needs_owners` tells that
    `collect` asks `View.owner`, so that the claims of every package system are made whatever else
    is captured.  `digests` are globs of the files whose digests it looks at: they are read for it
    even if nothing else is captured.  `collect` must yield no record and no gap for an empty root.
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
