"""Programs that sources run, such as apt and pip; they end when the work is interrupted.

Sources run in threads of their own, and an interrupt reaches the main thread alone.  So it ends
what the others wait for, and then waits for them.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from envlock.errors import SourceError

_running: set[subprocess.Popen[str]] = set()
_lock = threading.Lock()
_is_ending = threading.Event()


def run_program(
    argv: Sequence[str], *, cwd: Path, timeout: float, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program and return what it printed, as text.

    Raise FileNotFoundError without it, SourceError when it takes more than `timeout` seconds, or
    when the work was interrupted.
    """
    with _lock:
        if _is_ending.is_set():
            raise SourceError(f"{argv[0]} was not run: interrupted")
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        _running.add(process)
    try:
        output, complaints = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"{argv[0]} timed out", hint="check the network") from error
    finally:
        with _lock:
            _running.discard(process)
        if process.poll() is None:
            process.kill()
            process.communicate()
    return subprocess.CompletedProcess(argv, process.returncode, output, complaints)


@contextmanager
def ended_by_interrupts(also: Callable[[], None]) -> Iterator[threading.Event]:
    """When the body raises, end every program that runs and call `also`; yield what is set then."""
    _is_ending.clear()
    try:
        yield _is_ending
    except BaseException:
        with _lock:
            _is_ending.set()
            for process in _running:
                process.terminate()
        also()
        raise
