"""Incremental capture: stat every path, but re-read only what changed.

Every name is looked at each time, so nothing that changed is missed; reading, classifying and
writing down what did not change is saved.  Where a change may matter to more than its own path (a
package was installed, a library replaced) this way is not open, and a full capture follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple

from envlock.capture.files.records import file_records
from envlock.capture.files.state_search import may_differ
from envlock.capture.files.unknown_state import Sizes, are_beyond, sizes_after
from envlock.capture.incremental.external_inputs import digest_of, mounts_that_matter
from envlock.capture.incremental.snapshot import Findings, Snapshot, is_lasting
from envlock.capture.incremental.tree_patch import TreeState, as_lines, relied_on, with_rows
from envlock.capture.result import Capture, lock_of, tree_record
from envlock.capture.scan.access_log import PathChanges
from envlock.capture.session import CaptureSession
from envlock.capture.setup import CaptureSetup
from envlock.model.coverage import Gap
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.state import DATA, SECTION, StateData, StateMap, state_of
from envlock.model.tree import FORMAT_BITS, TYPE_OF_FORMAT, Entry, EntryType, Row, Tree
from envlock.store.blob_file import DamagedBlobFileError
from envlock.store.objects import Store
from envlock.store.refs import has_ref
from envlock.store.verified import CorruptObjectError
from envlock.targets.base import IGNORED, IncrementalTarget, ScanPlan
from envlock.targets.folder import Folder
from envlock.targets.packed_listing import SignedStat, signed_stats, unpack


class _Scan(NamedTuple):
    """What a look at every path showed: what changed, and how many paths and bytes there are.

    `signatures` are of all directories; `folders` are the listings of those that changed.
    """

    signatures: dict[str, bytes]
    folders: dict[str, Folder]
    changes: PathChanges
    paths: int
    size: int


class IncrementalCapture:
    """The strategy that updates what the last capture of the same target found."""

    def __init__(self, setup: CaptureSetup, snapshot: Snapshot, store: Store) -> None:
        self._setup = setup
        self._snapshot = snapshot
        self._store = store
        self._session = CaptureSession(setup)

    def capture(self) -> Capture | None:
        """Return what a full capture would, or None when only that can tell."""
        try:
            return self._capture()
        except (DamagedBlobFileError, CorruptObjectError):
            return None
        finally:
            self._session.close()

    def _capture(self) -> Capture | None:
        setup, session, snapshot = self._setup, self._session, self._snapshot
        target = setup.target
        asks_early = any(c.needs_owners and not c.needs_scan for c in setup.collectors)
        if asks_early or not snapshot.is_there or not isinstance(target, IncrementalTarget):
            return None
        plan = session.plan()
        with ThreadPoolExecutor(1) as beside:
            signing = beside.submit(target.signatures, plan)
            before = snapshot.load()
            if before is None or before.mounts != mounts_that_matter(target.mounts()):
                return None
            if setup.is_full_depth and not self._is_held(before):
                return None
            session.restore_claim_gaps(before.claim_gaps)
            session.collect(needs_scan=False)
            # Logs and caches always change, so the tree object will be needed.
            raw = b""
            if setup.is_full_depth:
                if not self._store.has(before.tree.address):
                    return None
                raw = self._store.read(before.tree.address)
            signatures = signing.result()
        scan = self._look(target, plan, before, signatures)
        if scan is None or not self._is_enough(before, scan):
            return None
        state_sizes = self._state_sizes(before, scan.changes)
        if are_beyond(state_sizes) != are_beyond(before.state_sizes):
            return None
        return self._finish(replace(before, state_sizes=state_sizes), scan, raw)

    def _state_sizes(self, before: Findings, changes: PathChanges) -> Sizes:
        """Return how much unknown data each service has now."""
        known = (data for data in _state(before) if data.engine != DATA)
        return sizes_after(before.state_sizes, changes, self._session.claims, StateMap(known))

    def _is_held(self, before: Findings) -> bool:
        """True when the store has everything that the last tree relies on; else it is lost."""
        if not has_ref(self._store, f"tree {before.tree.address}"):
            return False
        holds = self._store.holds
        return all(holds(sha256, size) for sha256, size in relied_on(self._snapshot.blob))

    def _is_enough(self, before: Findings, scan: _Scan) -> bool:
        """Take over the claims on changed paths; False where a change may matter to other paths."""
        changes = scan.changes
        if may_differ(changes, partial(self._is_there, scan)) or before.access_log.is_affected_by(
            _without_listings(changes)
        ):
            return False
        paths, digest = before.external_inputs
        if digest != digest_of(paths, self._setup.target):
            return False
        claims = self._snapshot.claims({"/", *changes.paths})
        self._session.restore_claims(claims)
        return not any(claims[p].required for p in changes.appeared_or_vanished if p in claims)

    def _is_there(self, scan: _Scan, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        if folder in scan.folders:
            return scan.folders[folder].entry(name) is not None
        with suppress(OSError):
            self._setup.target.stat(path)
            return True
        return False

    def _look(
        self,
        target: IncrementalTarget,
        plan: ScanPlan,
        before: Findings,
        signatures: dict[str, bytes],
    ) -> _Scan | None:
        """Compare changed directories with the snapshot; None when a full capture is better."""
        snapshot, known = self._snapshot, before.signatures
        changed = [p for p, found in signatures.items() if not found or known.get(p) != found]
        folders = target.list_directories(plan, changed)
        signatures |= {path: folder.signature for path, folder in folders.items()}
        old: dict[str, Entry] = {}
        new: dict[str, Entry] = {}
        count, size = before.count, before.size
        gone = [path for path in known if path not in signatures]
        for path in (*folders, *gone):
            packed = snapshot.folder(path) if path in known else None
            if packed is None and path in known:
                return None
            now = folders[path].packed if path in folders else None
            was, is_now = _names(path, packed, plan), _names(path, now, plan)
            count += len(is_now) - len(was)
            for entry in _differing(was, is_now):
                old[entry.path] = entry
                size -= entry.size
            for entry in _differing(is_now, was):
                new[entry.path] = entry
                size += entry.size
            if len(old) + len(new) > self._setup.tuning.many:
                return None
        if _LINKED in {entry.target for entry in (*old.values(), *new.values())}:
            return None
        return _Scan(signatures, folders, PathChanges(old, new), count, size)

    def _finish(self, before: Findings, scan: _Scan, raw: bytes) -> Capture | None:
        """Read what changed and put it into what the last capture found.

        `raw` is the last tree object, empty where there is none.
        """
        session, snapshot, residue = self._session, self._snapshot, self._session.residue
        session.state.set(_state(before))
        session.state.read_versions(scan.changes, self._setup.target)
        if self._setup.is_full_depth:
            session.state.update(scan.changes)
        session.state.require_stopped(self._setup.source, session.shown)
        session.rescan(scan.changes.after.keys())
        rows = session.rows()
        gaps = _gaps(session.scan_gaps, before, scan)
        if session.access_log.paths:
            return None  # the class of a path depends on another one, which may not have changed
        if {gap.where for gap in gaps} != {gap.where for gap in before.gaps}:
            return None  # paths that could not be read may have changed unseen
        after = self._update(before, scan, rows, gaps)
        others = [record for record in before.records if record.section != SECTION]
        after = replace(after, records=[*others, *session.state.records()])
        session.restore_records(after.records, before.collected)
        session.state.require_stopped(self._setup.source, session.shown)
        files = [Record("file", path, facts) for path, facts in after.files.items()]
        if residue is not None:
            tree = before.tree
            lines = as_lines(rows, scan.changes.before.keys() - session.index.keys())
            if lines != {"/": tree.root}:
                tree = with_rows(tree, raw, lines, snapshot.blob, residue)
            after = replace(after, tree=tree)
            files.append(tree_record(tree.content, tree.address, scan.paths, tree.residue))
        session.finish(files, gaps)
        for folder in scan.folders.values():
            snapshot.record_folder(folder)
        return Capture(
            lock=lock_of(session.records, session.coverage),
            make_tree=cache(lambda: _tree(self._store, after.tree)) if residue else None,
            left_out=after.left_out,
            redacted=after.redacted,
            coverage=session.coverage,
            seconds=session.seconds,
            files=scan.paths,
            size=scan.size,
            remember=lambda: self._remember(after, scan),
            is_incremental=True,
            view=session.view(self._owner),
        )

    def _update(
        self, before: Findings, scan: _Scan, rows: list[Row], gaps: tuple[Gap, ...]
    ) -> Findings:
        """Return the earlier findings with those of single paths as they are now."""
        session, request = self._session, self._setup.request
        changed = {"/", *scan.changes.paths}
        files = {path: facts for path, facts in before.files.items() if path not in changed}
        found = file_records(rows, session.claims, session.shown, request.files)
        gate = session.gate
        left_out, redacted = (
            {path: rule for path, rule in earlier.items() if path not in changed}
            for earlier in (before.left_out, before.redacted)
        )
        return replace(
            before,
            signatures=scan.signatures,
            gaps=gaps,
            files=files | {record.key: record.facts for record in found},
            count=scan.paths,
            size=scan.size,
            left_out=left_out | gate.left_out,
            redacted=redacted | gate.redacted,
        )

    def _owner(self, path: str) -> str:
        """Return the record that claims a path, as the snapshot knows it."""
        claim = self._snapshot.claims((path,)).get(path)
        return claim.owner if claim else ""

    def _remember(self, after: Findings, scan: _Scan) -> None:
        if len(scan.changes.paths) > self._setup.tuning.few and is_lasting(self._session):
            self._snapshot.save_delta(after)


def _state(before: Findings) -> tuple[StateData, ...]:
    """Return the data of services that was found."""
    return state_of(Lock.of(record for record in before.records if record.section == SECTION))


_LINKED = "another name"
"""Target of an entry that has other names: which of them comes first may have changed."""


def _names(folder: str, packed: bytes | None, plan: ScanPlan) -> Mapping[str, SignedStat]:
    """Return path -> what is known of it, for paths that are not ignored."""
    if packed is None:
        return {}
    names, columns = unpack(packed)
    found = zip((f"{folder}/{name}" for name in names), signed_stats(columns), strict=True)
    if plan.prune is None:
        return dict(found)
    return {path: facts for path, facts in found if not plan.prune.match(path)}


def _differing(some: Mapping[str, SignedStat], others: Mapping[str, SignedStat]) -> Iterator[Entry]:
    """Yield entries for the paths of `some` that are not the same in `others`."""
    return (_entry(path, facts) for path, facts in some.items() if others.get(path) != facts)


def _entry(path: str, facts: SignedStat) -> Entry:
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


def _without_listings(changes: PathChanges) -> PathChanges:
    """Leave out directories in which only the names changed: the names are changes themselves."""
    same = {
        path
        for path, entry in changes.before.items()
        if entry.type is EntryType.DIRECTORY
        and path in changes.after
        and changes.after[path].type is EntryType.DIRECTORY
        and changes.after[path].mode == entry.mode
    }
    return PathChanges(
        {path: entry for path, entry in changes.before.items() if path not in same},
        {path: entry for path, entry in changes.after.items() if path not in same},
    )


def _gaps(met: list[Gap], before: Findings, scan: _Scan) -> tuple[Gap, ...]:
    """Return the gaps of the scan: those `met` now, and earlier ones where nothing was read now."""
    paths = scan.changes.paths
    folders = {path or "/" for path in scan.folders}

    def stands(gap: Gap) -> bool:
        if gap.where in before.mounts:
            return True
        if gap.reason == IGNORED and (gap.where.rpartition("/")[0] or "/") in folders:
            return False
        return gap.where not in paths and gap.where not in folders

    return (*filter(stands, before.gaps), *met)


def _tree(store: Store, state: TreeState) -> Tree:
    return Tree.from_bytes(store.read(state.address))
