"""Run every collector over one walk of a target and write down the result as a lock.

The order is fixed by what knows what: package databases say which files they own (so that the
walk knows where dpkg's MD5 is wanted), then one walk hashes everything, then the collectors read,
then each path is classified, and what no package can give back is kept by value.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from envlock.capture.classify import classify
from envlock.capture.files import file_records
from envlock.capture.ownership import Claim
from envlock.capture.residue import Residue
from envlock.capture.spec import Collector
from envlock.capture.view import View
from envlock.model.coverage import Coverage, Gap, Status
from envlock.model.facts import coverage_of
from envlock.model.glob import compile_globs
from envlock.model.lock import Lock
from envlock.model.record import Facts, Record
from envlock.model.tree import Entry, Tree
from envlock.store.objects import Store
from envlock.target.base import HashCache, ScanPlan, Target


class Depth(StrEnum):
    """How much of the file tree a capture reads."""

    RECORDS = "records"
    """Only the files that the chosen collectors name: packages and facts in a moment."""
    CONFIG = "config"
    """Walk the names of the whole tree, read configuration and Python environments."""
    FULL = "full"
    """Read and hash every file, keep the residue: the lock can be materialized."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to capture.

    `only` and `skip` name collectors (empty `only`: all).  `files` are globs of paths to hold in
    the lock by digest, `ignore` globs never walked.  `env_allow` and `env_deny` add to the
    built-in lists of variables whose values may be recorded.
    """

    depth: Depth = Depth.FULL
    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    env_allow: tuple[str, ...] = ()
    env_deny: tuple[str, ...] = ()
    jobs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A finished capture.

    `tree` is None unless everything was hashed.  `left_out` are paths whose content is secret,
    with the rule that says so.  `coverage` holds every gap; the lock has the counts.  `seconds`
    is wall time per collector, for people and never in the lock.
    """

    lock: Lock
    tree: Tree | None
    left_out: Mapping[str, str]
    coverage: Mapping[str, Coverage]
    seconds: Mapping[str, float]
    files: int = 0
    size: int = 0


Progress = Callable[[str, int, int], None]
"""Called with a step's name and increments of files and bytes."""


def _silent(_step: str, _files: int, _size: int) -> None:
    return None


@dataclass(kw_only=True)
class _Run:
    """State of one capture in progress; lives for one call of `capture`."""

    target: Target
    request: Request
    collectors: tuple[Collector, ...]
    progress: Progress
    claims: dict[str, Claim] = field(default_factory=dict)
    index: dict[str, Entry] = field(default_factory=dict)
    scan_gaps: list[Gap] = field(default_factory=list)
    coverage: dict[str, Coverage] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def view(self, collector: Collector) -> View:
        return View(
            self.target,
            self.index,
            collector.reads,
            env_allow=self.request.env_allow,
            env_deny=self.request.env_deny,
        )

    def add_claims(self, *, needs_scan: bool) -> None:
        """Ask every package system which paths it owns; the first to claim a path keeps it."""
        for collector in self.collectors:
            if collector.claims is not None and collector.needs_scan is needs_scan:
                for path, claim in collector.claims(self.view(collector)).items():
                    self.claims.setdefault(path, claim)

    def scan(self, cache: HashCache | None, residue: Residue | None) -> None:
        """Walk the target once."""
        request = self.request
        full = request.depth is Depth.FULL
        retain = compile_globs(tuple(g for c in self.collectors for g in c.reads)).match
        configured = compile_globs((*CONFIG_PATHS, *request.files)).match
        ignored = compile_globs(request.ignore).match
        with_md5 = {path for path, claim in self.claims.items() if claim.digest[:4] == "md5:"}
        plan = ScanPlan(
            hashes=(lambda _path: True) if full else (lambda path: configured(path) is not None),
            wants_md5=(lambda _path: True) if self.target.is_streaming else with_md5.__contains__,
            retain=lambda path: retain(path) is not None,
            prune=lambda path: ignored(path) is not None,
            cache=cache,
            on_gap=lambda path, reason: self.scan_gaps.append(Gap(path, reason)),
            on_progress=lambda files, size: self.progress("files", files, size),
            jobs=request.jobs,
            keep=residue.keeper(self.claims) if residue else lambda _entry: None,
        )
        self.index.update((entry.path, entry) for entry in self.target.scan(plan))

    def cover(self, collector: Collector, coverage: Coverage) -> None:
        """Note what a collector covered, for each of its sections that has coverage of its own."""
        for name in {coverage_of(section) for section in collector.sections}:
            self.coverage.setdefault(name, coverage)

    def collect(self) -> list[Record]:
        """Run the collectors and note what each covered."""
        records: list[Record] = []
        for collector in self.collectors:
            started = time.perf_counter()
            self.progress(collector.name, 0, 0)
            if not collector.needs <= self.target.capabilities:
                self.cover(collector, Coverage(Status.UNSUPPORTED))
                continue
            view = self.view(collector)
            found = list(collector.collect(view))
            records += found
            self.cover(collector, _coverage(found, view))
            self.seconds[collector.name] = time.perf_counter() - started
        return records


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
) -> Capture:
    """Capture `target`.

    With a `store` and depth FULL the residue and the tree object are put into it (not yet durable:
    the caller commits and sets the reference).  Raise TargetError when the target stops
    answering; anything smaller becomes a gap.
    """
    everything = tuple(collectors)
    chosen = tuple(c for c in everything if _is_chosen(c, request))
    run = _Run(target=target, request=request, collectors=chosen, progress=progress)
    target.preload(_literal_reads(chosen))
    full = request.depth is Depth.FULL
    if request.depth is not Depth.RECORDS:
        run.add_claims(needs_scan=False)
    residue = Residue(target, store) if store is not None and full else None
    try:
        if request.depth is not Depth.RECORDS or any(c.needs_scan for c in chosen):
            run.scan(cache, residue)
        records = run.collect()
        if target.is_streaming:
            # Only now every link is known by which a claimed path may lead elsewhere.
            run.claims.clear()
            run.add_claims(needs_scan=False)
        run.add_claims(needs_scan=True)
        return _finish(run, records, residue, everything)
    except BaseException:
        if residue is not None:
            residue.abandon()
        raise


