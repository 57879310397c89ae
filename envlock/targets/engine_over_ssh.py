"""An engine on another machine over ssh: a private socket here, whose connections end there.

Each connection runs ``docker system dial-stdio`` on the other machine, as the docker command does
for ``ssh://``; nothing is written there.  Source: docker CLI, cli/connhelper.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from envlock.errors import TargetError, TargetNameError
from envlock.targets.ssh_client import OPTIONS, destination
from envlock.writing import ScratchDirectory

if TYPE_CHECKING:
    from docker import DockerClient

_TAIL = 4096
_WAIT_SECONDS = 3.0
NO_SSH = "ssh is not installed"
_BRIDGES: WeakKeyDictionary[DockerClient, EngineOverSsh] = WeakKeyDictionary()
"""The engine over ssh that a client talks to."""


class EngineOverSsh:
    """The socket; `url` is its address for a client.  Close it after use."""

    def __init__(self, address: str, reference: str) -> None:
        """Listen for ``ssh://[USER@]HOST[:PORT][/SOCKET]``; the machine is reached when asked.

        Raise TargetError for another address, and where no socket can be made.
        """
        self._argv = _command(address, reference)
        self._running: list[subprocess.Popen[bytes]] = []
        self._failure = ""
        self._thread = Thread(target=self._serve, daemon=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        self._directory = ScratchDirectory(Path("/tmp"), "engine")  # noqa: S108  its name is random
        path = f"{self._directory.path}/socket"
        self.url = f"unix://{path}"
        try:
            self._directory.create()
            self._listener.bind(path)
            self._listener.listen()
            self._thread.start()
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise TargetError(
                    f"no socket can be made below /tmp: {error.strerror}",
                    where=reference,
                    hint="it must be writable and have room",
                ) from error
            raise

    def _serve(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                accepted, _ = self._listener.accept()
                with accepted:
                    self._connect(accepted)

    def _connect(self, accepted: socket.socket) -> None:
        try:
            started = subprocess.Popen(
                self._argv,
                stdin=accepted.fileno(),
                stdout=accepted.fileno(),
                stderr=self._stderr.fileno(),
            )
        except OSError as error:
            is_missing = isinstance(error, FileNotFoundError)
            self._failure = NO_SSH if is_missing else f"cannot start ssh: {error.strerror}"
        else:
            self._running.append(started)

    def last_words(self) -> str:
        """Return the last line that ssh or the other machine said, empty for none."""
        if self._failure:
            return self._failure
        for process in self._running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_WAIT_SECONDS)
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - _TAIL))
        lines = self._stderr.read().decode(errors="replace").split("\n")
        words = [" ".join(line.split()) for line in lines if line.strip()]
        text = words[-1].rstrip(".") if words else ""
        return "".join(char if char.isprintable() else "?" for char in text)

    def close_with(self, client: DockerClient) -> None:
        """Let `client.close` close this as well, and `words_of` find it."""
        _BRIDGES[client] = self
        close = client.close

        def both() -> None:
            close()
            self.close()

        client.close = both  # type: ignore[method-assign]

    def close(self) -> None:
        """End every connection.  May be called twice."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._thread.is_alive():
            self._thread.join(_WAIT_SECONDS)
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(_WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()
        self._directory.close()
        self._stderr.close()


def words_of(client: DockerClient | None) -> str:
    """Return what ssh said last of a client's connections, empty for a client without ssh."""
    bridge = _BRIDGES.get(client) if client is not None else None
    return bridge.last_words() if bridge is not None else ""


def _command(address: str, reference: str) -> list[str]:
    """Return the command that connects to an engine.  Raise TargetError for no such address."""
    hint = "an address over ssh is ssh://[USER@]HOST[:PORT][/SOCKET]"
    try:
        parts = urlsplit(address)
        machine = destination(parts.netloc)
    except (ValueError, TargetNameError) as error:
        message = f"the address of the engine names no machine: {address}"
        raise TargetError(message, where=reference, hint=hint) from error
    if any(not char.isalnum() and char not in "/._-" for char in parts.path):
        message = f"not the path of a socket: {parts.path!r}"
        raise TargetError(message, where=reference, hint=hint)
    there = ["-H", f"unix://{parts.path}"] if parts.path.strip("/") else []
    batch = [] if sys.stdin.isatty() else ["-o", "BatchMode=yes"]
    return ["ssh", *OPTIONS, *batch, *machine, "docker", *there, "system", "dial-stdio"]
