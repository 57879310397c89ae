"""The container of a process that was killed while it read an image is deleted by the next one."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid

import pytest
from docker.errors import NotFound

from envlock.targets.kinds import open_target
from envlock.targets.stream.temporary import LABEL, delete, delete_abandoned, own_label

pytestmark = pytest.mark.docker


@pytest.fixture
def container(engine, debian_image):
    """Return a function that creates a container with a label, as reading an image does."""
    made = []

    def create(label: str) -> str:
        name = f"envlock-test-store-{uuid.uuid4().hex[:8]}"
        engine.containers.create(debian_image, command=["x"], name=name, labels={LABEL: label})
        made.append(name)
        return name

    yield create
    for name in made:
        delete(engine, name)


def exists(engine, name: str) -> bool:
    try:
        engine.containers.get(name)
    except NotFound:
        return False
    return True


def test_containers_of_dead_processes_are_deleted_and_no_others(engine, container, debian_image):
    code = "from envlock.targets.stream.temporary import own_label; print(own_label())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = {
        "dead": container(dead.stdout.strip()),
        "own": container(own_label()),
        "elsewhere": container("another-kernel/pid:[1]/2:3"),
        "older version": container("true"),
    }
    target = open_target(f"image:{debian_image}")
    assert target.stat("/etc")
    target.close()
    assert {kind for kind, name in names.items() if exists(engine, name)} == {
        "own",
        "elsewhere",
        "older version",
    }
    delete_abandoned(engine, now=time.time() + 90_000)
    assert not any(exists(engine, name) for name in names.values())


@pytest.mark.parametrize("moment", [0.6, 1.2, 2.0])
def test_a_signal_leaves_no_container(envlock, engine, debian_image, moment):
    before = {c["Id"] for c in engine.api.containers(all=True, filters={"label": LABEL})}
    process = subprocess.Popen(
        [sys.executable, "-m", "envlock", "capture", f"image:{debian_image}", "-o", "-"],
        cwd=envlock.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    time.sleep(moment)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert process.returncode in (0, 143, -signal.SIGTERM), err
    own = str(process.pid)
    for found in engine.api.containers(all=True, filters={"label": LABEL}):
        assert found["Id"] in before or f"/{own}:" not in found["Labels"][LABEL]