def _finish(
    run: _Run, records: list[Record], residue: Residue | None, everything: Iterable[Collector]
) -> Capture:
    tree = None
    left_out: Mapping[str, str] = {}
    for collector in everything:
        run.cover(collector, Coverage(Status.SKIPPED))
    if run.index:
        rows = [classify(entry, run.claims) for entry in _recorded(run)]
        if residue is not None:
            rows, left_out = residue.settle(rows, run.scan_gaps)
        records += file_records(rows, run.claims, run.index, run.request.files)
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
        left_out=left_out,
        coverage=run.coverage,
        seconds=run.seconds,
        files=len(run.index),
        size=sum(entry.size for entry in run.index.values()),
    )


def _recorded(run: _Run) -> Iterable[Entry]:
    """Return the entries that can end in a record: all of them, or the configuration."""
    if run.request.depth is Depth.FULL:
        return run.index.values()
    configured = compile_globs((*CONFIG_PATHS, *run.request.files)).match
    return (entry for path, entry in run.index.items() if configured(path))


def _is_chosen(collector: Collector, request: Request) -> bool:
    names = {collector.name, *collector.sections}
    if names & request.skip:
        return False
    return not request.only or bool(names & request.only)


def _literal_reads(collectors: Iterable[Collector]) -> tuple[str, ...]:
    """Return the files and directories that collectors read without needing the scan."""
    literal = set()
    for collector in collectors:
        if collector.needs_scan:
            continue
        for pattern in collector.reads:
            head, star, _ = pattern.partition("*")
            literal.add(head.rpartition("/")[0] if star else pattern)
    return tuple(sorted(literal - {""}))


def _coverage(found: list[Record], view: View) -> Coverage:
    gaps = tuple(view.gaps)
    if gaps:
        return Coverage(Status.PARTIAL if found else Status.UNREADABLE, gaps)
    return Coverage(Status.OK if found or view.found_something else Status.ABSENT)


def _coverage_facts(coverage: Coverage) -> Facts:
    facts = {"status": coverage.status.value}
    if coverage.gaps:
        first = min(coverage.gaps)
        facts["gaps"] = str(len(coverage.gaps))
        facts["reason"] = f"{first.where}: {first.reason}"
    return facts


def _tree_record(tree: Tree, residue: Residue | None) -> Record:
    facts = {"content": tree.content_digest(), "entries": str(len(tree.rows))}
    if residue is not None:
        facts["object"] = f"sha256:{residue.put_tree(tree)}"
        facts["residue"] = str(residue.size)
    return Record("tree", "", facts)
