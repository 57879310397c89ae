"""The session of one capture: what it has found so far, and the steps that find more.

A strategy (`envlock.capture.full`, `envlock.capture.incremental.recapture`) calls the steps in
its order; only the session changes what it holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from envlock.capture.beginnings import Beginnings
from envlock.capture.captured_files import CapturedFiles
from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.files.classify import classify
from envlock.capture.files.content_gate import ContentGate
from envlock.capture.files.hidden_names import hidden_names
from envlock.capture.files.ownership import Claim, Claims
from envlock.capture.files.rules import OTHER_ENVIRONMENTS
from envlock.capture.files.state_search import find_state
from envlock.capture.gap_paths import where_it_matters
from envlock.capture.published import Members
from envlock.capture.residue import Residue
from envlock.capture.scan.access_log import AccessLog
from envlock.capture.scan.index import Index
from envlock.capture.scan.search import PathSearch
from envlock.capture.second_digests import wanted
from envlock.capture.settle import Settler
from envlock.capture.setup import CaptureSetup
from envlock.capture.state import ServiceState
from envlock.capture.time_limit import OutOfTime, TimeLimit
from envlock.errors import InterruptedByUser, UnreachableError
from envlock.model.coverage import Coverage, Gap, Status
from envlock.model.facts import coverage_of
from envlock.model.glob import compile_globs, matcher
from envlock.model.record import Record
from envlock.model.tree import Entry, EntryType, Row
from envlock.secrets.records import clean_entry, clean_gap, clean_record
from envlock.targets.base import IncrementalTarget, ScanPlan
from envlock.targets.folder import Folder
from envlock.targets.recorded import RecordedTarget

OnFolder = Callable[[Folder], None]
"""Called with each directory of the walk, on targets that yield whole directories."""


class CaptureSession:
    """What one capture has found so far.

    `claims` say who owns a path, for the chosen collectors; those of skipped collectors are asked
    for by `owner` only.  `shown` is the index as collectors see it.  `coverage` is by section,
    `collected` by collector.  `access_log` holds what was asked by everything that searches the
    scan.  `is_repeatable` is False once an answer depended on more than the files.
    """

    def __init__(self, setup: CaptureSetup, on_folder: OnFolder = lambda _: None) -> None:
        self.setup = setup
        self.index = Index()
        self.claims: dict[str, Claim] = {}
        self.claim_gaps: dict[str, tuple[Gap, ...]] = {}
        self.records: list[Record] = []
        self.scan_gaps: list[Gap] = []
        self.coverage: dict[str, Coverage] = {}
        self.collected: dict[str, Coverage] = {}
        self.seconds: dict[str, float] = {}
        self.access_log = AccessLog()
        self.is_repeatable = True
        self.residue: Residue | None = None
        self.state = ServiceState(setup.request.with_state)
        seconds = setup.request.timeout
        if setup.store is not None and setup.is_full_depth:
            self.residue = Residue(
                *(setup.source, setup.store, self.scan_gaps, setup.cache, seconds),
                *(Members(setup.published, self.claims, self.records), self.state.is_wanted),
            )
        own = ContentGate(self._open_file, setup.cache, seconds)
        self.gate = self.residue.gate if self.residue else own
        found = (self.claims, self.scan_gaps, self.state)
        self._settler = Settler(setup, self.gate, self.residue, *found)
        recorder, every = setup.recorder, (*setup.collectors, *setup.claimants)
        patterns = [p for c in every for p in c.reads]
        self._search = (recorder.search if recorder else PathSearch)(self.index, patterns)
        self.shown: Mapping[str, Entry] = recorder.watch(self.index) if recorder else self.index
        self._other_claims: dict[str, Claim] = {}
        self._rows: dict[str, Row] = {}
        self._beginnings = setup.layers.beginnings if setup.layers else Beginnings()
        self._on_folder, self._is_walk_finished = on_folder, False

    # What a strategy may ask

    @property
    def reports_files(self) -> bool:
        """True when paths have records of their own: the capture is not limited to sections."""
        return bool(self.index) and (self.setup.is_full_depth or not self.setup.request.only)

    def rows(self) -> list[Row]:
        """Return the rows of the paths that can have records of their own."""
        is_hidden, gaps = hidden_names(self.index, self.setup.cache)
        self.is_repeatable &= not gaps  # a snapshot would hold the names
        self.scan_gaps += gaps if self.reports_files else ()
        if self.setup.recorder is not None:
            self.setup.recorder.hide(is_hidden, gaps if self.reports_files else ())
        return [
            self._rows.get(entry.path) or self._row(entry)
            for entry in self._reportable()
            if not is_hidden(entry.path)
        ]

    def view(self, owner: Callable[[str], str] | None = None) -> CapturedFiles:
        """Return the files as they are now; `owner` replaces what this session knows of claims."""
        return CapturedFiles(
            self.setup.source,
            owner=owner or self._owner,
            digest=self._digest,
            open_file=lambda entry: self.setup.source.open(entry.path),
            beginnings=self._beginnings,
            cache=self.setup.cache,
        )

    # Steps

    def walk(self, *, with_claims: bool) -> None:
        """Walk the target once; what can be done while files are hashed is done then.

        `with_claims`: packages are asked which paths they own before anything depends on it.
        """
        target = self.setup.target
        asks_first = with_claims and not target.walks_before_reading
        if isinstance(target, IncrementalTarget):
            found: Iterable[Entry | Folder] = target.walk(self.plan())
            if asks_first:  # the walk goes on meanwhile
                self.add_claims(needs_scan=False)
        else:
            if asks_first:
                self.add_claims(needs_scan=False)
            found = target.scan(self.plan())
        for each in found:
            self.index.add(each)
            if isinstance(each, Folder):
                self._on_folder(each)
            elif self._is_walk_finished:
                self._rows[each.path] = self._row(each)

    def finish_walk(self) -> None:
        """Take the event that every path is known, while digests are still outstanding."""
        if self.setup.target.is_streaming:
            # Only now every link is known by which a claimed path may lead elsewhere.
            self.claims.clear()
            self._other_claims.clear()
            self.add_claims(needs_scan=False)
        self.add_claims(needs_scan=True)
        self.collect(needs_scan=False)
        found = find_state(self.index, self._search, self.shown, self.claims)
        self.state.take(found, self.setup.target, self.setup.source, self.shown)
        self._is_walk_finished = True

    def rescan(self, paths: Collection[str]) -> None:
        """Read the root directory and `paths` again; nothing else is in the index then.

        The target must be `IncrementalTarget`.
        """
        target = self.setup.target
        self.index.add(target.stat("/"))
        if isinstance(target, IncrementalTarget):
            plan = replace(self.plan(), on_walk_finished=lambda: None)
            for entry in target.scan_paths(plan, paths):
                self.index.add(entry)

    def add_claims(self, *, needs_scan: bool) -> None:
        """Ask every package system which paths it owns.

        The first to claim a path keeps it; of those that need the scan, the first that states its
        content.
        """
        setup = self.setup
        groups = ((setup.collectors, self.claims), (setup.claimants, self._other_claims))
        for collectors, claims in groups:
            fresh: dict[str, Claim] = {}
            for collector in collectors:
                if collector.claims is not None and collector.needs_scan is needs_scan:
                    for path, claim in self._claims_of(collector, collector.claims).items():
                        known = fresh.get(path)
                        if known is None or (claim.digest and not known.digest):
                            fresh[path] = claim
            for path, claim in fresh.items():
                claims.setdefault(path, claim)

    def collect(self, *, needs_scan: bool) -> None:
        """Run the collectors that need the scan, or the others, and note what each covered."""
        for collector in self.setup.collectors:
            if collector.needs_scan is not needs_scan:
                continue
            started = time.perf_counter()
            self.setup.progress(collector.name, 0, 0)
            coverage = Coverage(Status.UNSUPPORTED)
            if collector.needs <= self.setup.target.capabilities:
                coverage = self._run(collector)
            self._cover(collector, coverage)
            self.seconds[collector.name] = time.perf_counter() - started

    def restore_claim_gaps(self, gaps: Mapping[str, tuple[Gap, ...]]) -> None:
        """Take over what an earlier capture could not learn from packages, by collector."""
        self.claim_gaps.update(gaps)

    def restore_claims(self, claims: Claims) -> None:
        """Take over claims of an earlier capture."""
        self.claims.update(claims)

    def restore_records(self, records: Iterable[Record], collected: Mapping[str, Coverage]) -> None:
        """Take over what the collectors that search the scan found in an earlier capture."""
        for collector in self.setup.collectors:
            if collector.needs_scan:
                self._cover(collector, collected[collector.name])
        self.records += records

    def finish(self, files: Iterable[Record], gaps: tuple[Gap, ...]) -> None:
        """Add the records of single paths, and what was covered of all paths.

        `gaps` are those of the scan, with those of contents that could not be kept.
        """
        self.records += files
        cover = Coverage(Status.OK if self.reports_files else Status.SKIPPED)
        if gaps := where_it_matters(gaps):  # what could not be looked at is reported in any case
            cover = Coverage(Status.PARTIAL, gaps)
        has_tree = self.reports_files and self.setup.is_full_depth
        self.coverage["file"] = self.coverage["state"] = cover
        self.coverage["tree"] = cover if has_tree else Coverage(Status.SKIPPED)
        for collector in self.setup.skipped:
            self._cover(collector, Coverage(Status.SKIPPED), is_collected=False)

    def close(self) -> None:
        """Drop content that was spooled during the walk and is not needed."""
        if self.residue is not None:
            self.residue.finish()

    def plan(self) -> ScanPlan:
        """Return what a walk does on the way."""
        request, residue, reads = self.setup.request, self.residue, self.setup.reads
        streams = self.setup.target.is_streaming
        return ScanPlan(
            hashes=self.setup.hashed,
            wants_md5=wanted(self.setup.target, self.claims, "md5", "sha1"),
            wants_sha1=wanted(self.setup.target, self.claims, "sha1", "md5"),
            retain=matcher(reads) if streams else (lambda _path: False),
            reads=reads,
            prune=compile_globs(request.ignore) if request.ignore else None,
            excluded=self.setup.excluded,
            other_environments=OTHER_ENVIRONMENTS,
            cache=self.setup.cache,
            on_gap=lambda path, reason: self.scan_gaps.append(clean_gap(Gap(path, reason))),
            on_progress=lambda files, size: self.setup.progress("files", files, size),
            on_walk_finished=self.finish_walk,
            jobs=request.jobs,
            writer_for=residue.keeper(self.claims) if residue else lambda _entry: None,
            watch=self._beginnings.watch if self.setup.read_later else lambda _entry: None,
        )

    def _reportable(self) -> Iterator[Entry]:
        """Yield the entries of the paths that can have records of their own."""
        if not self.reports_files:
            return iter(())
        if self.setup.recorder is None:
            return self.index.entries(self.setup.hashed)
        return (self.shown[path] for path in self.index.paths(self.setup.hashed))

    def _row(self, entry: Entry) -> Row:
        """Return what may be recorded of a path, its content kept where that is needed."""
        if self.setup.layers is not None and entry.type is EntryType.FILE:
            self.setup.layers.see(entry, self.claims.get(entry.path))
        if entry.target or entry.xattrs:
            entry = clean_entry(entry)
        row = self.state.applied(classify(entry, self.claims, self._exists), entry)
        target, recorder = self.setup.target, self.setup.recorder
        if isinstance(target, RecordedTarget):  # it was judged when it was recorded
            settled = target.settled(row)
            if self.residue is not None:
                self.residue.count(settled)
            return settled
        known = len(self.scan_gaps)
        settled = self._settler.settle(entry, row)
        if recorder is not None:
            recorder.settle(entry, row, settled, self.scan_gaps[known:])
        return settled

    def _exists(self, path: str) -> bool:
        """True when the walk found a path."""
        self.access_log.paths.add(path)
        return path in self.index

    def _owner(self, path: str) -> str:
        """Return the record that claims a path, whether or not its section is captured."""
        claim = self._other_claims.get(path) or self.claims.get(path)
        return claim.owner if claim else ""

    def _digest(self, path: str) -> str:
        """Return the digest of a file that was hashed, empty for any other."""
        entry = self.index.get(path)
        if entry is not None and entry.type is EntryType.HARDLINK:
            entry = self.index.get(entry.target)
        return entry.sha256 if entry is not None else ""

    def _open_file(self, entry: Entry) -> BinaryIO:
        """Open the file of an entry, from the store where it was spooled."""
        return self.residue.open(entry) if self.residue else self.setup.source.open(entry.path)

    def _open_recorded(self, entry: Entry) -> BinaryIO:
        """Open the file of an entry for a collector."""
        recorder = self.setup.recorder
        if recorder is None:
            return self._open_file(entry)
        return recorder.record_stream(entry.path, lambda: self._open_file(entry))

    def _context(
        self, collector: Collector, limit: TimeLimit, access_log: AccessLog | None
    ) -> Context:
        """Return what a collector may see.

        One that needs no scan does not see it where another capture may do without.
        """
        setup = self.setup
        needs_scan = collector.needs_scan or not isinstance(setup.target, IncrementalTarget)
        return Context(
            setup.target,
            self.shown if needs_scan else {},
            collector.reads,
            search=self._search,
            owner=self._owner,
            open_file=self._open_recorded,
            env_allow=setup.request.env_allow,
            env_deny=setup.request.env_deny,
            value_key=setup.request.value_key,
            limit=limit,
            access_log=access_log,
            asked_names=setup.asked_names,
        )

    def _cover(
        self, collector: Collector, coverage: Coverage, *, is_collected: bool = True
    ) -> None:
        """Note what a collector covered, for each of its sections that has coverage of its own."""
        if is_collected:
            self.collected[collector.name] = coverage
        for name in {coverage_of(section) for section in collector.sections}:
            self.coverage.setdefault(name, coverage)

    def _run(self, collector: Collector) -> Coverage:
        """Add the records of one collector; what goes wrong in it is a gap of its own."""
        access_log = self.access_log if collector.needs_scan else None
        found: dict[tuple[str, str], Record] = {}
        with self._guarded(collector, access_log) as (context, limit):
            for record in collector.collect(context):
                if not collector.fits(record):
                    where = context.last_path or collector.name
                    context.gap(where, f"what it states fits no record of {record.section}")
                    continue
                if (record.section, record.key) in found:
                    context.gap(f"{record.section} {record.key}", "is listed twice")
                    continue
                found[record.section, record.key] = clean_record(record)
                limit.check()
        self.records += found.values()
        gaps = (*context.gaps, *self.claim_gaps.get(collector.name, ()))
        # A gap that both the claims and the records met counts once.
        met = tuple(dict.fromkeys(map(clean_gap, gaps)))
        return Coverage.of(found=bool(found), is_there=context.found_something, gaps=met)

    def _claims_of(self, collector: Collector, ask: Callable[[Context], Claims]) -> Claims:
        """Return which paths the packages of a collector own; nothing when it fails."""
        claims: Claims = {}
        with self._guarded(collector, self.access_log) as (context, _):
            claims = ask(context)
        self.claim_gaps[collector.name] = tuple(context.gaps)
        return claims

    @contextmanager
    def _guarded(
        self, collector: Collector, access_log: AccessLog | None
    ) -> Iterator[tuple[Context, TimeLimit]]:
        """Give a context to a collector; its errors, and a time that is over, become gaps."""
        limit = TimeLimit(self.setup.request.timeout)
        context = self._context(collector, limit, access_log)
        try:
            with limit:
                yield context, limit
        except OutOfTime:
            self.is_repeatable = False
            context.gap(collector.name, f"took longer than {limit.seconds:g} seconds")
        except (UnreachableError, InterruptedByUser):
            raise
        except Exception as error:  # noqa: BLE001  one collector must not cost the others
            self.is_repeatable = False
            where = context.last_path or collector.name
            reason = f"{type(error).__name__}: {error}"
            context.gap(where, f"nothing was read from here on ({reason})")
        finally:
            limit.stop()
