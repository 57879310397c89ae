"""A capture in progress: what it knows so far, and the steps that are taken in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import BinaryIO

from envlock.capture.collector import Collector
from envlock.capture.context import Context, OutOfTime, in_time
from envlock.capture.files.classify import classify
from envlock.capture.files.ownership import Claim
from envlock.capture.files.rules import ELSEWHERE
from envlock.capture.recording import Recorder
from envlock.capture.request import Request
from envlock.capture.residue import Residue
from envlock.capture.scan.access_log import AccessLog
from envlock.capture.scan.index import Index
from envlock.capture.scan.search import PathSearch
from envlock.errors import EnvlockError
from envlock.model.coverage import Coverage, Gap, Status
from envlock.model.depth import Depth
from envlock.model.facts import coverage_of
from envlock.model.glob import EVERYTHING, Wanted, compile_globs, matcher
from envlock.model.record import Record
from envlock.model.tree import Entry, Row
from envlock.secrets.redact import strip_record
from envlock.store.objects import Store
from envlock.targets.base import HashCache, Rewalkable, ScanPlan, Target
from envlock.targets.folder import Folder

CONFIG_PATHS = ("/etc/**", "**/site-packages/**", "**/dist-packages/**")
"""What a capture of depth CONFIG hashes: configuration, and libraries that may have been edited."""

_MADE_AGAIN = ("**/__pycache__/**",)
"""What it does not hash there: compiled from what lies beside it, and never compared."""

Progress = Callable[[str, int, int], None]
"""Called with a step's name and increments of files and bytes."""


def silent(_step: str, _files: int, _size: int) -> None:
    """Say nothing."""


