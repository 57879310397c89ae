"""A process beside this one that answers orders.

It runs `envlock.targets.local.worker_main` as a script, with the file of the work to do: both
import the standard library only, and unlike a fork they are safe beside threads.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from contextlib import suppress
from typing import Any, BinaryIO

from envlock.targets.local import worker_main

_SET_PIPE_SIZE = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux only
_PIPE_SIZE = 1024 * 1024
"""Bytes a pipe holds, so that a worker goes on while its last answer waits to be read."""


class Worker:
    """A process that answers each order it is sent, in order.

    `script` is a file that imports the standard library only and has a function `answer`.  One with
    `patience` (as of nice(2)) leaves the processors to what is waited for sooner.
    """

    def __init__(self, script: str, patience: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-X", "utf8", worker_main.__file__, script, str(patience)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            process_group=0,  # Ctrl-C is for the parent, which then closes the worker
        )
        for pipe in (self._process.stdin, self._process.stdout):
            if _SET_PIPE_SIZE is not None:
                with suppress(OSError):  # more than this user may have
                    fcntl.fcntl(self._pipe(pipe), _SET_PIPE_SIZE, _PIPE_SIZE)

    def fileno(self) -> int:
        """Return the descriptor that can be read when there is an answer."""
        return self._pipe(self._process.stdout).fileno()

    def send(self, order: Any) -> None:
        """Give an order."""
        worker_main.send(self._pipe(self._process.stdin).fileno(), order)

    def receive(self) -> Any:
        """Return the answer to the oldest order that has none.  Raise EOFError without one."""
        return worker_main.receive(self._pipe(self._process.stdout).fileno())

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    @staticmethod
    def _pipe(pipe: Any) -> BinaryIO:
        if pipe is None or pipe.closed:
            raise ValueError("the worker is closed")
        return pipe  # type: ignore[no-any-return]
