"""Settle a classified path: what may be recorded of its file, and where its content comes from."""

from __future__ import annotations

from envlock.capture.context import describe
from envlock.capture.files.classify import NOT_STORED, hide, without_digest
from envlock.capture.files.content_gate import PUBLISHED, WHOLE, ContentGate
from envlock.capture.files.ownership import Claim, Claims
from envlock.capture.files.records import is_reported
from envlock.capture.residue import Residue
from envlock.capture.setup import CaptureSetup
from envlock.capture.state import ServiceState
from envlock.model.coverage import Gap
from envlock.model.glob import compile_globs
from envlock.model.tree import Entry, Row


class Settler:
    """Settles rows with a gate, and at full depth with the residue; adds to `gaps`."""

    def __init__(
        self,
        setup: CaptureSetup,
        gate: ContentGate,
        residue: Residue | None,
        claims: Claims,
        gaps: list[Gap],
        state: ServiceState,
    ) -> None:
        self._gate = gate
        self._residue = residue
        self._claims = claims
        self._gaps = gaps
        self._state = state
        self._cache = setup.cache
        self._is_declared = compile_globs(setup.request.files).match

    def settle(self, entry: Entry, row: Row) -> Row:
        """Return the classified row of an entry with what may be recorded of its file."""
        claim = self._claims.get(entry.path)
        if self._residue is not None and self._state.is_kept(entry.path):
            return self._residue.keep_state(row)
        is_asked_for = row.file_class in NOT_STORED and self._is_declared(entry.path)
        if is_asked_for:
            row = row._replace(entry=entry)
        elif entry.sha256 and not row.entry.sha256:
            self._forget(entry)
        if self._residue is not None and not is_asked_for:
            return self._residue.settle(row, is_stated=bool(claim and claim.digest))
        return self._judged(row, claim)

    def _judged(self, row: Row, claim: Claim | None) -> Row:
        """Return a row without a digest that may tell a secret."""
        entry = row.entry
        if not entry.sha256 or (claim and claim.digest and row.file_class in PUBLISHED):
            return row
        if claim is None and not is_reported(row, self._is_declared):
            self._forget(entry)
            return row._replace(entry=without_digest(entry))
        try:
            return self._gate.settle(row, self._gate.judge(entry))
        except OSError as error:
            self._gaps.append(Gap(entry.path, describe(error)))
            return row._replace(entry=hide(entry))

    def _forget(self, entry: Entry) -> None:
        """Keep no digest of a small file that was not judged, unless it is bytecode."""
        if self._cache and entry.size <= WHOLE and not entry.path.endswith(".pyc"):
            self._cache.forget(entry.path)
