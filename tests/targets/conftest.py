"""The same hostile tree, as every kind of target."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path

import docker
import pytest

from envlock.targets.kinds import open_target
from envlock.targets.remote.ssh import open_remote
from envlock.targets.remote.ssh_tar import SshTarTarget
from envlock.targets.stream.oci import OciTarget
from envlock.targets.stream.streaming import RETAIN_TOTAL
from tests.conftest import unavailable
from tests.targets import hostile


@pytest.fixture(scope="session")
def hostile_root(tmp_path_factory):
    root = tmp_path_factory.mktemp("hostile") / "root"
    root.mkdir()
    hostile.make(root)
    return root


def tar_of(root: Path) -> bytes:
    """Return a tar of a directory, as GNU tar writes it."""
    argv = ["tar", "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*", "--format=pax"]
    return subprocess.run([*argv, "-c", "."], check=True, capture_output=True).stdout


RUN_CONFIG = {"Env": ["LANG=C"], "Cmd": ["x"]}


def layout_of(
    folder: Path, layers: list[bytes], compress=lambda raw: raw, config=RUN_CONFIG
) -> Path:
    """Write an OCI layout of layers that are given as tar archives."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def blob(raw: bytes) -> dict[str, object]:
        digest = hashlib.sha256(raw).hexdigest()
        (blobs / digest).write_bytes(raw)
        return {"digest": f"sha256:{digest}", "size": len(raw)}

    described_config = blob(json.dumps({"config": config}).encode())
    described = [blob(compress(layer)) for layer in layers]
    manifest = blob(json.dumps({"config": described_config, "layers": described}).encode())
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return folder


@pytest.fixture(
    params=["dir", "oci", "oci-gzip", "oci-archive", "docker", "image", "podman", "remote", "tar"]
)
def target(request, hostile_root, tmp_path):
    kind = request.param
    if kind == "dir":
        made = open_target(f"dir:{hostile_root}")
    elif kind.startswith("oci"):
        compress = gzip.compress if kind == "oci-gzip" else bytes
        layout = layout_of(tmp_path / "layout", [tar_of(hostile_root)], compress)
        if kind == "oci-archive":
            subprocess.run(["tar", "-C", layout, "-cf", tmp_path / "a.tar", "."], check=True)
            layout = tmp_path / "a.tar"
        made = OciTarget.at(layout)
    elif kind in ("remote", "tar"):
        made = remote_target(kind, hostile_root)
    else:
        made = engine_target(request, kind, hostile_root)
    with closing(made):
        yield made


@pytest.fixture(scope="session")
def podman_socket(tmp_path_factory):
    """Start podman's service with separate storage; return the directory of its socket."""
    if not shutil.which("podman") or os.geteuid():
        unavailable("podman", "it is not installed, or the tests do not run as root")
    folder = tmp_path_factory.mktemp("podman")
    (folder / "podman").mkdir()
    socket = folder / "podman/podman.sock"
    runroot = tempfile.mkdtemp(prefix="envlock-")  # podman allows at most 50 characters
    options = ["--root", folder / "root", "--runroot", runroot]
    options += ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]
    serve = ["system", "service", "--time", "0", f"unix://{socket}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["podman", *options, "--events-backend", "file", *serve], stdout=log, stderr=log
        )
    for _ in range(600):
        with contextlib.suppress(docker.errors.DockerException):
            docker.DockerClient(base_url=f"unix://{socket}").close()
            break
        time.sleep(0.1)
        if process.poll() is not None:
            unavailable("podman", (folder / "log").read_text())
    yield folder
    process.terminate()
    process.wait()
    shutil.rmtree(runroot, ignore_errors=True)


@pytest.fixture
def podman(podman_socket, monkeypatch):
    """Make podman the engine that is used."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{podman_socket}/podman/podman.sock")
    return podman_socket


IN_ROOT = """
import errno, fnmatch, hashlib, json, os, stat, struct, sys, typing, zlib
os.chroot(sys.argv[1])
os.chdir("/")
sys.stdout.buffer.write(b"noise of a shell\\n\\nenvlock-remote python\\n")
sys.stdout.flush()
code = sys.stdin.buffer.read(int(sys.stdin.buffer.readline()))
exec(compile(code, "envlock", "exec"), {"__name__": "__main__"})
"""


def remote_target(kind, root, retain_total=RETAIN_TOTAL):
    """Return a target at the other end of a pipe, without ssh, with `root` as its root."""
    if kind == "tar":
        return SshTarTarget("ssh:tar", ["sh", "-c"], io.BytesIO(), root=str(root))
    if os.geteuid():
        unavailable("root", "only root may change its root directory")
    argv = [sys.executable, "-c", IN_ROOT]
    return open_remote(argv, [str(root)], "ssh:box", retain_total=retain_total)


def engine_target(request, kind, root):
    if os.geteuid():
        unavailable("root", "device nodes and owners need root")
    if kind == "podman":
        request.getfixturevalue("podman")
        client = docker.from_env()
        request.addfinalizer(client.close)
    else:
        client = request.getfixturevalue("engine")
    name = f"envlock-test/hostile-{uuid.uuid4().hex[:8]}"
    take = ["docker", "import", "-", name]
    subprocess.run(take, input=tar_of(root), check=True, capture_output=True)
    request.addfinalizer(lambda: client.images.remove(name, force=True))
    if kind == "image":
        return open_target(f"image:{name}")
    container = client.containers.create(name, command=["x"])
    request.addfinalizer(lambda: container.remove(force=True))
    return open_target(f"docker:{container.name}")
