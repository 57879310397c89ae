"""Capture a machine again: look at all of it, and make anew only what is not as it was.

Every name is looked at each time, so nothing that changed is missed; what is spared is reading,
classifying and writing down what did not.  Where a change may matter to more than its own path (a
package was installed, a library replaced) there is no answer, and everything is made anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

from envlock.capture.files.records import file_records
from envlock.capture.incremental.external_inputs import digest_of, mounts_that_matter
from envlock.capture.incremental.snapshot import Found, Snapshot
from envlock.capture.incremental.tree_patch import TreeState, as_lines, with_rows
from envlock.capture.residue import Residue
from envlock.capture.result import Capture, lock_of, tree_record
from envlock.capture.scan.access_log import Change
from envlock.capture.session import Run
from envlock.model.coverage import Coverage, Gap, Status
from envlock.model.depth import Depth
from envlock.model.record import Record
from envlock.model.tree import FORMAT_BITS, TYPE_OF_FORMAT, Entry, EntryType, Row, Tree
from envlock.store.blob_file import DamagedBlobFileError
from envlock.store.objects import Store
from envlock.store.refs import has_ref
from envlock.targets.base import IGNORED, HashCache, Rewalkable, ScanPlan
from envlock.targets.folder import Folder
from envlock.targets.local.walk_worker import Known, known_of, unpack

_FEW = 200
"""Changed paths up to which it is quicker to look at them once more than to write that down."""
_MANY = 20_000
"""Changed paths from which on it is quicker to make everything anew."""


class _Look(NamedTuple):
    """What a look at everything showed: what is otherwise, and in how many paths and bytes."""

    signatures: dict[str, bytes]
    folders: dict[str, Folder]
    change: Change
    paths: int
    size: int


def capture_again(
    run: Run, snapshot: Snapshot, store: Store, cache: HashCache | None
) -> Capture | None:
    """Return what a capture of everything would, or None when that has to be made."""
    try:
        return _capture_again(run, snapshot, store, cache)
    except DamagedBlobFileError:
        return None


def _capture_again(
    run: Run, snapshot: Snapshot, store: Store, cache: HashCache | None
) -> Capture | None:
    target = run.target
    asks_early = any(c.needs_owners and not c.needs_scan for c in run.collectors)
    if asks_early or not snapshot.is_there or not isinstance(target, Rewalkable):
        return None
    plan = run.plan(cache)
    is_full = run.request.depth is Depth.FULL
    with ThreadPoolExecutor(1) as beside:
        signing = beside.submit(target.sign, plan)
        before = snapshot.load()
        if before is None or before.mounts != mounts_that_matter(target.mounts()):
            return None
        if is_full and not has_ref(store, f"tree {before.tree.address}"):
            return None
        run.claim_gaps = dict(before.claim_gaps)
        run.collect(needs_scan=False)
        # A log or a cache is always otherwise, so the tree object will be asked for.
        raw = store.read(before.tree.address) if is_full else b""
        signatures = signing.result()
    look = _look(target, plan, snapshot, before, signatures)
    if look is None or before.access_log.is_affected_by(_that_matters(look.change)):
        return None
    paths, digest = before.outside
    if digest != digest_of(paths, target):
        return None
    run.claims = snapshot.claims({"/", *look.change.paths})
    if any(
        run.claims[path].required for path in look.change.appeared_or_vanished if path in run.claims
    ):
        return None
    return _finish(run, snapshot, before, look, store, cache, raw)


def _look(
    target: Rewalkable,
    plan: ScanPlan,
    snapshot: Snapshot,
    before: Found,
    signatures: dict[str, bytes],
) -> _Look | None:
    """Look into what is not as it was, or return None when that is better made anew."""
    known = before.signatures
    changed = [path for path, found in signatures.items() if not found or known.get(path) != found]
    folders = target.list_again(plan, changed)
    signatures |= {path: folder.signature for path, folder in folders.items()}
    old: dict[str, Entry] = {}
    new: dict[str, Entry] = {}
    count, size = before.count, before.size
    gone = [path for path in before.signatures if path not in signatures]
    for path in (*folders, *gone):
        packed = snapshot.folder(path) if path in known else None
        if packed is None and path in known:
            return None
        now = folders[path].packed if path in folders else None
        was, is_now = _names(path, packed, plan), _names(path, now, plan)
        count += len(is_now) - len(was)
        for name, facts in was.items():
            if is_now.get(name) != facts:
                old[name] = _entry(name, facts)
                size -= old[name].size
        for name, facts in is_now.items():
            if was.get(name) != facts:
                new[name] = _entry(name, facts)
                size += new[name].size
        if len(old) + len(new) > _MANY:
            return None
    if _LINKED in {entry.target for entry in (*old.values(), *new.values())}:
        return None
    return _Look(signatures, folders, Change(old, new), count, size)


_LINKED = "another name"
"""Target of an entry that has other names: which of them is the first may be otherwise now."""


def _names(folder: str, packed: bytes | None, plan: ScanPlan) -> Mapping[str, Known]:
    """Return path -> what is known of it, of what is not ignored."""
    if packed is None:
        return {}
    names, columns = unpack(packed)
    found = zip((f"{folder}/{name}" for name in names), known_of(columns), strict=True)
    if plan.prune is None:
        return dict(found)
    return {path: facts for path, facts in found if not plan.prune.match(path)}


def _entry(path: str, facts: Known) -> Entry:
    mode, _, size, mtime, _, links = facts
    kind = TYPE_OF_FORMAT[mode & FORMAT_BITS]
    is_file = kind is EntryType.FILE
    return Entry(
        path,
        kind,
        mode & 0o7777,
        mtime=mtime // 10**9,
        size=size if is_file else 0,
        target=_LINKED if is_file and links > 1 else "",
    )


def _that_matters(change: Change) -> Change:
    """Leave out the directories that only list other names now: the names are told themselves."""
    same = {
        path
        for path, entry in change.before.items()
        if entry.type is EntryType.DIRECTORY
        and path in change.after
        and change.after[path].type is EntryType.DIRECTORY
        and change.after[path].mode == entry.mode
    }
    return Change(
        {path: entry for path, entry in change.before.items() if path not in same},
        {path: entry for path, entry in change.after.items() if path not in same},
    )


def _finish(
    run: Run,
    snapshot: Snapshot,
    before: Found,
    look: _Look,
    store: Store,
    cache: HashCache | None,
    raw: bytes,
) -> Capture | None:
    """Make anew what is otherwise, and put it into what was."""
    for collector in run.collectors:
        if collector.needs_scan:
            run.cover(collector, before.covered[collector.name])
    rows = _rows(run, look, store, cache)
    gaps = _gaps(run, before, look)
    if {gap.where for gap in gaps} != {gap.where for gap in before.gaps}:
        return None  # what is missing may be otherwise: nobody could look there
    after = _found_now(run, before, look, rows, gaps)
    run.records += before.records
    run.records += [Record("file", path, facts) for path, facts in after.files.items()]
    run.skip_others()
    run.coverage["file"] = run.files_coverage(gaps)
    run.coverage["tree"] = Coverage(Status.SKIPPED)
    if run.residue is not None:
        tree = before.tree
        lines = as_lines(rows, look.change.before.keys() - run.index.keys())
        if lines != {"/": tree.root}:
            tree = with_rows(tree, raw, lines, snapshot.blob, run.residue)
        after = replace(after, tree=tree)
        run.coverage["tree"] = run.coverage["file"]
        run.records.append(tree_record(tree.content, tree.address, look.paths, tree.residue))
    for folder in look.folders.values():
        snapshot.record_folder(folder)
    is_much = len(look.change.paths) > _FEW
    return Capture(
        lock=lock_of(run.records, run.coverage),
        make_tree=(lambda: _tree(store, after.tree)) if run.residue else None,
        left_out=after.left_out,
        coverage=run.coverage,
        seconds=run.seconds,
        files=look.paths,
        size=look.size,
        remember=lambda: snapshot.save_delta(after, run.scan_gaps, store) if is_much else None,
    )


def _found_now(
    run: Run, before: Found, look: _Look, rows: list[Row], gaps: tuple[Gap, ...]
) -> Found:
    """Return what was found before, with what is told of single paths as it is now."""
    changed = {"/", *look.change.paths}
    files = {path: facts for path, facts in before.files.items() if path not in changed}
    found = file_records(rows, run.claims, run.shown, run.request.files)
    left_out = {path: rule for path, rule in before.left_out.items() if path not in changed}
    return replace(
        before,
        signatures=look.signatures,
        gaps=gaps,
        files=files | {record.key: record.facts for record in found},
        count=look.paths,
        size=look.size,
        left_out=left_out | (run.residue.left_out if run.residue else {}),
    )


def _rows(run: Run, look: _Look, store: Store, cache: HashCache | None) -> list[Row]:
    """Read and classify the paths that are otherwise, and the root of them all."""
    target = run.target
    if run.request.depth is Depth.FULL:
        run.residue = Residue(target, store, run.scan_gaps, cache)
    plan = replace(run.plan(cache), on_walk_finished=lambda: None)
    run.index.add(target.stat("/"))
    if isinstance(target, Rewalkable):
        for entry in target.scan_again(plan, look.change.after.keys()):
            run.index.add(entry)
    return [run.row(entry) for entry in run.told_entries()]


def _gaps(run: Run, before: Found, look: _Look) -> tuple[Gap, ...]:
    """Return the gaps of the scan: what was met now, and of before what was not looked at."""
    paths = look.change.paths
    folders = {path or "/" for path in look.folders}

    def stands(gap: Gap) -> bool:
        if gap.where in before.mounts:
            return True
        if gap.reason == IGNORED and (gap.where.rpartition("/")[0] or "/") in folders:
            return False
        return gap.where not in paths and gap.where not in folders

    return (*filter(stands, before.gaps), *run.scan_gaps)


def _tree(store: Store, state: TreeState) -> Tree:
    return Tree.from_bytes(store.read(state.address))
