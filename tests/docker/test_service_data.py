"""The data of a real server: refused while it runs, kept whole when it is stopped, else named."""

from __future__ import annotations

import subprocess
import uuid

import pytest

from tests.conftest import Container, unavailable

pytestmark = pytest.mark.docker

INSTALL = "apt-get update -qq && apt-get install -qq --no-install-recommends redis-server"
START = "redis-server --daemonize yes --dir /var/lib/redis --save '' >/dev/null; sleep 1"
FOLDER = "/var/lib/redis"


@pytest.fixture
def server(debian_image):
    """A container with a Redis that runs and has one key."""
    container = Container(f"envlock-test-{uuid.uuid4().hex[:12]}")
    run = ["docker", "run", "-d", "--name", container.name, "--network", "host", debian_image]
    subprocess.run([*run, "sleep", "900"], check=True, capture_output=True)
    try:
        install = ["docker", "exec", container.name, "sh", "-ec", INSTALL]
        if subprocess.run(install, check=False, capture_output=True).returncode:
            unavailable("a Debian mirror", "redis-server cannot be installed")
        container.sh(f"{START}; redis-cli set greeting hello; redis-cli save")
        yield container
    finally:
        subprocess.run(["docker", "rm", "-f", container.name], check=False, capture_output=True)


def test_a_running_server_is_refused_and_a_stopped_one_comes_back(server, envlock, run_container):
    target = f"docker:{server.name}"
    refused = envlock("capture", target, "--name", "db", "--with-state", FOLDER, status=2)
    assert "its redis server seems to run (the process redis-server)" in refused.err

    without = envlock("capture", target, "--name", "none")
    assert f"left out as a whole: {FOLDER} (redis, " in without.err
    server.sh("redis-cli shutdown nosave; sleep 1")
    envlock("capture", target, "--name", "db", "--with-state", FOLDER)

    for name, keys in (("db", "hello"), ("none", "")):
        image = f"envlock-test/data:{name}"
        built = envlock("materialize", name, "--load", "--tag", image)
        assert f"start it with: docker run --rm {image}" in built.err
        assert ("the image has no redis data" in built.err) is (name == "none")
        rebuilt = run_container(image)
        assert rebuilt.sh(f"{START}; redis-cli get greeting").strip() == keys
    verified = envlock("verify", "none", "image:envlock-test/data:none")
    assert "EQUAL" in verified.out
    assert f"not compared: {FOLDER}" in verified.err