@dataclass(kw_only=True)
class Run:
    """State of one capture in progress; lives for one call of `capture`.

    `others` are collectors that were not chosen; `claimants` are those of them that are asked what
    their packages own.
    `access_log` are of what was asked by whoever looks through the scan or claims paths, `covered` is
    what each collector that looks through the scan covered.
    """

    target: Target
    request: Request
    collectors: tuple[Collector, ...]
    progress: Progress
    others: tuple[Collector, ...] = ()
    claimants: tuple[Collector, ...] = ()
    store: Store | None = None
    residue: Residue | None = None
    claims: dict[str, Claim] = field(default_factory=dict)
    other_claims: dict[str, Claim] = field(default_factory=dict)
    index: Index = field(default_factory=Index)
    search: PathSearch = field(init=False)
    shown: Mapping[str, Entry] = field(init=False)
    is_walked: bool = False
    rows: dict[str, Row] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    scan_gaps: list[Gap] = field(default_factory=list)
    claim_gaps: dict[str, tuple[Gap, ...]] = field(default_factory=dict)
    coverage: dict[str, Coverage] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    recorder: Recorder | None = None
    own: frozenset[str] = frozenset()
    access_log: AccessLog = field(default_factory=AccessLog)
    covered: dict[str, Coverage] = field(default_factory=dict)
    mounts: dict[str, str] = field(default_factory=dict)
    is_repeatable: bool = True
    on_folder: Callable[[Folder], None] = lambda _folder: None

    def __post_init__(self) -> None:
        every = (*self.collectors, *self.claimants)
        expected = [pattern for collector in every for pattern in collector.reads]
        search = self.recorder.search if self.recorder else PathSearch
        self.search = search(self.index, expected)
        self.shown = self.recorder.watch(self.index) if self.recorder else self.index

    def owner(self, path: str) -> str:
        """Return the record that claims a path, whether or not its section is captured."""
        claim = self.other_claims.get(path) or self.claims.get(path)
        return claim.owner if claim else ""

    def open_file(self, entry: Entry) -> BinaryIO:
        """Open the file of an entry, from the store where it was spooled."""
        return self.residue.open(entry) if self.residue else self.target.open(entry.path)

    def context(
        self,
        collector: Collector,
        check_time: Callable[[], None] = in_time,
        access_log: AccessLog | None = None,
    ) -> Context:
        """Return what a collector may see.

        One that needs no scan is not shown it where another capture may do without.
        """
        needs_scan = collector.needs_scan or not isinstance(self.target, Rewalkable)
        return Context(
            self.target,
            self.shown if needs_scan else {},
            collector.reads,
            search=self.search,
            owner=self.owner,
            open_file=self.open_file,
            env_allow=self.request.env_allow,
            env_deny=self.request.env_deny,
            check_time=check_time,
            access_log=access_log,
        )

    def able(self, collectors: Iterable[Collector]) -> Iterable[Collector]:
        """Return the collectors that have what they need: only these will read anything."""
        return [c for c in collectors if c.needs <= self.target.capabilities]

    def add_claims(self, *, needs_scan: bool) -> None:
        """Ask every package system which paths it owns.

        The first to claim a path keeps it; of those that need the scan, the first that states its
        content.
        """
        groups = ((self.collectors, self.claims), (self.claimants, self.other_claims))
        for collectors, claims in groups:
            fresh: dict[str, Claim] = {}
            for collector in collectors:
                if collector.claims is not None and collector.needs_scan is needs_scan:
                    context = self.context(collector, access_log=self.access_log)
                    for path, claim in collector.claims(context).items():
                        known = fresh.get(path)
                        if known is None or (claim.digest and not known.digest):
                            fresh[path] = claim
                    self.claim_gaps[collector.name] = tuple(context.gaps)
            for path, claim in fresh.items():
                claims.setdefault(path, claim)

    def scan(self, cache: HashCache | None, *, with_claims: bool) -> None:
        """Walk the target once; whatever can be done while files are hashed is done then.

        `with_claims`: what packages own is asked before anything that depends on it.
        """
        for found in self._found(cache, with_claims=with_claims and not self.target.walks_first):
            self.index.add(found)
            if isinstance(found, Folder):
                self.on_folder(found)
            elif self.is_walked:
                self.rows[found.path] = self.row(found)

    def _found(self, cache: HashCache | None, *, with_claims: bool) -> Iterable[Entry | Folder]:
        target = self.target
        if isinstance(target, Rewalkable):
            found = target.walk(self.plan(cache))  # it goes ahead while packages are asked
            if with_claims:
                self.add_claims(needs_scan=False)
            return found
        if with_claims:
            self.add_claims(needs_scan=False)
        return target.scan(self.plan(cache))

    @property
    def tells_files(self) -> bool:
        """True when paths have records of their own: nobody asked for some sections only."""
        return bool(self.index) and (self.request.depth is Depth.FULL or not self.request.only)

    @cached_property
    def read(self) -> Wanted:
        """The files that are read for their digests: all, the configuration, or less."""
        request = self.request
        if request.depth is Depth.FULL:
            return EVERYTHING
        if request.only:
            digests = (glob for collector in self.collectors for glob in collector.digests)
            return Wanted(digests, but_not=_MADE_AGAIN)
        return Wanted(CONFIG_PATHS, but_not=_MADE_AGAIN, always=request.files)

    def told_entries(self) -> Iterable[Entry]:
        """Return the entries of the paths that can have records of their own."""
        if not self.tells_files:
            return ()
        if self.recorder is None:
            return self.index.entries(self.read)
        return (self.shown[path] for path in self.index.paths(self.read))

    def files_coverage(self, gaps: tuple[Gap, ...]) -> Coverage:
        """Return what was covered of all paths; what could not be looked at is told in any case."""
        if gaps:
            return Coverage(Status.PARTIAL, gaps)
        return Coverage(Status.OK if self.tells_files else Status.SKIPPED)

    def plan(self, cache: HashCache | None) -> ScanPlan:
        """Return what a walk should do on the way."""
        request, residue = self.request, self.residue
        reads = (g for c in self.able((*self.collectors, *self.claimants)) for g in c.reads)
        streams = self.target.is_streaming
        return ScanPlan(
            hashes=self.read,
            wants_md5=self.wants("md5", "sha1"),
            wants_sha1=self.wants("sha1", "md5"),
            retain=matcher(reads) if streams else (lambda _path: False),
            prune=compile_globs(request.ignore) if request.ignore else None,
            own=self.own,
            elsewhere=ELSEWHERE,
            cache=cache,
            on_gap=lambda path, reason: self.scan_gaps.append(Gap(path, reason)),
            on_progress=lambda files, size: self.progress("files", files, size),
            on_walk_finished=self.walked,
            jobs=request.jobs,
            keep=residue.keeper(self.claims) if residue else lambda _entry: None,
        )

    def wants(self, algorithm: str, other: str) -> Callable[[str], bool]:
        """Return which files need this digest too: those whose packages state it."""
        if self.target.is_streaming and not self.target.walks_first:
            # A stream may show that a link leads to a path before anybody knows it is claimed.
            stated = {path for path in self.claims if self.is_stated(path, algorithm)}
            if stated or (algorithm == "md5" and not self.claims):
                return lambda path: not self.is_stated(path, other)
            return stated.__contains__
        return lambda path: self.is_stated(path, algorithm)

    def is_stated(self, path: str, algorithm: str) -> bool:
        """True when a package states a digest of that algorithm for the path."""
        claim = self.claims.get(path)
        return claim is not None and claim.digest.startswith(f"{algorithm}:")

    def walked(self) -> None:
        """Every path is known: no claim is missing any more."""
        if self.target.is_streaming:
            # Only now every link is known by which a claimed path may lead elsewhere.
            self.claims.clear()
            self.other_claims.clear()
            self.add_claims(needs_scan=False)
        self.add_claims(needs_scan=True)
        self.collect(needs_scan=False)
        self.is_walked = True

    def row(self, entry: Entry) -> Row:
        """Return what is recorded of a path, its content kept where that is needed."""
        row = classify(entry, self.claims)
        if self.residue is None:
            return row
        claim = self.claims.get(entry.path)
        return self.residue.settle(row, is_stated=bool(claim and claim.digest))

    def cover(self, collector: Collector, coverage: Coverage) -> None:
        """Note what a collector covered, for each of its sections that has coverage of its own."""
        for name in {coverage_of(section) for section in collector.sections}:
            self.coverage.setdefault(name, coverage)

    def skip_others(self) -> None:
        """Note that what was not chosen was not looked for."""
        for collector in self.others:
            self.cover(collector, Coverage(Status.SKIPPED))

    def close(self) -> None:
        """Drop what was spooled on the way and is not needed."""
        if self.residue is not None:
            self.residue.finish()

    def collect(self, *, needs_scan: bool) -> None:
        """Run the collectors that need the scan, or the others, and note what each covered."""
        for collector in self.collectors:
            if collector.needs_scan is not needs_scan:
                continue
            started = time.perf_counter()
            self.progress(collector.name, 0, 0)
            coverage = Coverage(Status.UNSUPPORTED)
            if collector.needs <= self.target.capabilities:
                coverage = self.run(collector, started)
            self.covered[collector.name] = coverage
            self.cover(collector, coverage)
            self.seconds[collector.name] = time.perf_counter() - started

    def run(self, collector: Collector, started: float) -> Coverage:
        """Add the records of one collector; what goes wrong in it is a gap of its own."""

        def check_time() -> None:
            if time.perf_counter() - started > self.request.timeout:
                raise OutOfTime

        context = self.context(collector, check_time, self.access_log if collector.needs_scan else None)
        found: dict[tuple[str, str], Record] = {}
        try:
            for record in collector.collect(context):
                if (record.section, record.key) in found:
                    context.gap(f"{record.section} {record.key}", "stands there twice")
                    continue
                found[record.section, record.key] = strip_record(record)
                check_time()
        except OutOfTime:
            self.is_repeatable = False
            context.gap(collector.name, f"took longer than {self.request.timeout:g} seconds")
        except EnvlockError:
            raise
        except Exception as error:  # noqa: BLE001  one collector must not cost the others
            self.is_repeatable = False
            context.gap(collector.name, f"internal error: {type(error).__name__}: {error}")
        self.records += found.values()
        gaps = (*context.gaps, *self.claim_gaps.get(collector.name, ()))
        return _coverage(found, gaps, is_there=context.found_something)


def _coverage(found: Collection[object], gaps: Iterable[Gap], *, is_there: bool) -> Coverage:
    """Return what was covered; a gap that the claims and the records both met counts once."""
    met = tuple(dict.fromkeys(gaps))
    if met:
        return Coverage(Status.PARTIAL if found else Status.UNREADABLE, met)
    return Coverage(Status.OK if found or is_there else Status.ABSENT)
