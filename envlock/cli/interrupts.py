"""Signals that end a command: the first one does, in order and in bounded time.

A terminal sends Ctrl-C to every process of a group, and timeout(1) sends its signal twice, so what
follows the first one must not disturb the cleaning up.
"""

from __future__ import annotations

import _thread
import os
import signal
import time
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BASE = 128
"""A process that ends because of a signal has this status plus its number (sh(1))."""
_GRACE_SECONDS = 10.0
_MOMENT_SECONDS = 0.01


class Interrupts:
    """Handles the signals of one command line.

    `status` is what the process must end with, 0 until there was a signal.  After `grace` seconds
    it ends even if something that it waits for does not.
    """

    def __init__(self, grace: float = _GRACE_SECONDS) -> None:
        self.status = 0
        self._grace = grace
        self._is_lost = False

    def install(self) -> None:
        """Handle the signals, except those that whoever started the process wants ignored."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)

    def raise_again(self) -> None:
        """Raise an interrupt again that Python dropped, because it occurred in a destructor."""
        self._is_lost = True
        _thread.start_new_thread(self._repeat, ())

    def finish(self) -> None:
        """Ignore the signals from now on: the work is done, and the status is decided."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if not self.status:
            self.status = _BASE + number
            _thread.start_new_thread(self._end, ())
        elif not self._is_lost:
            return
        self._is_lost = False
        raise KeyboardInterrupt

    def _repeat(self) -> None:
        time.sleep(_MOMENT_SECONDS)
        _thread.interrupt_main(signal.SIGTERM)

    def _end(self) -> None:
        time.sleep(self._grace)
        os._exit(self.status)
