"""Settings of the kernel are those of the namespaces that a process is in."""

import os
import re
import subprocess
import sys
import time

import pytest

from envlock.targets.local.namespaces import kind_for
from envlock.targets.process import ProcessTarget
from tests.conftest import unavailable

FORWARD = "/proc/sys/net/ipv4/ip_forward"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (FORWARD, "net"),
        ("/proc/sys/kernel/shmmax", "ipc"),
        ("/proc/sys/user/max_user_namespaces", "user"),
        ("/proc/sys/vm/swappiness", ""),
    ],
)
def test_each_setting_belongs_to_a_kind_of_namespace(path, kind):
    assert kind_for(path) == kind


@pytest.mark.parametrize("value", ["0", "1"])
def test_the_network_is_that_of_the_process(value):
    script = f"echo {value} > {FORWARD} && echo ready && exec sleep 60"
    words = ["unshare", "--net", "sh", "-c", script]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        try:
            if not child.stdout.readline():
                unavailable("root", "no network namespace can be made here")
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:  # until the shell has become `sleep`
                target = ProcessTarget(child.pid)
                if "sleep" in target.process().exe:
                    break
            assert target.read(FORWARD).strip().decode() == value
            assert re.search("all|sys_admin", target.process().settings["capabilities"])
            target.close()
        finally:
            child.kill()


def test_the_locale_that_python_adds_is_no_variable_of_the_environment():
    code = "from envlock.targets.local.filesystem import host; print(host().process().environ)"
    environ = {"PATH": os.environ["PATH"], "LANG": "C", "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert "'LANG': 'C'" in done.stdout
    assert "LC_CTYPE" not in done.stdout
