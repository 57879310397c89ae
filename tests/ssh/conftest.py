"""A real sshd on loopback with its own keys, whose sessions run where the test chooses."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import unavailable

CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PermitUserEnvironment no
LogLevel ERROR
{more}
"""
CLIENT = """
Host box
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/user
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
"""


class Sshd:
    """One server; `folder` holds its keys and, in ``bin``, a client that trusts it."""

    def __init__(self, folder: Path, command: str) -> None:
        self.folder = folder
        for name in ("host", "user"):
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name]
            subprocess.run(argv, check=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        more = f"ForceCommand {command}" if command else ""
        settings = CONFIG.format(port=self.port, folder=folder, more=more)
        (folder / "sshd_config").write_text(settings)
        (folder / "config").write_text(CLIENT.format(port=self.port, folder=folder))
        key = (folder / "host.pub").read_text()
        (folder / "known").write_text(f"[127.0.0.1]:{self.port} {key}")
        self._add_client()
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        argv = [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd_config"]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=log)
        self._wait()

    def _add_client(self) -> None:
        """Add the real client, with the settings of the test instead of those of the user."""
        real = shutil.which("ssh")
        wrapper = self.folder / "bin" / "ssh"
        wrapper.parent.mkdir()
        wrapper.write_text(f'#!/bin/sh\nexec {real} -F {self.folder}/config "$@"\n')
        wrapper.chmod(0o755)

    def _wait(self) -> None:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
            else:
                return
        pytest.fail((self.folder / "log").read_text())

    @property
    def path(self) -> str:
        """A PATH that finds the client first."""
        return f"{self.folder}/bin:{os.environ['PATH']}"

    def close(self) -> None:
        """Stop the server and wait for it."""
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Sshd]]:
    """Return a function that starts a server; its sessions run `command`, if one is given."""
    if not shutil.which("ssh") or not (shutil.which("sshd") or Path("/usr/sbin/sshd").exists()):
        unavailable("ssh", "no OpenSSH client and server")
    started: list[Sshd] = []

    def start(command: str = "") -> Sshd:
        folder = tmp_path / f"sshd{len(started)}"
        folder.mkdir()
        started.append(Sshd(folder, command))
        monkeypatch.setenv("PATH", started[-1].path)
        return started[-1]

    yield start
    for server in started:
        server.close()


def inside(name: str, *options: str, path: str = "/usr/sbin:/usr/bin:/sbin:/bin") -> str:
    """Return a command that runs the command of a client in all namespaces of a container."""
    if os.geteuid() or not shutil.which("nsenter"):
        unavailable("ssh", "only root enters a container")
    argv = ["docker", "inspect", "-f", "{{.State.Pid}}", name]
    pid = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    enter = ["nsenter", "-t", pid, "-m", "-u", "-i", "-n", "-p", "-r", "-w", *options, "--"]
    environ = ["env", "-i", f"PATH={path}", "LANG=C.UTF-8", "SSH_CONNECTION=x"]
    return f'{shlex.join([*enter, *environ])} sh -c "$SSH_ORIGINAL_COMMAND"'
