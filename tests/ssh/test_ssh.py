"""Another machine over ssh: a real sshd, a real client, and containers as machines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from envlock.errors import TargetError, TargetNameError
from envlock.targets.base import Capability, ScanPlan
from envlock.targets.kinds import open_target
from envlock.targets.ssh_client import destination
from tests.conftest import TAKING_INTERRUPTS
from tests.ssh.conftest import inside

pytestmark = pytest.mark.ssh

CHANGES = """
echo 'worker_processes 3;' >> /etc/nginx/nginx.conf
printf 'odd' > "/etc/a 'b\\" \\$(touch x); name"
printf '\\303\\050' > "$(printf '/srv/\\351t\\351')"
mkdir -p /opt/app && printf 'print(1)\\n' > /opt/app/main.py && ln /opt/app/main.py /opt/app/again
python3 -m venv --without-pip /opt/venv
useradd --system --uid 499 worker
rm /etc/logrotate.d/nginx
printf '#\\n' >> /usr/bin/ldd
ln -s ../main.py /opt/app/link
"""
CHANGED_PATHS = (
    r"find / -xdev \( -path /proc -o -path /sys -o -path /dev \) -prune"
    " -o -newer /opt/app/link -print | sort"
)
"""Prints the paths written since, but none of the kernel's file systems, which always change."""
SESSION_SECTIONS = {"env", "process", "scope"}
"""What follows from how a container is started, which a session in it does not know."""


def locks(envlock, folder: Path, *targets: str) -> list[dict]:
    found = []
    for number, (target, *options) in enumerate(map(str.split, targets)):
        path = folder / f"{number}.lock"
        envlock("capture", target, *options, "-o", path)
        found.append(tomllib.loads(path.read_text()))
    return found


def common(lock: dict) -> dict:
    """Return the sections that both targets of one container have."""
    left_out = {*SESSION_SECTIONS, "host", "coverage", "lock-version"}
    found = {name: value for name, value in lock.items() if name not in left_out}
    found["tree"] = {k: v for k, v in found["tree"].items() if k == "content"}
    return found


def test_a_container_has_the_same_lock_over_ssh_and_from_its_engine(
    sshd, run_container, debian_image, envlock, tmp_path
):
    box = run_container(debian_image)
    box.sh(CHANGES)
    before = box.sh(CHANGED_PATHS)
    sshd(inside(box.name))
    over_ssh, over_engine = locks(envlock, tmp_path, "ssh:box --deep", f"docker:{box.name}")
    assert common(over_ssh) == common(over_engine)
    assert over_ssh["file"]["/etc/nginx/nginx.conf"]["class"] == "conffile-modified"
    assert over_ssh["file"]["/usr/bin/ldd"]["class"] == "package-modified"
    assert over_ssh["coverage"]["file"] == {"status": "ok"}
    assert over_ssh["coverage"]["env"] == {"status": "ok"}
    assert over_ssh["host"]["kernel"]["release"] == os.uname().release
    assert box.sh(CHANGED_PATHS) == before


def test_without_python_tar_finds_the_same(sshd, run_container, debian_image, envlock, tmp_path):
    box = run_container(debian_image)
    box.sh(CHANGES)
    box.sh("mkdir /few && for t in sh tar cat ls head env; do ln -s $(command -v $t) /few/; done")
    sshd(inside(box.name, path="/few"))
    target = open_target("ssh:box")
    assert Capability.KERNEL not in target.capabilities
    target.close()
    over_ssh, over_engine = locks(envlock, tmp_path, "ssh:box --deep", f"docker:{box.name}")
    assert common(over_ssh) == common(over_engine)
    assert over_ssh["coverage"]["host.kernel"] == {"status": "unsupported"}
    assert "PATH" in over_ssh["env"]
    assert "SSH_CONNECTION" not in over_ssh["env"]


