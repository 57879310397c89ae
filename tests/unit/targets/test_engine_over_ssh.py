"""An engine that ssh does not reach, or no longer: one sentence, a hint, and nothing left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envlock.errors import TargetError
from envlock.targets.engine_over_ssh import EngineOverSsh
from envlock.targets.engines import connect, engine_errors

VERSION = b'{"ApiVersion":"1.41","MinAPIVersion":"1.24"}'
ANSWER_ONCE = f"""
import os, sys
asked = b""
while b"\\r\\n\\r\\n" not in asked:
    asked += os.read(0, 4096)
if b"/version" in asked:
    head = "HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: {len(VERSION)}"
    os.write(1, head.encode() + b"\\r\\n\\r\\n" + {VERSION!r})
    os.read(0, 4096)
sys.stderr.write("Connection to box closed by remote host.\\n")
sys.exit(255)
"""
"""An ssh whose connection is cut once the client knows the version of the engine."""


@pytest.fixture
def ssh(tmp_path, monkeypatch):
    """Return a function that puts an ssh into the PATH, which then has nothing else."""

    def put(text: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "ssh").write_text(text)
        (folder / "ssh").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return put


def left_open() -> list[str]:
    """Return the private directories for sockets that this process holds."""
    return folders_of(os.getpid())


def folders_of(pid: int) -> list[str]:
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(os.readlink(link))
        except OSError:
            continue
    return [path for path in found if path.startswith("/tmp/.envlock-")]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Could not resolve hostname box", ": Could not resolve hostname box ("),
        ("docker: command not found", ": docker: command not found ("),
        ("", " at ssh://box ("),
    ],
)
def test_what_ssh_said_is_told(ssh, said, why):
    ssh(f"#!/bin/sh\necho '{said}' >&2\nexit 255\n")
    with pytest.raises(TargetError) as caught:
        connect("ssh://box", "docker:web@ssh://box")
    assert why in f"{caught.value.message} ("
    assert caught.value.hint == "`docker -H ssh://box version` must work"
    assert left_open() == []


def test_a_machine_without_ssh(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TargetError, match="ssh is not installed") as caught:
        connect("ssh://box", "docker:web@ssh://box")
    assert "openssh-client" in caught.value.hint
    assert left_open() == []


def test_a_connection_that_is_cut(ssh):
    ssh(f"#!{sys.executable}{ANSWER_ONCE}")
    client = connect("ssh://box", "docker:web@ssh://box")
    (folder,) = left_open()
    with (
        pytest.raises(TargetError, match="closed by remote host") as caught,
        engine_errors("docker:web@ssh://box", "another hint", client),
    ):
        client.containers.get("web")
    assert caught.value.hint == "the connection must last; try again"
    client.close()
    assert left_open() == []
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    "address", ["ssh://", "ssh://[x", "ssh://a b", "ssh://a:99999", "ssh://-x"]
)
def test_an_address_of_no_machine(address):
    with pytest.raises(TargetError, match="names no machine") as caught:
        EngineOverSsh(address, "docker:web")
    assert caught.value.hint.startswith("an address over ssh is ssh://")
    assert left_open() == []


def test_a_signal_leaves_nothing(ssh, tmp_path):
    wait = f"exec {sys.executable} -c 'import time; time.sleep(600)'"
    ssh(f"#!/bin/sh\necho $$ > {tmp_path}/pid\n{wait}\n")
    argv = [sys.executable, "-m", "envlock", "capture", "docker:web@ssh://box", "-o", "-"]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert time.monotonic() < end
        time.sleep(0.05)
    (folder,) = folders_of(process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    assert not Path(folder).exists()
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()
