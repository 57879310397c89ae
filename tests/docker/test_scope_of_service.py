"""The closure of a real service: it holds what its processes have mapped, and a diff is of it."""

from __future__ import annotations

import importlib
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from envlock.lockfile.reader import read_lock
from envlock.model.scope import roles_of
from tests.conftest import Cli

pytestmark = pytest.mark.docker

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
WEB = ("--root", "web=exe:/usr/sbin/nginx")
LANGUAGE = "--env=LANG=POSIX"
PLANTS = {
    "/usr/local/lib/libz.so.1": "cp /usr/lib/x86_64-linux-gnu/libz.so.1 /usr/local/lib/; ldconfig",
    "LANG": LANGUAGE,
    "nginx.conf": "echo '# slower' >> /etc/nginx/nginx.conf",
    "nginx:": "sed -i '/^Package: nginx$/,/^$/s/^Version: .*/Version: 9.9-1/' /var/lib/dpkg/status",
}


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("scope_running"), importlib.import_module("scope_judge")


def test_a_closure_holds_what_the_service_has_mapped(
    scripts, envlock: Cli, run_container, debian_image: str, debian_root: Path
) -> None:
    running, judge = scripts
    container = run_container(debian_image, command=("nginx", "-g", "daemon off;"))
    envlock("capture", f"docker:{container.name}", "-o", "web.lock", *WEB)
    show = ["docker", "inspect", "--format", "{{.State.Pid}}", container.name]
    pid = int(subprocess.run(show, check=True, capture_output=True).stdout)
    mapped = running.mapped_libraries(pid, debian_root)
    assert "/usr/sbin/nginx" in mapped
    owners = running.Owners(debian_root)
    roles = roles_of(read_lock(envlock.folder / "web.lock")).values()
    found = judge.recall({path: owners.owner(path) for path in mapped}, roles)
    assert found.missing == ()
    assert found.libraries > 5


def test_two_containers_of_one_service_differ_by_what_is_planted(
    envlock: Cli, run_container, debian_image: str
) -> None:
    clean, same, broken = (
        run_container(debian_image, "--env=LANG=C.UTF-8", *options)
        for options in ((), (), (LANGUAGE,))
    )
    for script in PLANTS.values():
        if script != LANGUAGE:
            broken.sh(script)
    same.sh("touch /usr/bin/unrelated; sed -i '/^Package: cron$/,/^$/d' /var/lib/dpkg/status")
    for name, container in (("clean", clean), ("same", same), ("broken", broken)):
        envlock("capture", f"docker:{container.name}", "-o", f"{name}.lock", *WEB)
    equal = envlock("diff", "clean.lock", "same.lock", "--json").json
    assert equal["changes"]
    assert not [change["key"] for change in equal["changes"] if change["scope"]]
    lines = envlock("diff", "clean.lock", "broken.lock", status=1).out.splitlines()[:45]
    for sign in PLANTS:
        assert any(sign in line for line in lines), (sign, lines)
