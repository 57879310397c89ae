"""Run every collector over one walk of a target and write down the result as a lock.

The order is fixed by what knows what: package databases say which files they own (so that the
walk knows where dpkg's MD5 is wanted), then one walk finds every path.  While files are still
being hashed beside it, the collectors that need no digest read, each path whose digest is there
is classified, and what no package can give back is kept by value.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from envlock.capture.classify import classify
from envlock.capture.files import file_records, missing_records
from envlock.capture.finder import Finder
from envlock.capture.noise import is_elsewhere
from envlock.capture.ownership import Claim
from envlock.capture.record import Recorder
from envlock.capture.redact import strip_record
from envlock.capture.request import Depth, Request
from envlock.capture.residue import Residue
from envlock.capture.spec import Collector
from envlock.capture.view import OutOfTime, View, in_time
from envlock.errors import EnvlockError
from envlock.model.coverage import Coverage, Gap, Status
from envlock.model.facts import coverage_of
from envlock.model.glob import compile_globs, matcher
from envlock.model.lock import Lock
from envlock.model.record import Facts, Record
from envlock.model.tree import Entry, Row, Tree
from envlock.store.objects import Store
from envlock.target.base import HashCache, ScanPlan, Target, always


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A finished capture.

    `tree` is None unless everything was hashed; `objects` are then the digests of what was put into
    the store for it.  `left_out` are paths whose content is secret,
    with the rule that says so.  `coverage` holds every gap; the lock has the counts.  `seconds`
    is wall time per collector, for people and never in the lock.
    """

    lock: Lock
    tree: Tree | None
    left_out: Mapping[str, str]
    coverage: Mapping[str, Coverage]
    seconds: Mapping[str, float]
    objects: frozenset[str] = frozenset()
    files: int = 0
    size: int = 0


Progress = Callable[[str, int, int], None]
"""Called with a step's name and increments of files and bytes."""


def _silent(_step: str, _files: int, _size: int) -> None:
    return None


