"""Running processes as targets: of this user, in a chroot, and one that may not be read."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from envlock.errors import TargetError
from envlock.targets.base import Capability, ScanPlan
from envlock.targets.kinds import open_target
from envlock.targets.local.filesystem import directory
from tests.conftest import unavailable


@pytest.fixture
def start(request):
    def start(*argv, **options):
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.PIPE, **options)
        request.addfinalizer(lambda: process.communicate(timeout=60))
        request.addfinalizer(process.kill)
        return process

    return start


def ready(process, name):
    """Wait until the process runs the program that was started."""
    for _ in range(600):
        folder = Path(f"/proc/{process.pid}")
        # The kernel replaces the program before it has the new arguments.
        if (folder / "exe").resolve().name.startswith(name) and (folder / "cmdline").read_bytes():
            return process
        time.sleep(0.05)
    pytest.fail(f"{name} does not start")


def test_a_process_has_the_facts_of_the_kernel(start, tmp_path):
    environ = {"LANG": "C.UTF-8", "EMPTY": "", "PAIR": "a=b", "PATH": os.environ["PATH"]}
    process = ready(start("sleep", "60", env=environ, cwd=tmp_path), "sleep")
    with closing(open_target(f"pid:{process.pid}")) as target:
        config = target.process()
        assert config.cmd == ("sleep", "60")
        assert config.environ == environ
        assert config.workdir == str(tmp_path)
        assert config.user == f"{os.geteuid()}:{os.getegid()}"
        assert config.namespaces == ()
        assert config.unreadable == {}
        assert config.exe in config.maps
        assert Capability.MAPS in target.capabilities
        limits = target.read("/proc/self/limits")
        assert limits == Path(f"/proc/{process.pid}/limits").read_bytes()
        release = target.read("/proc/sys/kernel/osrelease").decode().strip()
        assert release == os.uname().release
        assert target.stat("/").type == "d"


def test_the_root_of_a_process_is_its_chroot(start, debian_root):
    process = ready(start("chroot", debian_root, "sleep", "60"), "sleep")
    with closing(open_target(f"pid:{process.pid}")) as target:
        config = target.process()
        assert (config.exe, config.workdir) == ("/usr/bin/sleep", "/")
        libraries = [line.split()[-1] for line in config.maps.splitlines()]
        assert any(path.startswith("/usr/lib/") for path in libraries)
        assert not any(str(debian_root) in path for path in libraries)
        plan = ScanPlan(digest=False)
        found = {entry.path: entry for entry in target.scan(plan)}
        assert found == {entry.path: entry for entry in directory(debian_root).scan(plan)}
        assert target.read("/etc/os-release") == (debian_root / "etc/os-release").read_bytes()


def test_unreadable_files_are_gaps(start):
    if os.geteuid():
        unavailable("root", "only root has processes that it can hide from itself")
    process = ready(start("sleep", "60"), "sleep")
    gaps = []
    os.seteuid(65534)
    try:
        with closing(open_target(f"pid:{process.pid}")) as target:
            config = target.process()
            entries = list(target.scan(ScanPlan(on_gap=lambda *gap: gaps.append(gap))))
            with pytest.raises(PermissionError):
                target.read("/etc/os-release")
    finally:
        os.seteuid(0)
    assert gaps == [("/", "permission denied")]
    assert entries == []
    assert config.cmd == ("sleep", "60")
    assert config.unreadable["/proc/self/environ"] == "permission denied"
    assert config.unreadable["/proc/self/maps"] == "permission denied"


def test_a_process_that_ended_raises(start):
    process = start(sys.executable, "-c", "input()")
    target = open_target(f"pid:{process.pid}")
    process.communicate(b"\n", timeout=60)
    with pytest.raises(TargetError, match="no such process"):
        target.process()


@pytest.mark.parametrize("operand", ["0", "-1", "self", "1/../2", "4194304999"])
def test_invalid_process_numbers_raise(operand):
    with pytest.raises(TargetError):
        open_target(f"pid:{operand}")


def test_a_capture_of_a_process_has_its_program_and_coverage(start, envlock):
    process = ready(start("sleep", "60"), "sleep")
    lock = envlock("capture", f"pid:{process.pid}", "--only", "env", "-o", "-").out
    assert 'exe = "' in lock
    assert '\n[coverage."env"]\nstatus = "ok"' in lock


@pytest.mark.docker
def test_the_root_of_a_process_in_a_container_is_the_container(
    run_container, debian_image, envlock
):
    box = run_container(debian_image)
    argv = ["docker", "inspect", "-f", "{{.State.Pid}}", box.name]
    pid = int(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    box.sh("echo x > /etc/mine")
    with closing(open_target(f"pid:{pid}")) as target:
        config = target.process()
        assert "mnt" in config.namespaces
        assert target.read("/etc/mine") == b"x\n"
    for target, options in ((f"pid:{pid}", ["--deep"]), (f"docker:{box.name}", [])):
        envlock("capture", target, *options, "-o", f"{target.partition(':')[0]}.lock")
    lines = [
        [line for line in (envlock.folder / name).read_text().splitlines() if "content" in line]
        for name in ("pid.lock", "docker.lock")
    ]
    assert lines[0] == lines[1]
    assert len(lines[0]) == 1
