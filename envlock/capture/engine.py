"""Run every collector over one walk of a target and write down the result as a lock.

The order is fixed by what knows what: package databases say which files they own (so that the
walk knows where dpkg's MD5 is wanted), then one walk finds every path.  While files are still
being hashed beside it, the collectors that need no digest read, each path whose digest is there
is classified, and what no package can give back is kept by value.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from envlock.capture.collector import Collector
from envlock.capture.files.records import file_records, missing_records
from envlock.capture.incremental.external_inputs import mounts_that_matter
from envlock.capture.incremental.recapture import capture_again
from envlock.capture.incremental.snapshot import Snapshot
from envlock.capture.incremental.tree_patch import TreeState, line_of
from envlock.capture.recording import Recorder
from envlock.capture.request import Request
from envlock.capture.residue import Residue
from envlock.capture.result import Capture, lock_of, tree_record
from envlock.capture.session import Progress, Run, silent
from envlock.model.coverage import Coverage, Status
from envlock.model.depth import Depth
from envlock.model.glob import Wanted
from envlock.model.record import Record
from envlock.model.tree import Tree
from envlock.store.objects import Store
from envlock.targets.base import HashCache, Rewalkable, Target


def capture(
    target: Target,
    collectors: Iterable[Collector],
    request: Request,
    *,
    store: Store | None = None,
    cache: HashCache | None = None,
    progress: Progress = silent,
    recorder: Recorder | None = None,
    own: Iterable[Path] = (),
) -> Capture:
    """Capture `target`, which a `recorder` looks at in its place.  What is `own` is left out.

    With a `store` and depth FULL the residue and the tree object are put into it (not yet durable:
    the caller commits and sets the reference), and a target that can be walked again cheaply is
    looked at for what changed since the last time.  Raise TargetError when the target stops
    answering; anything smaller becomes a gap.
    """
    everything = tuple(collectors)
    target = recorder or target
    snapshot = None
    left_out = frozenset(str(path.resolve()) for path in (*own, *([store.root] if store else ())))
    if store is not None and isinstance(target, Rewalkable):
        run = _begin(target, everything, request, store, progress, left_out=left_out)
        snapshot = Snapshot(run, store)
        try:
            captured = capture_again(run, snapshot, store, cache)
        finally:
            run.close()
        if captured is not None:
            return captured
    run = _begin(target, everything, request, store, progress, recorder, left_out)
    if snapshot is not None and isinstance(target, Rewalkable):
        run.on_folder = snapshot.record_folder
        run.mounts = mounts_that_matter(target.mounts())
    try:
        return _capture(run, snapshot, cache)
    finally:
        run.close()


def _begin(
    target: Target,
    everything: tuple[Collector, ...],
    request: Request,
    store: Store | None,
    progress: Progress,
    recorder: Recorder | None = None,
    left_out: frozenset[str] = frozenset(),
) -> Run:
    chosen = tuple(c for c in everything if _is_chosen(c, request))
    others = tuple(c for c in everything if c not in chosen)
    asks_owners = any(collector.needs_owners for collector in chosen)
    return Run(
        target=target,
        request=request,
        collectors=chosen,
        others=others,
        claimants=tuple(c for c in others if c.claims is not None) if asks_owners else (),
        progress=progress,
        store=store,
        recorder=recorder,
        own=left_out,
    )


def _capture(run: Run, snapshot: Snapshot | None, cache: HashCache | None) -> Capture:
    request, target = run.request, run.target
    is_scanned = request.depth is not Depth.RECORDS or any(c.needs_scan for c in run.collectors)
    # A scan shows what collectors read; only who owns a path must be known before it.
    able = run.able((*run.collectors, *run.claimants))
    target.preload(_early_reads(c for c in able if c.claims is not None or not is_scanned))
    asks_owners = any(collector.needs_owners for collector in run.collectors)
    needs_claims = asks_owners or request.depth is not Depth.RECORDS
    if run.store is not None and request.depth is Depth.FULL:
        run.residue = Residue(target, run.store, run.scan_gaps, cache)
    if is_scanned:
        run.scan(cache, with_claims=needs_claims)
    else:
        if needs_claims:
            run.add_claims(needs_scan=False)
        run.collect(needs_scan=False)
    collected = len(run.records)
    run.collect(needs_scan=True)
    scanned = run.records[collected:]
    return _finish(run, snapshot if is_scanned else None, scanned)


def _finish(run: Run, snapshot: Snapshot | None, scanned: list[Record]) -> Capture:
    tree, state = None, TreeState()
    residue = run.residue
    files: list[Record] = []
    run.coverage["tree"] = Coverage(Status.SKIPPED)
    rows = [run.rows.get(entry.path) or run.row(entry) for entry in run.told_entries()]
    gaps = tuple(run.scan_gaps)  # those of contents that could not be kept included
    run.coverage["file"] = run.files_coverage(gaps)
    if run.tells_files:
        files += file_records(rows, run.claims, run.shown, run.request.files)
        unseen = frozenset(gap.where for gap in gaps)
        files += missing_records(run.claims, run.shown, unseen, Wanted(run.request.ignore))
        if run.request.depth is Depth.FULL:
            tree = Tree.of(rows)
            state = _put_tree(tree, residue)
            size = residue.size if residue else None
            files.append(tree_record(state.content, state.address, len(rows), size))
            run.coverage["tree"] = run.coverage["file"]
    run.skip_others()
    return Capture(
        lock=lock_of((*run.records, *files), run.coverage),
        make_tree=(lambda: tree) if tree is not None else None,
        left_out=residue.left_out if residue else {},
        coverage=run.coverage,
        seconds=run.seconds,
        files=len(run.index),
        size=run.index.size(),
        remember=lambda: snapshot.save_full(run, scanned, files, state) if snapshot else None,
    )


def _put_tree(tree: Tree, residue: Residue | None) -> TreeState:
    written = tree.write()
    if residue is None:
        return TreeState(content=written.content)
    root = line_of(tree.rows[0])
    return TreeState(residue.put_tree([written.object]), written.content, root, residue.size)


def _is_chosen(collector: Collector, request: Request) -> bool:
    names = {collector.name, *collector.sections}
    if names & request.skip:
        return False
    return not request.only or bool(names & request.only)


def _early_reads(collectors: Iterable[Collector]) -> tuple[str, ...]:
    """Return what collectors read without needing the scan."""
    return tuple(sorted({p for c in collectors if not c.needs_scan for p in c.reads}))
