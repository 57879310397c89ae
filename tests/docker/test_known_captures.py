"""What was captured before is not read again, and gives the same bytes: images, containers."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from envlock.errors import TargetError
from envlock.targets.base import ScanPlan
from envlock.targets.kinds import open_target
from envlock.targets.local.mounted import MountedTarget
from envlock.targets.stream.temporary import LABEL
from tests.conftest import Cli, unavailable

pytestmark = pytest.mark.docker

FILES = {
    "etc/os-release": "ID=debian\nVERSION_ID=12\n",
    "opt/app": "one\n",
    "bin/sh": "#!/bin/false\n",
}


@pytest.fixture
def image() -> Iterator[Callable[..., str]]:
    """Return a function that imports an image of files; all are removed at the end."""
    made: list[str] = []

    def create(files: dict[str, str], *changes: str) -> str:
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as archive:
            for path, content in files.items():
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(content), 0o755
                archive.addfile(member, io.BytesIO(content.encode()))
        name = f"envlock-test/known-{uuid.uuid4().hex[:8]}:v1"
        options = [word for change in changes for word in ("-c", change)]
        argv = ["docker", "import", *options, "-", name]
        subprocess.run(argv, input=raw.getvalue(), check=True, capture_output=True)
        made.append(name)
        return name

    yield create
    for name in made:
        subprocess.run(["docker", "rmi", "-f", name], check=False, capture_output=True)


def created_since(engine, start: float) -> int:
    """Return how many containers were created to read images since a time."""
    filters = {"type": "container", "event": "create", "label": LABEL}
    return len(list(engine.events(since=start, until=time.time(), filters=filters)))


def test_a_known_image_is_not_read(engine, image, envlock: Cli):
    first = image(FILES, "ENV MODE=a-value-of-the-tests", 'CMD ["/opt/app"]')
    start = time.time()
    envlock("capture", f"image:{first}", "-o", "first.lock")
    assert created_since(engine, start) >= 1
    other = f"{first.rpartition(':')[0]}:v2"
    subprocess.run(["docker", "tag", first, other], check=True)
    try:
        time.sleep(1.1)  # events have whole seconds
        start = time.time()
        for name in (first, other):
            envlock("capture", f"image:{name}", "-o", "again.lock")
            assert (envlock.folder / "again.lock").read_bytes() == (
                envlock.folder / "first.lock"
            ).read_bytes()
        assert created_since(engine, start) == 0
        envlock("capture", f"image:{first}", "-o", "full.lock", "--full")
        assert created_since(engine, start) >= 1
        assert (envlock.folder / "full.lock").read_bytes() == (
            envlock.folder / "first.lock"
        ).read_bytes()
    finally:
        subprocess.run(["docker", "rmi", other], check=True, capture_output=True)


def test_another_image_of_the_same_name_is_read(engine, image, envlock: Cli):
    first = image(FILES)
    envlock("capture", f"image:{first}", "-o", "first.lock")
    second = image({**FILES, "opt/app": "two\n"})
    subprocess.run(["docker", "tag", second, first], check=True)
    envlock("capture", f"image:{first}", "-o", "second.lock")
    assert "/opt/app" in envlock("diff", "first.lock", "second.lock", status=1).out


HOSTILE = r"""
import os, socket, stat, time
os.makedirs("/srv/odd", exist_ok=True)
os.chdir("/srv/odd")
open("plain", "w").write("one\n")
os.link("plain", "another name"); os.link("plain", "/usr/local/third")
os.mkfifo("pipe")
os.mknod("device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
held = socket.socket(socket.AF_UNIX); held.bind("socket")
os.symlink("/etc/passwd", "link"); os.symlink("nowhere", "dangling")
open(b"caf\xe9 \n new line", "w").write("x")
open("setuid", "w").write("s"); os.chmod("setuid", 0o4755)
os.chown("setuid", 1234, 4321)
open("old", "w").write("o"); os.utime("old", (1.5, 1.5))
open("before 1970", "w").write("o"); os.utime("before 1970", (-1.5, -1.5))
os.setxattr("plain", "user.note", b"kept by the file system, not by an export")
os.unlink("/etc/nginx/nginx.conf")
import shutil
shutil.rmtree("/etc/logrotate.d"); os.mkdir("/etc/logrotate.d")
open("/etc/logrotate.d/new", "w").write("# new\n")
"""

SAME_SIZE_AND_TIME = """
import os
found = os.stat("/etc/adduser.conf")
text = open("/etc/adduser.conf").read()
open("/etc/adduser.conf", "w").write(text[:-2] + ("x" if text[-2] != "x" else "y") + text[-1])
os.utime("/etc/adduser.conf", ns=(found.st_atime_ns, found.st_mtime_ns))
assert os.stat("/etc/adduser.conf").st_size == found.st_size
"""


def run_python(container, script: str) -> None:
    container.sh(f"cat > /tmp/script.py <<'END'\n{script}\nEND\npython3 /tmp/script.py")


@pytest.fixture
def both(envlock: Cli) -> Callable[[str], bytes]:
    """Return a function that captures a container and its export, which must be the same bytes."""

    def capture(name: str) -> bytes:
        for path, options in (("quick", ()), ("full", ("--full",))):
            envlock("capture", f"docker:{name}", "-o", f"{path}.lock", *options)
        quick = (envlock.folder / "quick.lock").read_bytes()
        assert quick == (envlock.folder / "full.lock").read_bytes()
        return quick

    return capture


def needs_the_mount(engine, name: str) -> None:
    """Skip where the engine does not mount the layers of a container for root to see."""
    driver = engine.containers.get(name).attrs["GraphDriver"]
    if os.geteuid() or driver["Name"] != "overlay2":
        unavailable("root", "only root reads a container where overlay2 has mounted it")
    assert os.path.isdir(driver["Data"]["MergedDir"]), "this is the engine's own machine"


def test_a_running_container_is_what_the_engine_exports(engine, run_container, debian_image, both):
    container = run_container(debian_image, "-v", "/var/cache/volume", "--tmpfs", "/mnt")
    needs_the_mount(engine, container.name)
    first = both(container.name)
    run_python(container, HOSTILE)
    second = both(container.name)
    assert first != second
    assert b"/var/cache/volume: a volume mounted here" in second
    run_python(container, SAME_SIZE_AND_TIME)
    listed = subprocess.run(["docker", "diff", container.name], capture_output=True, check=True)
    third = both(container.name)
    assert second != third, "an edit that keeps size and time is seen"
    assert b"/etc/adduser.conf" not in listed.stdout, "the engine's list leaves it out"


def test_only_what_changed_in_a_container_is_read(
    engine, run_container, debian_image, envlock: Cli
):
    container = run_container(debian_image)
    needs_the_mount(engine, container.name)
    time.sleep(2.1)  # what changed a moment ago counts as changed
    target = f"docker:{container.name}"
    envlock("capture", target, "-o", "first.lock")
    container.sh("echo more >> /etc/motd; echo more > /srv/new")
    again = envlock("capture", target, "-o", "second.lock", "--json").json
    assert again["incremental"]
    found = envlock("diff", "first.lock", "second.lock", status=1).out
    assert "/srv/new" in found
    container.sh("rm /srv/new")
    envlock("capture", target, "-o", "third.lock")
    assert "/srv/new" not in (envlock.folder / "third.lock").read_text()


def test_a_stopped_container_is_exported(run_container, debian_image, envlock: Cli):
    container = run_container(debian_image)
    target = f"docker:{container.name}"
    envlock("capture", target, "-o", "running.lock")
    subprocess.run(["docker", "stop", "-t", "0", container.name], check=True, capture_output=True)
    envlock("capture", target, "-o", "stopped.lock")
    assert (envlock.folder / "running.lock").read_bytes() == (
        envlock.folder / "stopped.lock"
    ).read_bytes()


def test_a_container_that_stops_meanwhile_is_an_error(engine, run_container, debian_image):
    container = run_container(debian_image)
    needs_the_mount(engine, container.name)
    with closing(open_target(f"docker:{container.name}")) as target:
        assert isinstance(target, MountedTarget)
        assert target.names("/etc")
        found = target.walk(ScanPlan(digest=False))
        next(found)
        subprocess.run(["docker", "kill", container.name], check=True, capture_output=True)
        with pytest.raises(TargetError, match="stopped while it was read"):
            list(found)
        with pytest.raises(TargetError, match="stopped while it was read"):
            target.stat("/no/such/path")
