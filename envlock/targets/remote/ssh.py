"""Another machine through the system's OpenSSH client: nothing is installed or written there.

The client reads the user's own configuration (ssh_config(5)), so aliases, jump hosts, agents and
multiplexing work as for ``ssh``.  Where the other machine has Python, it runs
`envlock.targets.remote.ssh_remote`, which is sent over the connection; otherwise tar is used
(`envlock.targets.remote.ssh_tar`).  The command that is sent is always the same text; file names
are sent as data.
"""

from __future__ import annotations

import io
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import cast

from envlock.errors import TargetError
from envlock.targets.base import Target
from envlock.targets.remote.remote import RemoteTarget
from envlock.targets.remote.ssh_tar import SshTarTarget
from envlock.targets.ssh_client import OPTIONS, destination
from envlock.targets.stream.streaming import RETAIN_TOTAL
from envlock.writing import ScratchDirectory

_PYTHON_GREETING = b"envlock-remote python\n"
_TAR_GREETING = b"envlock-remote tar\n"
_GREETING_LINES = 1000
"""Lines that a talkative shell may print before the greeting."""
_LINE = 64 * 1024
_WAIT_SECONDS = 3.0
_TAIL = 4096
_SOCKET_DIRECTORY_LIMIT = 80
"""Longest directory, in bytes, of a control socket, whose path has at most 108 (unix(7))."""

_BOOTSTRAP = (
    "import sys;source=sys.stdin.buffer;"
    "code=source.read(int(source.readline()));"
    "exec(compile(code,'envlock','exec'),{'__name__':'__main__'})"
)
_CHECK_PYTHON = "import sys,json,zlib,hashlib;sys.exit(sys.version_info<(3,6))"
COMMAND = "exec sh -c " + shlex.quote(
    f'if python3 -c "{_CHECK_PYTHON}" </dev/null >/dev/null 2>&1;'
    f' then printf "\\nenvlock-remote python\\n"; exec python3 -I -S -B -c "{_BOOTSTRAP}"; fi;'
    " if command -v tar >/dev/null 2>&1;"
    ' then printf "\\nenvlock-remote tar\\n"; exec cat >/dev/null; fi;'
    ' echo "neither python3 nor tar" >&2; exit 97'
)
"""What the login shell of the other machine runs, whichever shell it is."""


class Connection:
    """A running ssh client, whose standard input and output are a pipe to the other machine.

    `directory`, if given, holds its control socket and is removed at the end.
    """

    def __init__(
        self, argv: Sequence[str], where: str, directory: ScratchDirectory | None = None
    ) -> None:
        self._where = where
        self._directory = directory
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                bufsize=0,
            )
        except OSError as error:
            self._stderr.close()
            raise TargetError(
                f"cannot start {argv[0]}: {error.strerror}",
                where=where,
                hint="install an OpenSSH client",
            ) from error
        # Input is unbuffered: `close` must never wait for a remote side that no longer reads,
        # because nobody takes its replies.
        self._input = self._process.stdin
        self._output = io.BufferedReader(cast("io.RawIOBase", self._process.stdout))

    def send(self, raw: bytes) -> None:
        """Send bytes."""
        try:
            left = memoryview(raw)
            while left and self._input is not None:
                left = left[self._input.write(left) :]
        except (OSError, ValueError) as error:
            raise self.failure() from error

    def receive(self, size: int) -> bytes:
        """Return exactly `size` bytes."""
        raw = self._output.read(size) if size else b""
        if len(raw) < size:
            raise self.failure()
        return raw

    def greeting(self) -> bytes:
        """Return the greeting, which says what runs there; skip what the login shell prints."""
        for _ in range(_GREETING_LINES):
            line = self._output.readline(_LINE)
            if line in (_PYTHON_GREETING, _TAR_GREETING):
                return line
            if not line:
                break
        raise self.failure()

    def failure(self) -> TargetError:
        """Return the error for a connection that ended, with the last message of ssh."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_WAIT_SECONDS)
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - _TAIL))
        lines = self._stderr.read().decode(errors="replace").split("\n")
        words = [" ".join(line.split()) for line in lines if line.strip()]
        message = words[-1].rstrip(".") if words else "the connection was lost"
        hint = "check that `ssh HOST true` works"
        if "verification failed" in message:
            hint = "connect once with `ssh HOST` to check and accept its key"
        elif "denied" in message:
            hint = "load a key into your agent: envlock cannot ask for a password"
        elif "neither" in message:
            hint = "install python3 or tar on that machine"
        return TargetError(_printable(message), where=self._where, hint=hint)

    def close(self) -> None:
        """End the program: the remote side ends with its input, or when nobody takes its output."""
        for stream in (self._input, self._output):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        for signal_number in (0, signal.SIGTERM, signal.SIGKILL):
            if signal_number:
                self._process.send_signal(signal_number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_WAIT_SECONDS)
                break
        self._stderr.close()
        if self._directory is not None:
            self._directory.close()


def connect(operand: str) -> Target:
    """Return the machine ``[USER@]HOST[:PORT]``.

    Raise TargetNameError when the operand is malformed, TargetError when nothing responds.
    """
    machine = destination(operand)
    options = list(OPTIONS)
    if not sys.stdin.isatty():
        options += ["-o", "BatchMode=yes"]
    return open_remote(["ssh", *options], [*machine, COMMAND], f"ssh:{operand}")


def open_remote(
    client: Sequence[str],
    rest: Sequence[str],
    reference: str,
    *,
    retain_total: int = RETAIN_TOTAL,
) -> Target:
    """Return the machine that the command ``client + rest`` reaches, read by Python or by tar.

    At most `retain_total` bytes of files are kept in memory.
    """
    directory = _control_directory([*client, "-G", *rest[:-1]]) if client[0] == "ssh" else None
    connection: Connection | None = None
    try:
        sharing: list[str] = []
        if directory is not None:
            directory.create()
            sharing = [f"-oControlPath={directory.path}/control", "-oControlMaster=auto"]
        connection = Connection([*client, *sharing, *rest], reference, directory)
        if connection.greeting() == _TAR_GREETING:
            return SshTarTarget(reference, [*client, *sharing, *rest[:-1]], connection)
        program = resources.files("envlock.targets.remote").joinpath("ssh_remote.py").read_bytes()
        connection.send(b"%d\n%b" % (len(program), program))
        return RemoteTarget(reference, connection, retain_total)
    except BaseException:
        for opened in (connection, directory):
            if opened is not None:
                opened.close()
        raise


def _control_directory(show_settings: Sequence[str]) -> ScratchDirectory | None:
    """Return a directory for the socket of a shared connection (ControlPath of ssh_config(5)).

    None where the user's own settings, printed by `show_settings`, share connections already.
    """
    settings = subprocess.run(show_settings, capture_output=True, check=False).stdout.splitlines()
    if any(line.startswith(b"controlpath ") and line != b"controlpath none" for line in settings):
        return None
    directory = ScratchDirectory(Path(tempfile.gettempdir()), "ssh")
    if len(str(directory.path)) > _SOCKET_DIRECTORY_LIMIT or "%" in str(directory.path):
        directory = ScratchDirectory(Path("/tmp"), "ssh")  # noqa: S108  its name is random
    return directory


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
