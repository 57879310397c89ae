"""Run a command under strace(1) of this machine, and follow which files it touches.

strace runs beside the command instead of above it (``-D``), so that the command is a child of this
process: its standard streams, its process group and its exit status are its own.  With the filter
of seccomp(2) only calls that open or execute a file stop the command.  Arguments are never read:
strace prints them as empty strings (``-s 0``).
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from envlock.errors import TraceError
from envlock.formats.system.strace import Trail

CALLS = "open,openat,openat2,execve,execveat,chdir,fchdir,fork,vfork,clone,clone3"
FILTER = ("-f", "--seccomp-bpf", "-z", "-y", "-s", "0", "-e", "signal=none")
"""Needs strace 5.3, of 2019."""
_LONGEST_LINE = 64 * 1024
_PIPE_SIZE = 1024 * 1024
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.03
_LITTLE, _MUCH = 1 / 8, 1 / 2
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_BASE = 128
_SECONDS = 10.0
_PAUSE = 0.2
_VERSION = re.compile(r"^strace -- version (\S+)", re.MULTILINE)

INSTALL = (
    "install it, for example with `apt install strace`, `dnf install strace` or `apk add strace`"
)
PERMIT = (
    "in a container start it with --cap-add SYS_PTRACE; on a machine see "
    "/proc/sys/kernel/yama/ptrace_scope; what is traced already cannot be traced again"
)


def find_strace(search: str | None = None) -> str:
    """Return the path of an strace that works here; `search` replaces the PATH.

    Raise TraceError when it is missing or too old, or when the system forbids ptrace(2).
    """
    program = shutil.which("strace", path=search)
    if program is None:
        raise TraceError("strace is not installed", hint=INSTALL)
    try:
        done = subprocess.run(
            [program, *FILTER, "-e", f"trace={CALLS}", "-o", os.devnull, "--", program, "-V"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TraceError("strace does not work here", where=program, hint=str(error)) from error
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode == 0 and _VERSION.search(done.stdout.decode("utf-8", "replace")):
        return program
    reason = next(iter(said.strip().splitlines()), "it says nothing").removeprefix(f"{program}: ")
    if "ptrace" in said.lower() or "not permitted" in said:
        raise TraceError("the system forbids tracing", where=reason, hint=PERMIT)
    raise TraceError(
        "this strace cannot be used", where=reason, hint="envlock needs strace 5.3 or newer"
    )


class Tracer:
    """One run of a command; `trail` is what it touched so far."""

    def __init__(self, strace: str, command: Sequence[str]) -> None:
        self.trail = Trail(os.getcwd())
        self.pid = 0
        """The process of the command; 0 before it starts."""
        self._has_ended = False
        self._asked = 0
        """The last signal that came; what the command leaves running gets it too."""
        self._told: set[int] = set()
        """The processes left running that got it."""
        self._strace = strace
        self._command = tuple(command)

    def run(self, on_lingering: Callable[[int], None], patience: float = 3.0) -> int:
        """Run the command; return its exit status, or 128 plus the signal that ended it.

        The trace ends when the last process that it started has ended: what strace leaves alone
        could open no file any more.  `on_lingering(processes)` is called once when the command has
        ended for `patience` seconds and others have not.
        """
        with tempfile.TemporaryDirectory(prefix="envlock-trace-") as folder, self._forwarding():
            pipe = Path(folder) / "strace"
            os.mkfifo(pipe, 0o600)
            reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            writing = os.open(pipe, os.O_WRONLY | os.O_CLOEXEC)  # no end before strace has begun
            os.set_blocking(reading, True)
            enlarge(reading)
            reader = threading.Thread(target=self._read, args=(reading,), daemon=True)
            reader.start()
            try:
                status = self._wait(pipe)
            finally:
                os.close(writing)
            self._join(reader, patience)
            if reader.is_alive():
                on_lingering(len(self.trail.running))
            while reader.is_alive():
                self._join(reader, patience)
        self.trail.finish()
        return status

    def _wait(self, pipe: Path) -> int:
        options = (*FILTER, "-D", "-e", f"trace={CALLS}", "-o", str(pipe), "--")
        process = subprocess.Popen([self._strace, *options, *self._command])
        self.pid = process.pid
        if self._asked:  # before its process was known
            self._signal(self.pid, self._asked)
        try:
            status = process.wait()
        finally:
            self._has_ended = True
        return status if status >= 0 else _BASE - status

    def _read(self, descriptor: int) -> None:
        with open(descriptor, "rb", buffering=0) as stream:
            for line in read_lines(stream):
                self.trail.feed(line)

    @contextmanager
    def _forwarding(self) -> Iterator[None]:
        """Give signals to the command, which decides what they mean."""
        before = {
            number: signal.signal(number, self._forward)
            for number in _FORWARDED
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and _is_in_foreground():
            return  # the terminal gave it to the command too
        self._asked = number
        self._told.clear()
        if self._has_ended:
            self._tell_running()
        elif self.pid:
            self._signal(self.pid, number)

    def _join(self, reader: threading.Thread, seconds: float) -> None:
        """Wait until the trace ends; give the signal to each process that is still running."""
        for _ in range(max(1, round(seconds / _PAUSE))):
            if self._asked:
                self._tell_running()
            reader.join(_PAUSE)
            if not reader.is_alive():
                return

    def _tell_running(self) -> None:
        """Give the last signal to what is left running, once to each."""
        for pid in self.trail.running - self._told:
            if _is_traced(pid):
                self._told.add(pid)
                self._signal(pid, self._asked)

    def _signal(self, pid: int, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def enlarge(pipe: int) -> int:
    """Make a pipe as large as this user may, up to 1 MiB; return its size in bytes."""
    size = _PIPE_SIZE
    while size > _page_size():
        with suppress(OSError):  # so much is not allowed to every user
            return fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, size)
        size //= 2
    return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)


def read_lines(stream: io.FileIO) -> Iterator[bytes]:
    """Yield the lines that strace writes into a pipe, without their ends.

    strace writes one at a time, and each would wake a reader that waits in read(2): this took a
    sixth of the processor time of a trace, and more of its duration.  So the reader lets some
    come together, but never so many that strace waits for room in the pipe.
    """
    size = fcntl.fcntl(stream, fcntl.F_GETPIPE_SZ)
    rest = b""
    pause = _SHORTEST_PAUSE
    began = time.monotonic()
    while part := stream.read(_PIPE_SIZE):
        if time.monotonic() - began > _LONGEST_PAUSE:  # nothing came: what comes now may be many
            pause = _SHORTEST_PAUSE
        *whole, rest = (rest + part).split(b"\n")
        yield from (line for line in whole if len(line) <= _LONGEST_LINE)
        rest = rest[: _LONGEST_LINE + 1]  # what is too long stays so
        pause = _next_pause(pause, len(part) / size)
        if pause >= _SHORTEST_PAUSE:
            time.sleep(pause)
        began = time.monotonic()
    if len(rest) <= _LONGEST_LINE:
        yield rest


def _next_pause(pause: float, filled: float) -> float:
    """Return how many seconds to wait after a pause that filled this part of the pipe.

    A pause too short to be worth a sleep stands for none.
    """
    if filled > _MUCH:
        return pause / 4
    if filled > _LITTLE:
        return pause / 2
    return min(max(2 * pause, _SHORTEST_PAUSE), _LONGEST_PAUSE)


def _page_size() -> int:
    return os.sysconf("SC_PAGE_SIZE")


def _is_in_foreground() -> bool:
    """True when this process is in the group that a terminal sends Ctrl-C to."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _is_traced(pid: int) -> bool:
    """True for a process that something traces: its number was not given to another one."""
    with suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_bytes()
        return re.search(rb"^TracerPid:\t[1-9]", status, re.MULTILINE) is not None
    return False
