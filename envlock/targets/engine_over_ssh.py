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

from envlock.errors import TargetError
from envlock.targets.ssh_client import OPTIONS, destination
from envlock.writing import ScratchDirectory

if TYPE_CHECKING:
    from docker import DockerClient

_TAIL = 4096
_WAIT_SECONDS = 3.0


class EngineOverSsh:
    """The socket; `url` is its address for a client.  Close it after use."""

    def __init__(self, address: str, reference: str) -> None:
        """Listen for ``ssh://[USER@]HOST[:PORT][/SOCKET]``; the machine is reached when asked."""
        parts = urlsplit(address)
        machine = destination(parts.netloc)
        there = ["-H", f"unix://{parts.path}"] if parts.path.strip("/") else []
        if any(not char.isalnum() and char not in "/._-" for char in parts.path):
            raise TargetError("not the path of a socket", where=f"{reference}: {parts.path!r}")
        batch = [] if sys.stdin.isatty() else ["-o", "BatchMode=yes"]
        command = ["docker", *there, "system", "dial-stdio"]
        self._argv = ["ssh", *OPTIONS, *batch, *machine, *command]
        self._running: list[subprocess.Popen[bytes]] = []
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        self._directory = ScratchDirectory(Path("/tmp"), "engine")  # noqa: S108  its name is random
        self._directory.create()
        path = f"{self._directory.path}/socket"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self.url = f"unix://{path}"
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                accepted, _ = self._listener.accept()
                with accepted:
                    self._running.append(
                        subprocess.Popen(
                            self._argv,
                            stdin=accepted.fileno(),
                            stdout=accepted.fileno(),
                            stderr=self._stderr.fileno(),
                        )
                    )

    def last_words(self) -> str:
        """Return the last line that ssh or the other machine said, empty for none."""
        for process in self._running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_WAIT_SECONDS)
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - _TAIL))
        lines = self._stderr.read().decode(errors="replace").split("\n")
        words = [" ".join(line.split()) for line in lines if line.strip()]
        text = words[-1].rstrip(".") if words else ""
        return "".join(char if char.isprintable() else "?" for char in text)

    def close_with(self, client: DockerClient) -> None:
        """Let `client.close` close this as well."""
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
        self._thread.join(_WAIT_SECONDS)
        for process in self._running:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_WAIT_SECONDS)
        self._running.clear()
        self._directory.close()
        self._stderr.close()
