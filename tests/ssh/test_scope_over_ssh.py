"""The closure of an application on another machine costs a few round trips, not one per file."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.model.depth import Depth
from envlock.model.scope import Root
from envlock.scope.engine import READS
from envlock.store.objects import Store
from envlock.targets.base import Target
from envlock.targets.kinds import open_target
from envlock.targets.remote.remote import RemoteTarget
from envlock.workflow import with_scope
from tests.ssh.conftest import inside

pytestmark = pytest.mark.ssh

APPLICATION = """
python3 -m venv --without-pip /opt/venv
cp /bin/true /opt/tool
cp "$(find /usr/lib -name 'libz.so.1.*' | head -n 1)" /usr/local/lib/libz.so.1
"""
ROOTS = {"app": "python:/opt/venv", "tool": "exe:/opt/tool", "web": "exe:/usr/sbin/nginx"}
MOST_ROUND_TRIPS = 80


def scope_of(target: Target, folder: Path) -> tuple[dict[str, dict[str, str]], int]:
    """Return the section ``scope`` of a target, and how many requests it took."""
    roots = {name: Root.parse(text) for name, text in ROOTS.items()}
    request = Request(depth=Depth.CONFIG, roots=roots)
    with closing(target), closing(Store.open(folder)) as store:
        captured = capture(target, collectors(), request, store=store, read_later=READS)
        before = target.conversation.sent if isinstance(target, RemoteTarget) else 0
        lock = with_scope(captured, request)[0].lock
        after = target.conversation.sent if isinstance(target, RemoteTarget) else 0
    records = lock.sections["scope"]
    return {
        key: dict(facts)
        for key, facts in records.items()
        if not key.partition("/")[2].startswith(("host.", "env:", "process:"))
    }, after - before


def test_a_closure_is_the_same_over_ssh_and_takes_few_round_trips(
    sshd, run_container, debian_image, tmp_path
):
    box = run_container(debian_image)
    box.sh(APPLICATION)
    sshd(inside(box.name))
    over_ssh, round_trips = scope_of(open_target("ssh:box"), tmp_path / "store")
    root = tmp_path / "root"
    root.mkdir()
    export = f"docker export {box.name} | tar -x --exclude=proc --exclude=sys -C {root}"
    subprocess.run(["bash", "-o", "pipefail", "-c", export], check=True)
    from_files, _ = scope_of(open_target(f"dir:{root}"), tmp_path / "other")
    assert over_ssh == from_files
    linked = [key for key, facts in over_ssh.items() if facts.get("class") == "linked"]
    assert {key.partition("/")[0] for key in linked} == set(ROOTS)
    assert len(linked) > 20
    assert 0 < round_trips <= MOST_ROUND_TRIPS
