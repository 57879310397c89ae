"""What a renderer may use: a comparison, and how it is to be shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from envlock.diff.drift import DriftReport
from envlock.model.severity import Severity
from envlock.report.source_location import LockTexts

if TYPE_CHECKING:
    from envlock.diff.many.matrix import Matrix


class Canvas(NamedTuple):
    """What the output can show: columns, terminal colours, and characters beyond ASCII."""

    width: int = 100
    color: bool = False
    ascii: bool = False


class PairInput(NamedTuple):
    """Everything a renderer may use to write a comparison of two environments.

    `full` asks for every change, uncut.  A change of severity `fail_on` or above ends with status
    1; None: no change does.  `locks` returns the lockfiles of both sides; it reads them, so only
    formats that point at lines call it.
    """

    report: DriftReport
    canvas: Canvas = Canvas()
    full: bool = False
    fail_on: Severity | None = Severity.LOW
    locks: Callable[[], LockTexts] = LockTexts

    def lock_texts(self) -> LockTexts:
        """Return the lockfiles of both sides, to be asked by the names of the comparison."""
        scoping = self.report.scoping
        texts = self.locks()
        return texts._replace(original=scoping.original) if scoping else texts

    @property
    def is_many(self) -> bool:
        """False: two environments are compared."""
        return False


class MatrixInput(NamedTuple):
    """Everything a renderer may use to write a comparison of three or more environments.

    `full` asks for every finding, uncut.
    """

    matrix: Matrix
    canvas: Canvas = Canvas()
    full: bool = False

    @property
    def is_many(self) -> bool:
        """True: three or more environments are compared."""
        return True

    @property
    def report(self) -> DriftReport:
        """The verdict and the changes of all environments."""
        return self.matrix.report
