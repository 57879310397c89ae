"""A worker process that replies to requests.

It runs `envlock.targets.local.worker_main` with a script that does the work.  Both import little;
unlike a fork, this is safe in a process with threads.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from contextlib import suppress
from typing import Any, BinaryIO

from envlock.targets.local import worker_main

_SET_PIPE_SIZE = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux only
PIPE_SIZE = 1024 * 1024
"""Size of a pipe in bytes: a worker continues while its last reply waits to be read."""


class Worker:
    """A process that replies to requests, in order.

    `script` is a file that imports little and has a function `handle`, which takes a request and
    returns the reply.  `niceness` is that of nice(2), for work that is needed
    later than other work.
    """

    def __init__(self, script: str, niceness: int = 0, pipe_size: int = PIPE_SIZE) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-X", "utf8", worker_main.__file__, script, str(niceness)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            process_group=0,  # Ctrl-C is for the parent, which then closes the worker
        )
        for pipe in (self._process.stdin, self._process.stdout):
            if _SET_PIPE_SIZE is not None:
                with suppress(OSError):  # above the limit of this user
                    fcntl.fcntl(self._pipe(pipe), _SET_PIPE_SIZE, pipe_size)

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is a reply, for select(2)."""
        return self._pipe(self._process.stdout).fileno()

    def send(self, request: Any) -> None:
        """Send a request."""
        worker_main.send(self._pipe(self._process.stdin).fileno(), request)

    def receive(self) -> Any:
        """Return the reply to the oldest open request.  Raise EOFError when the process ended."""
        return worker_main.receive(self._pipe(self._process.stdout).fileno())

    def close(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.communicate()

    @staticmethod
    def _pipe(pipe: Any) -> BinaryIO:
        if pipe is None or pipe.closed:
            raise ValueError("the worker is closed")
        return pipe  # type: ignore[no-any-return]
