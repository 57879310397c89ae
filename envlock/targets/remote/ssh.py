"""Another machine through the system's OpenSSH client: nothing is installed or written there.

The client reads the user's own configuration (ssh_config(5)), so aliases, jump hosts, agents and
multiplexing work as for ``ssh``.  The far side runs `envlock.targets.remote.ssh_remote`, sent over
the connection, where there is a Python; otherwise tar answers (`envlock.targets.remote.ssh_tar`).
The command that is sent is always the same text; the names of files travel as data.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib import resources
from typing import cast

from envlock.errors import TargetError, TargetNameError
from envlock.targets.base import Target
from envlock.targets.remote.remote import FarTarget
from envlock.targets.remote.ssh_tar import SshTarTarget

_PYTHON_GREETING = b"envlock-far python\n"
_TAR_GREETING = b"envlock-far tar\n"
_OPERAND = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_.][A-Za-z0-9_.+-]*)@)?"
    r"(?:(?P<host>[A-Za-z0-9_][A-Za-z0-9_.-]*)|\[(?P<address>[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?)\])"
    r"(?::(?P<port>[0-9]{1,5}))?\Z"
)
_NOISE_LINES = 1000
_LINE = 64 * 1024
_WAIT_SECONDS = 3.0
_TAIL = 4096
_SOCKET_NAME = 80
"""Longest folder, in bytes, of a socket: the name of one has 108, and ssh adds some."""

OPTIONS = (
    "-T", "-a", "-x",
    "-o", "ConnectTimeout=15",
    "-o", "ServerAliveInterval=15",
    "-o", "ServerAliveCountMax=3",
    "-o", "ClearAllForwardings=yes",
    "-o", "LogLevel=ERROR",
)  # fmt: skip
"""Neither a terminal nor anything forwarded, and an end of a connection that died."""

_BOOT = (
    "import sys;source=sys.stdin.buffer;"
    "code=source.read(int(source.readline()));"
    "exec(compile(code,'envlock','exec'),{'__name__':'__main__'})"
)
_CAN = "import sys,json,zlib,hashlib;sys.exit(sys.version_info<(3,6))"
COMMAND = "exec sh -c " + shlex.quote(
    f'if python3 -c "{_CAN}" </dev/null >/dev/null 2>&1;'
    f' then printf "\\nenvlock-far python\\n"; exec python3 -I -S -B -c "{_BOOT}"; fi;'
    " if command -v tar >/dev/null 2>&1;"
    ' then printf "\\nenvlock-far tar\\n"; exec cat >/dev/null; fi;'
    ' echo "neither python3 nor tar" >&2; exit 97'
)
"""What the login shell of the far side is asked to run, whatever shell it is."""


def destination(operand: str) -> list[str]:
    """Return the ssh arguments for ``[USER@]HOST[:PORT]``.  Raise TargetNameError.

    >>> destination("admin@db1.example.org:2222")
    ['-p', '2222', '--', 'admin@db1.example.org']
    >>> destination("[::1]")
    ['--', '::1']
    """
    found = _OPERAND.match(operand)
    port = int(found["port"] or 22) if found else 0
    if found is None or not 0 < port < 65536:
        raise TargetNameError(
            f"'ssh:{operand}' names no machine",
            hint="it is ssh:[USER@]HOST[:PORT]; give anything else a name in ~/.ssh/config",
        )
    user = f"{found['user']}@" if found["user"] else ""
    host = f"{user}{found['host'] or found['address']}"
    return [*(["-p", str(port)] if found["port"] else []), "--", host]


class Connection:
    """One run of a program, mostly ssh, whose standard input and output are a pipe to far away."""

    def __init__(self, argv: Sequence[str], where: str, folder: str = "") -> None:
        self._where = where
        self._folder = folder
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                bufsize=0,
            )
        except OSError as error:
            self._said.close()
            shutil.rmtree(folder or os.devnull, ignore_errors=True)
            raise TargetError(
                f"cannot start {argv[0]}: {error.strerror}",
                where=where,
                hint="install an OpenSSH client",
            ) from error
        # Both are pipes, as was asked for.  What is sent has no buffer: `close` must never wait for
        # a far side that reads no more, because nobody takes its answers.
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
        """Return which side answers; what shells say when they start is passed over."""
        for _ in range(_NOISE_LINES):
            line = self._output.readline(_LINE)
            if line in (_PYTHON_GREETING, _TAR_GREETING):
                return line
            if not line:
                break
        raise self.failure()

    def failure(self) -> TargetError:
        """Return why nothing comes any more, in the words of ssh."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_WAIT_SECONDS)
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - _TAIL))
        lines = self._said.read().decode(errors="replace").split("\n")
        words = [" ".join(line.split()) for line in lines if line.strip()]
        message = words[-1].rstrip(".") if words else "the connection was lost"
        hint = "see that `ssh HOST true` works"
        if "verification failed" in message:
            hint = "connect once with `ssh HOST` to check and accept its key"
        elif "denied" in message:
            hint = "load a key into your agent; nothing asks for a password without a terminal"
        elif "neither" in message:
            hint = "install python3 or tar there"
        return TargetError(_printable(message), where=self._where, hint=hint)

    def close(self) -> None:
        """End it: the far side ends with its input, and at the latest when nobody listens."""
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
        self._said.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def connect(operand: str) -> Target:
    """Return the machine ``[USER@]HOST[:PORT]``.

    Raise TargetNameError when that is no name, TargetError when it does not answer.
    """
    far = destination(operand)
    options = list(OPTIONS)
    if not sys.stdin.isatty():
        options += ["-o", "BatchMode=yes"]
    return open_far(["ssh", *options], [*far, COMMAND], f"ssh:{operand}")


def open_far(client: Sequence[str], rest: Sequence[str], reference: str) -> Target:
    """Return the far side of the command ``client + rest``, read by Python or by tar."""
    folder = _control_folder([*client, "-G", *rest[:-1]]) if client[0] == "ssh" else ""
    sharing = [f"-oControlPath={folder}/control", "-oControlMaster=auto"] if folder else []
    connection = Connection([*client, *sharing, *rest], reference, folder)
    try:
        if connection.greeting() == _TAR_GREETING:
            return SshTarTarget(reference, [*client, *sharing, *rest[:-1]], connection)
        program = resources.files("envlock.targets.remote").joinpath("ssh_remote.py").read_bytes()
        connection.send(b"%d\n%b" % (len(program), program))
        return FarTarget(reference, connection)
    except BaseException:
        connection.close()
        raise


def _control_folder(ask: Sequence[str]) -> str:
    """Return a folder for a shared connection, or nothing where the user's settings share one."""
    settings = subprocess.run(ask, capture_output=True, check=False).stdout.splitlines()
    if any(line.startswith(b"controlpath ") and line != b"controlpath none" for line in settings):
        return ""
    folder = tempfile.mkdtemp(prefix="envlock-")
    if len(folder) > _SOCKET_NAME or "%" in folder:
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix="envlock-", dir="/tmp")
    return folder


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
