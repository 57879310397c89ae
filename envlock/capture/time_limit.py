"""A time limit that also ends work that never checks it, such as a slow regular expression.

In the main thread a timer signal (setitimer(2)) raises OutOfTime wherever Python code runs.  In
other threads the limit only holds where it is checked.  Questions to the target are never cut off
halfway, since a connection would then be out of step: they are bounded by the target itself.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class OutOfTime(BaseException):
    """The time is over.  No handler of ordinary exceptions may keep it."""


class TimeLimit:
    """A context in which work may take some seconds; OutOfTime is raised when they are over."""

    def __init__(self, seconds: float = math.inf) -> None:
        self.seconds = seconds
        self._end = math.inf
        self._is_armed = False
        self._is_asking = False
        self._old_handler: Callable[[int, FrameType | None], object] | int | None = None

    def __enter__(self) -> Self:
        self._end = time.monotonic() + self.seconds
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and self.seconds < math.inf and signal.getitimer(signal.ITIMER_REAL)[0] == 0:
            self._old_handler = signal.signal(signal.SIGALRM, self._ring)
            # Again every second: an exception may be lost in a destructor.
            signal.setitimer(signal.ITIMER_REAL, max(self.seconds, 1e-6), 1)
            self._is_armed = True
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the limit; for a caller that caught OutOfTime while the context was left."""
        if self._is_armed:
            self._is_armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._old_handler or signal.SIG_DFL)

    def check(self) -> None:
        """Raise OutOfTime when the time is over."""
        if time.monotonic() > self._end:
            raise OutOfTime

    def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the answer to a question to the target, which is not cut off halfway."""
        self.check()
        self._is_asking = True
        try:
            return question(*args, **kwargs)
        finally:
            self._is_asking = False

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        if self._is_armed and not self._is_asking:
            raise OutOfTime


NO_LIMIT = TimeLimit()
"""Never entered, so it never ends."""
