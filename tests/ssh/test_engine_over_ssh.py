"""An engine on another machine, which only ssh reaches."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import pytest

from tests.conftest import ENGINE_SOCKET, Cli

pytestmark = pytest.mark.docker


@pytest.mark.plants_secrets("the key of the ssh server")
def test_a_container_there(sshd, engine, run_container, debian_image, tmp_path: Path, envlock: Cli):
    server = sshd(f'DOCKER_HOST=unix://{ENGINE_SOCKET} sh -c "$SSH_ORIGINAL_COMMAND"')
    container = run_container(debian_image)
    asked = ["--only", "os,user", "-o", "-"]
    here = envlock("capture", f"docker:{container.name}", *asked).out
    assert envlock("capture", f"docker:{container.name}@ssh://box", *asked).out == here
    name = hashlib.sha256(b"there").hexdigest()
    meta = tmp_path / "docker/contexts/meta" / name / "meta.json"
    meta.parent.mkdir(parents=True)
    endpoints = {"docker": {"Host": f"ssh://box{ENGINE_SOCKET}"}}
    meta.write_text(json.dumps({"Name": "there", "Metadata": {}, "Endpoints": endpoints}))
    environ = {"DOCKER_CONFIG": str(tmp_path / "docker")}
    again = envlock("capture", f"docker:{container.name}@there", *asked, **environ)
    assert again.out == here
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    end = time.monotonic() + 20
    while children.read_text() and time.monotonic() < end:
        time.sleep(0.1)
    assert children.read_text() == "", "no connection stays"
    ran = envlock("capture", "docker:none-of-this-name@there", status=4, **environ)
    assert "docker --context there ps -a" in ran.err


@pytest.mark.plants_secrets("the key of the ssh server")
def test_what_ssh_says_is_told(sshd, envlock: Cli):
    server = sshd("echo there is no docker here >&2; exit 1")
    ran = envlock("capture", "docker:web@ssh://box", status=4)
    assert "does not answer at ssh://box: there is no docker here" in ran.err
    server.close()
    ran = envlock("capture", "docker:web@ssh://box", status=4)
    assert "Connection refused" in ran.err
    ran = envlock("capture", "docker:web@ssh://box/a;b", status=4)
    assert "not the path of a socket" in ran.err
