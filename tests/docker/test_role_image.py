"""An image of one application of a real container: smaller, equal in its closure; it answers."""

from __future__ import annotations

import subprocess
import time

import pytest

pytestmark = pytest.mark.docker

SITE = r"""
printf 'server { listen 127.0.0.1:80; root /srv/site; }\n' > /etc/nginx/conf.d/site.conf
rm -f /etc/nginx/sites-enabled/default
mkdir -p /srv/site && echo hello from the closure > /srv/site/index.html
"""

ASK = """\
from socket import create_connection
c = create_connection(("127.0.0.1", 80)); c.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
print(c.makefile().read())
"""


@pytest.fixture
def machine(debian_image, run_container):
    """A container that serves a page with nginx, beside cron, logrotate and a Python."""
    container = run_container(debian_image, command=("nginx", "-g", "daemon off;"))
    container.sh(SITE)
    return container


def ask(name: str, image: str) -> str:
    """Return what the server in a container answers to a client that shares its network."""
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", f"container:{name}", image, "python3", "-c", ASK],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_the_image_of_one_application_is_small_whole_and_answers(
    machine, envlock, run_container, debian_image
):
    envlock("capture", f"docker:{machine.name}", "--name", "web")
    built = envlock(
        "materialize", "web", "--root", "app", "--load", "--tag", "envlock-test/role:1", "--json"
    )
    assert "left out: " in built.err
    left_out = built.json["left_out_packages"]
    assert any(name.startswith("deb cron:") for name in left_out)
    assert not any(name.startswith("deb nginx:") for name in left_out)
    verified = envlock("verify", "web", "image:envlock-test/role:1", "--root", "app")
    assert "EQUAL" in verified.out
    # The whole environment is something else.
    assert "DRIFT" in envlock("verify", "web", "image:envlock-test/role:1", status=1).out

    served = run_container("envlock-test/role:1", command=())
    answer = ""
    for _ in range(50):
        answer = ask(served.name, debian_image)
        if "hello" in answer:
            break
        time.sleep(0.2)
    assert "hello from the closure" in answer


def run_in(image: str, *command: str) -> str:
    """Run one command in a new container, which needs no shell."""
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", image, *command],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_package_database_of_the_image_is_whole(machine, envlock):
    envlock("capture", f"docker:{machine.name}", "--name", "web", "--root", "app=exe:/usr/bin/dpkg")
    envlock("materialize", "web", "--root", "app", "--load", "--tag", "envlock-test/role:2")
    assert run_in("envlock-test/role:2", "dpkg", "--audit") == ""
    listed = run_in("envlock-test/role:2", "dpkg-query", "-f", "${Package} ", "-W").split()
    assert {"dpkg", "libc6", "tar"} <= set(listed)
    assert not {"nginx", "nginx-light", "cron"} & set(listed)


def test_a_role_that_nobody_captured_is_refused(machine, envlock):
    envlock("capture", f"docker:{machine.name}", "--name", "web", "--only", "os")
    refused = envlock("materialize", "web", "--root", "app", "-o", "image", status=5)
    assert "no application called app" in refused.err or "no file tree" in refused.err
