"""The main job on a real, customised container: capture, lock, rebuild, load, verify, run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tarfile
import time

import pytest

from tests.conftest import TAKING_INTERRUPTS, was_starting

pytestmark = pytest.mark.docker

WHEELS = ("attrs", "click", "idna", "jinja2", "markupsafe", "numpy", "packaging", "six")

SUM = "import numpy; print(numpy.arange(3).sum())"
FETCH = 'import urllib.request as u; print(u.urlopen("http://127.0.0.1/").status)'

CUSTOMISED = r"""
echo "worker_rlimit_nofile 4096;" >> /etc/nginx/nginx.conf
chmod 0750 /usr/bin/less || chmod 0750 /usr/bin/find
printf '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n' \
    > /etc/systemd/system/mine.service
mkdir -p /etc/systemd/system/multi-user.target.wants
ln -s /etc/systemd/system/mine.service /etc/systemd/system/multi-user.target.wants/mine.service
rm -rf /usr/share/doc/python3 /usr/share/man/man1
chmod u+s /usr/bin/sort
setcap cap_net_bind_service=+ep "$(readlink -f /usr/bin/python3)"
mkdir -p /srv/app/deep
printf latin > "$(printf '/srv/app/caf\351\nname')"
echo data > /srv/app/data
ln /srv/app/data /srv/app/deep/link
mkfifo /srv/app/pipe
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--no-deps",
         "--python-version=3.11", "--implementation=cp", "--abi=cp311",
         "--platform=manylinux_2_28_x86_64", "--platform=manylinux_2_17_x86_64",
         "--platform=manylinux2014_x86_64", "--platform=any", "--dest", folder, *WHEELS],
        check=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def machine(debian_image, run_container, wheels):
    """A container customised by hand, as people do."""
    container = run_container(
        debian_image,
        "-e",
        "LANG=C.UTF-8",
        "-e",
        "DATABASE_URL=postgres://app:hunter2canary@db.example.org/app",
        command=("nginx", "-g", "daemon off;"),
    )
    subprocess.run(
        ["docker", "cp", wheels, f"{container.name}:/tmp/wheels"], check=True, capture_output=True
    )
    container.sh(
        "python3 -m venv /srv/app/venv; /srv/app/venv/bin/pip install -q --no-index "
        f"--find-links /tmp/wheels {' '.join(WHEELS)}; rm -rf /tmp/wheels"
    )
    container.sh(CUSTOMISED)
    return container


def test_a_customised_container_is_rebuilt_exactly_and_runs(machine, envlock, run_container):
    envlock("capture", f"docker:{machine.name}", "--name", "web")
    built = envlock("materialize", "web", "--load", "--tag", "envlock-test/web:1", "--json").json
    verified = envlock("verify", "web", "image:envlock-test/web:1")
    assert "EQUAL" in verified.out
    digest = envlock("digest", "web", "--json").json["environment_digest"]
    assert digest == built["environment_digest"]
    assert digest in verified.err, "the image's label must agree with the lock"

    rebuilt = run_container("envlock-test/web:1", command=())
    assert rebuilt.sh("dpkg --audit") == ""
    assert "E:" not in rebuilt.sh("apt-get check 2>&1")
    assert "No broken requirements" in rebuilt.sh("/srv/app/venv/bin/pip check")
    assert (
        rebuilt.sh("/srv/app/venv/bin/python -c 'import numpy; print(numpy.arange(3).sum())'")
        == "3\n"
    )
    page = rebuilt.sh(
        "sleep 1; python3 -c \"import urllib.request as u; print(u.urlopen('http://127.0.0.1/').status)\""
    )
    assert page == "200\n"
    assert "cap_net_bind_service=ep" in rebuilt.sh('getcap "$(readlink -f /usr/bin/python3)"')
    first, second = rebuilt.sh("stat -c %i /srv/app/data /srv/app/deep/link").split()
    assert first == second
    assert "hunter2canary" not in rebuilt.sh("env; cat /usr/share/envlock/lock")


def test_a_change_of_one_byte_in_the_image_is_named(debian_image, envlock, run_container, engine):
    envlock("capture", f"image:{debian_image}", "--name", "base")
    changed = run_container(debian_image)
    changed.sh("printf x >> /usr/share/common-licenses/BSD")
    engine.containers.get(changed.name).commit("envlock-test/changed", "1")
    try:
        report = envlock("verify", "base", "image:envlock-test/changed:1", "--json", status=1).json
    finally:
        engine.images.remove("envlock-test/changed:1", force=True)
    keys = {(change["key"], change["field"]) for change in report["changes"]}
    assert ("/usr/share/common-licenses/BSD", "sha256") in keys
    assert all(change["left"] != change["right"] for change in report["changes"])


def test_one_root_has_one_digest_however_it_is_seen(debian_root, debian_image, envlock, tmp_path):
    envlock("capture", f"dir:{debian_root}", "--name", "dir")
    envlock("capture", f"image:{debian_image}", "--name", "image")
    envlock("materialize", "dir", "-o", tmp_path / "layout")
    envlock("capture", f"oci:{tmp_path / 'layout'}", "--name", "oci")
    digests = {
        name: json.loads(envlock("digest", name, "--json").out)["environment_digest"]
        for name in ("dir", "image", "oci")
    }
    assert len(set(digests.values())) == 1, digests
    assert "EQUAL" in envlock("verify", "dir", f"oci:{tmp_path / 'layout'}").out


@pytest.fixture
def image(engine, tmp_path):
    """An image of its own: other tests run beside this one and have theirs."""
    content = tmp_path / "content.tar"
    with tarfile.open(content, "w") as tar:
        tar.add(__file__, "srv/file")
    image = subprocess.run(
        ["docker", "import", content, f"envlock-test/{tmp_path.name}:left".lower()],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    yield image
    engine.images.remove(image)


def test_nothing_is_left_in_the_engine(envlock, engine, image):
    envlock("capture", f"image:{image}", "-o", "-")
    assert engine.containers.list(all=True, filters={"ancestor": image}) == []


@pytest.mark.parametrize("moment", [0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5])
def test_an_interrupt_leaves_nothing_in_the_engine(envlock, engine, image, moment):
    process = subprocess.Popen(
        [
            *TAKING_INTERRUPTS,
            sys.executable,
            "-m",
            "envlock",
            "capture",
            f"image:{image}",
            "-o",
            "-",
            "-q",
        ],
        cwd=envlock.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(moment)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    if not was_starting(err):
        assert process.returncode in (0, 130, -signal.SIGINT), err
    assert engine.containers.list(all=True, filters={"ancestor": image}) == []
