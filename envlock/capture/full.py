"""Full capture: walk everything, ask every collector, and leave a snapshot for the next time."""

from __future__ import annotations

from envlock.capture.files.records import file_records, missing_records
from envlock.capture.incremental.external_inputs import mounts_that_matter
from envlock.capture.incremental.snapshot import Snapshot, is_lasting
from envlock.capture.incremental.tree_patch import TreeState, line_of
from envlock.capture.residue import Residue
from envlock.capture.result import Capture, lock_of, tree_record
from envlock.capture.session import CaptureSession
from envlock.capture.setup import CaptureSetup
from envlock.model.glob import GlobSet
from envlock.model.record import Record
from envlock.model.tree import Tree
from envlock.targets.base import IncrementalTarget


class FullCapture:
    """The strategy that needs no earlier capture; with a `snapshot`, it can leave one."""

    def __init__(self, setup: CaptureSetup, snapshot: Snapshot | None) -> None:
        self._setup = setup
        self._snapshot = snapshot
        self._mounts: dict[str, str] = {}
        self._session = CaptureSession(
            setup, snapshot.record_folder if snapshot else lambda _: None
        )

    def capture(self) -> Capture:
        """Return the capture."""
        target = self._setup.target
        if self._snapshot is not None and isinstance(target, IncrementalTarget):
            self._mounts = mounts_that_matter(target.mounts())
        try:
            return self._capture()
        finally:
            self._session.close()

    def _capture(self) -> Capture:
        setup, session = self._setup, self._session
        setup.target.preload(setup.early_reads)
        if setup.is_scanned:
            session.walk(with_claims=setup.needs_claims)
        else:
            if setup.needs_claims:
                session.add_claims(needs_scan=False)
            session.collect(needs_scan=False)
        collected = len(session.records)
        session.collect(needs_scan=True)
        return self._finish(session.records[collected:])

    def _finish(self, scanned: list[Record]) -> Capture:
        """Return the capture; `scanned` are the records of the collectors that search the scan."""
        session, residue = self._session, self._session.residue
        request, is_full = self._setup.request, self._setup.is_full_depth
        rows = session.rows()
        gaps = tuple(session.scan_gaps)
        files: list[Record] = []
        tree, state = None, TreeState()
        stateful: list[Record] = []
        if session.reports_files:
            stateful = session.state.records(session.index.entries() if is_full else ())
            session.state.require_stopped(self._setup.source, session.shown)
            session.records += stateful
            files += file_records(rows, session.claims, session.shown, request.files)
            unseen = frozenset(gap.where for gap in gaps)
            ignored = GlobSet(request.ignore)
            files += missing_records(session.claims, session.shown, unseen, ignored)
            if is_full:
                tree = Tree.of(rows)
                state = _put_tree(tree, residue)
                size = residue.size if residue else None
                files.append(tree_record(state.content, state.address, len(rows), size))
        session.finish(files, gaps)
        return Capture(
            lock=lock_of(session.records, session.coverage),
            make_tree=(lambda: tree) if tree is not None else None,
            left_out=session.gate.left_out,
            redacted=session.gate.redacted,
            coverage=session.coverage,
            seconds=session.seconds,
            files=len(session.index),
            size=session.index.size(),
            remember=lambda: self._remember([*scanned, *stateful], files, state),
            view=session.view(),
            is_repeatable=is_lasting(session),
        )

    def _remember(self, scanned: list[Record], files: list[Record], tree: TreeState) -> None:
        if self._snapshot is not None and self._setup.is_scanned:
            self._snapshot.save_full(self._session, self._mounts, scanned, files, tree)


def _put_tree(tree: Tree, residue: Residue | None) -> TreeState:
    written = tree.render()
    if residue is None:
        return TreeState(content=written.content)
    root = line_of(tree.rows[0])
    return TreeState(residue.put_tree([written.object]), written.content, root, residue.size)