@pytest.mark.parametrize("path", ["/usr/sbin:/usr/bin:/sbin:/bin", "/few"], ids=["python", "tar"])
def test_unreadable_files_of_an_ordinary_user_are_gaps(
    sshd, run_container, debian_image, envlock, tmp_path, path
):
    box = run_container(debian_image)
    box.sh("mkdir /few && for t in sh tar cat ls head env; do ln -s $(command -v $t) /few/; done")
    box.sh(
        "echo x > /etc/closed; chmod 4600 /etc/closed; mkdir -m 700 /etc/shut; echo y > /etc/shut/z"
    )
    sshd(inside(box.name, "-S", "1234", "-G", "1234", path=path))
    (lock,) = locks(envlock, tmp_path, "ssh:box")
    coverage = lock["coverage"]["file"]
    assert coverage["status"] == "partial"
    assert coverage["reason"].endswith(": permission denied")
    record = lock["file"]["/etc/closed"]
    assert record == {"class": "unowned", "mode": "4600", "owner": "0:0"}
    assert "/etc/shut/z" not in lock["file"]
    assert not [path for path, f in lock["file"].items() if f["class"] == "conffile-missing"]
    assert any(name.startswith("nginx-common") for name in lock["deb"])


def test_this_machine_has_the_same_lock_over_ssh(sshd, envlock, tmp_path):
    sshd()
    sections = "--only user --only host.kernel --only os --only deb"
    over_ssh, here = locks(envlock, tmp_path, f"ssh:box {sections}", f"host {sections}")
    assert over_ssh == here


@pytest.mark.parametrize(
    ("operand", "status", "words"),
    [
        ("ssh:nobody-there", 4, "hostname"),
        ("ssh:box:1", 4, "refused"),
        ("ssh:-oProxyCommand=touch$IFS/x", 2, "names no machine"),
        ("ssh:a b", 2, "names no machine"),
        ("ssh:", 2, "names no environment"),
    ],
)
def test_a_machine_that_cannot_be_reached_is_an_error_with_a_hint(
    sshd, envlock, operand, status, words
):
    sshd()
    ran = envlock("capture", operand, "-o", "-", status=status)
    assert words in ran.err
    assert "hint: " in ran.err


def test_a_machine_with_another_host_key_is_refused(sshd, envlock):
    server = sshd()
    known = server.folder / "known"
    known.write_text(
        known.read_text().split(" ")[0] + " " + (server.folder / "user.pub").read_text()
    )
    assert "key" in envlock("capture", "ssh:box", "-o", "-", status=4).err


def test_a_machine_without_python_and_tar_is_an_error(sshd, envlock, tmp_path):
    (tmp_path / "few").mkdir()
    (tmp_path / "few/sh").symlink_to("/bin/sh")
    sshd(f'env -i PATH={tmp_path}/few sh -c "$SSH_ORIGINAL_COMMAND"')
    assert "neither python3 nor tar" in envlock("capture", "ssh:box", "-o", "-", status=4).err


def test_output_of_the_login_shell_is_ignored(sshd, envlock):
    sshd('echo Welcome; echo more; sh -c "$SSH_ORIGINAL_COMMAND"')
    envlock("capture", "ssh:box", "--only", "user", "-o", "-")


def test_a_lost_connection_is_an_error(sshd):
    server = sshd()
    target = open_target("ssh:box")
    target.preload(["/etc/passwd"])
    for pid in children_of(server.process.pid):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(TargetError):
        list(target.scan(ScanPlan()))
    target.close()
    wait_until_gone(server)


def test_an_interrupt_leaves_no_process_on_the_machine(sshd, envlock):
    server = sshd()
    process = subprocess.Popen(
        [
            *TAKING_INTERRUPTS,
            sys.executable,
            "-m",
            "envlock",
            "capture",
            "ssh:box",
            "--deep",
            "-o",
            "-",
        ],
        cwd=envlock.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    for _ in range(1200):
        if any(is_remote_program(pid) for pid in session_processes(server)):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode == 130
    wait_until_gone(server)


def is_remote_program(pid: int) -> bool:
    try:
        return b"exec(compile(code" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"-c")[-1]
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in listed.split()]


def session_processes(server) -> list[int]:
    found, todo = [], children_of(server.process.pid)
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children_of(pid)
    return found


def wait_until_gone(server) -> None:
    for _ in range(2400):
        if not session_processes(server):
            return
        time.sleep(0.05)
    pytest.fail("a process of the session is still running")


@pytest.mark.parametrize(
    "operand", ["-x", "a@-x", "-a@x", "h:0", "h:65536", "h:p", "a@b@c", "h$(x)", "h\n", "[::1", ""]
)
def test_malformed_destinations_raise(operand):
    with pytest.raises(TargetNameError):
        destination(operand)


def test_destinations():
    assert destination("u.x@h-1.example.org") == ["--", "u.x@h-1.example.org"]
    assert destination("[fe80::1%eth0]:22") == ["-p", "22", "--", "fe80::1%eth0"]
