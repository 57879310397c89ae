"""Podman is used when no Docker engine answers."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import docker
import pytest

from tests.targets.conftest import tar_of

WITHOUT_DOCKER = """
[ ! -S /run/docker.sock ] || mount --bind /dev/null /run/docker.sock
exec "$@"
"""


@pytest.mark.docker
def test_podman_is_used_without_docker(podman, hostile_root, tmp_path):
    name = f"envlock-test/hostile-{uuid.uuid4().hex[:8]}"
    take = ["docker", "import", "-", name]
    subprocess.run(take, input=tar_of(hostile_root), check=True, capture_output=True)
    client = docker.from_env()
    try:
        environ = {k: v for k, v in os.environ.items() if k != "DOCKER_HOST"}
        environ |= {"XDG_RUNTIME_DIR": str(podman), "DOCKER_CONFIG": str(tmp_path)}
        capture = [sys.executable, "-m", "envlock", "capture", f"image:{name}", "-o", "-"]
        hide = ["unshare", "--mount", "sh", "-c", WITHOUT_DOCKER, "sh"]
        done = subprocess.run([*hide, *capture], env=environ, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert b'[file."/etc/inside"]' in done.stdout
    finally:
        client.images.remove(name, force=True)
        client.close()