@dataclass(kw_only=True)
class _Run:
    """State of one capture in progress; lives for one call of `capture`.

    `claimants` are collectors that were not chosen and are only asked what their packages own.
    """

    target: Target
    request: Request
    collectors: tuple[Collector, ...]
    progress: Progress
    claimants: tuple[Collector, ...] = ()
    store: Store | None = None
    residue: Residue | None = None
    claims: dict[str, Claim] = field(default_factory=dict)
    other_claims: dict[str, Claim] = field(default_factory=dict)
    index: dict[str, Entry] = field(default_factory=dict)
    finder: Finder = field(init=False)
    shown: Mapping[str, Entry] = field(init=False)
    is_walked: bool = False
    rows: dict[str, Row] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    scan_gaps: list[Gap] = field(default_factory=list)
    claim_gaps: dict[str, tuple[Gap, ...]] = field(default_factory=dict)
    coverage: dict[str, Coverage] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    recorder: Recorder | None = None

    def __post_init__(self) -> None:
        self.finder = self.recorder.finder(self.index) if self.recorder else Finder(self.index)
        self.shown = self.recorder.watch(self.index) if self.recorder else self.index

    def owner(self, path: str) -> str:
        """Return the record that claims a path, whether or not its section is captured."""
        claim = self.other_claims.get(path) or self.claims.get(path)
        return claim.owner if claim else ""

    def open_file(self, entry: Entry) -> BinaryIO:
        return self.residue.open(entry) if self.residue else self.target.open(entry.path)

    def view(self, collector: Collector, check_time: Callable[[], None] = in_time) -> View:
        return View(
            self.target,
            self.shown,
            collector.reads,
            finder=self.finder,
            owner=self.owner,
            open_file=self.open_file,
            env_allow=self.request.env_allow,
            env_deny=self.request.env_deny,
            check_time=check_time,
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
                    view = self.view(collector)
                    for path, claim in collector.claims(view).items():
                        known = fresh.get(path)
                        if known is None or (claim.digest and not known.digest):
                            fresh[path] = claim
                    self.claim_gaps[collector.name] = tuple(view.gaps)
            for path, claim in fresh.items():
                claims.setdefault(path, claim)

    def scan(self, cache: HashCache | None) -> None:
        """Walk the target once; whatever can be done while files are hashed is done then."""
        request, residue = self.request, self.residue
        full = request.depth is Depth.FULL
        reads = (g for c in self.able((*self.collectors, *self.claimants)) for g in c.reads)
        streams = self.target.is_streaming
        plan = ScanPlan(
            hashes=always if full else _matcher((*CONFIG_PATHS, *request.files)),
            wants_md5=self.wants("md5", "sha1"),
            wants_sha1=self.wants("sha1", "md5"),
            retain=matcher(reads) if streams else (lambda _path: False),
            prune=_matcher(request.ignore) if request.ignore else None,
            own=str(self.store.root.resolve()) if self.store else "",
            elsewhere=is_elsewhere,
            cache=cache,
            on_gap=lambda path, reason: self.scan_gaps.append(Gap(path, reason)),
            on_progress=lambda files, size: self.progress("files", files, size),
            on_walked=self.walked,
            jobs=request.jobs,
            keep=residue.keeper(self.claims) if residue else lambda _entry: None,
        )
        for entry in self.target.scan(plan):
            self.index[entry.path] = entry
            if self.is_walked:
                self.rows[entry.path] = self.row(entry)

    def wants(self, algorithm: str, other: str) -> Callable[[str], bool]:
        """Return which files need this digest too: those whose packages state it."""
        if self.target.walks_first:
            return lambda path: self.is_stated(path, algorithm)
        stated = {path for path in self.claims if self.is_stated(path, algorithm)}
        is_likely = bool(stated) or (algorithm == "md5" and not self.claims)
        if self.target.is_streaming and is_likely:
            # A stream may show that a link leads to a path before anybody knows it is claimed.
            return lambda path: not self.is_stated(path, other)
        return stated.__contains__

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

    def collect(self, *, needs_scan: bool) -> None:
        """Run the collectors that need the scan, or the others, and note what each covered."""
        for collector in self.collectors:
            if collector.needs_scan is not needs_scan:
                continue
            started = time.perf_counter()
            self.progress(collector.name, 0, 0)
            if not collector.needs <= self.target.capabilities:
                self.cover(collector, Coverage(Status.UNSUPPORTED))
                continue
            self.cover(collector, self.run(collector, started))
            self.seconds[collector.name] = time.perf_counter() - started

    def run(self, collector: Collector, started: float) -> Coverage:
        """Add the records of one collector; what goes wrong in it is a gap of its own."""

        def check_time() -> None:
            if time.perf_counter() - started > self.request.timeout:
                raise OutOfTime

        view = self.view(collector, check_time)
        found: dict[tuple[str, str], Record] = {}
        try:
            for record in collector.collect(view):
                if (record.section, record.key) in found:
                    view.gap(f"{record.section} {record.key}", "stands there twice")
                    continue
                found[record.section, record.key] = strip_record(record)
                check_time()
        except OutOfTime:
            view.gap(collector.name, f"took longer than {self.request.timeout:g} seconds")
        except EnvlockError:
            raise
        except Exception as error:  # noqa: BLE001  one collector must not cost the others
            view.gap(collector.name, f"internal error: {type(error).__name__}: {error}")
        self.records += found.values()
        gaps = (*view.gaps, *self.claim_gaps.get(collector.name, ()))
        return _coverage(found, gaps, is_there=view.found_something)


CONFIG_PATHS = ("/etc/**", "**/site-packages/**", "**/dist-packages/**")
"""What a capture of depth CONFIG hashes: configuration, and libraries that may have been edited."""


def capture(
    target: Target,
    collectors: Iterable[Collector],
    request: Request,
    *,
    store: Store | None = None,
    cache: HashCache | None = None,
    progress: Progress = _silent,
    recorder: Recorder | None = None,
) -> Capture:
    """Capture `target`, which a `recorder` looks at in its place.

    With a `store` and depth FULL the residue and the tree object are put into it (not yet durable:
    the caller commits and sets the reference).  Raise TargetError when the target stops
    answering; anything smaller becomes a gap.
    """
    everything = tuple(collectors)
    chosen = tuple(c for c in everything if _is_chosen(c, request))
    target = recorder or target
    run = _Run(
        target=target,
        request=request,
        collectors=chosen,
        progress=progress,
        store=store,
        recorder=recorder,
    )
    asks_owners = any(collector.needs_owners for collector in chosen)
    if asks_owners:
        run.claimants = tuple(c for c in everything if c.claims is not None and c not in chosen)
    is_scanned = request.depth is not Depth.RECORDS or any(c.needs_scan for c in chosen)
    # A scan shows what collectors read; only who owns a path must be known before it.
    able = run.able((*chosen, *run.claimants))
    target.preload(_early_reads(c for c in able if c.claims is not None or not is_scanned))
    needs_claims = asks_owners or request.depth is not Depth.RECORDS
    if needs_claims and not (is_scanned and target.walks_first):
        run.add_claims(needs_scan=False)
    if store is not None and request.depth is Depth.FULL:
        run.residue = Residue(target, store, run.scan_gaps, cache)
    try:
        if is_scanned:
            run.scan(cache)
        else:
            run.collect(needs_scan=False)
        run.collect(needs_scan=True)
        return _finish(run, everything)
    finally:
        if run.residue is not None:
            run.residue.finish()


def _finish(run: _Run, everything: Iterable[Collector]) -> Capture:
    tree = None
    records, residue = run.records, run.residue
    for collector in everything:
        run.cover(collector, Coverage(Status.SKIPPED))
    if run.index:
        rows = [run.rows.get(entry.path) or run.row(entry) for entry in _recorded(run)]
        records += file_records(rows, run.claims, run.shown, run.request.files)
        unseen = frozenset(gap.where for gap in run.scan_gaps)
        records += missing_records(run.claims, run.shown, unseen, _matcher(run.request.ignore))
        status = Status.PARTIAL if run.scan_gaps else Status.OK
        run.coverage["file"] = Coverage(status, tuple(run.scan_gaps))
        if run.request.depth is Depth.FULL:
            tree = Tree.of(rows)
            records.append(_tree_record(tree, residue))
    run.coverage["tree"] = (
        Coverage(Status.SKIPPED) if tree is None else Coverage(status, tuple(run.scan_gaps))
    )
    lock = Lock.of(records, {name: _coverage_facts(cover) for name, cover in run.coverage.items()})
    return Capture(
        lock=lock,
        tree=tree,
        left_out=residue.left_out if residue else {},
        coverage=run.coverage,
        seconds=run.seconds,
        objects=residue.objects if residue else frozenset(),
        files=len(run.index),
        size=sum(entry.size for entry in run.index.values()),
    )


def _recorded(run: _Run) -> Iterable[Entry]:
    """Return the entries that can end in a record: all of them, or the configuration."""
    if run.request.depth is Depth.FULL:
        return run.index.values()
    configured = compile_globs((*CONFIG_PATHS, *run.request.files)).match
    return (run.shown[path] for path in run.index if configured(path))


def _matcher(globs: tuple[str, ...]) -> Callable[[str], bool]:
    match = compile_globs(globs).match
    return lambda path: match(path) is not None


def _is_chosen(collector: Collector, request: Request) -> bool:
    names = {collector.name, *collector.sections}
    if names & request.skip:
        return False
    return not request.only or bool(names & request.only)


def _early_reads(collectors: Iterable[Collector]) -> tuple[str, ...]:
    """Return what collectors read without needing the scan."""
    return tuple(sorted({p for c in collectors if not c.needs_scan for p in c.reads}))


def _coverage(found: Collection[object], gaps: Iterable[Gap], *, is_there: bool) -> Coverage:
    """Return what was covered; a gap that the claims and the records both met counts once."""
    met = tuple(dict.fromkeys(gaps))
    if met:
        return Coverage(Status.PARTIAL if found else Status.UNREADABLE, met)
    return Coverage(Status.OK if found or is_there else Status.ABSENT)


def _coverage_facts(coverage: Coverage) -> Facts:
    facts = {"status": coverage.status.value}
    if coverage.gaps:
        first = min(coverage.gaps)
        facts["gaps"] = str(len(coverage.gaps))
        facts["reason"] = f"{first.where}: {first.reason}"
    return facts


def _tree_record(tree: Tree, residue: Residue | None) -> Record:
    written = tree.write()
    facts = {"content": written.content, "entries": str(len(tree.rows))}
    if residue is not None:
        facts["object"] = f"sha256:{residue.put_tree(written.object)}"
        facts["residue"] = str(residue.size)
    return Record("tree", "", facts)
