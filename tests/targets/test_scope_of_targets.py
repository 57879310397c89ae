"""The same scope of the same files, whatever kind of target they are in."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.capture.setup import Tuning, silent
from envlock.model.depth import Depth
from envlock.model.scope import Root
from envlock.scope.engine import READS
from envlock.store.objects import Store
from envlock.targets.base import Target
from envlock.targets.kinds import open_target
from envlock.targets.stream.oci import OciTarget
from envlock.targets.stream.tar_reader import Member
from envlock.workflow import capture_target, with_scope
from tests.targets.conftest import layout_of, remote_target, tar_of
from tests.unit.formats.elf_files import linked_elf

LOADER = "/lib64/ld-linux-x86-64.so.2"
PACKAGES = "/srv/.venv/lib/python3.11/site-packages"
RECORD = "x/_x.so,,\nx-1.dist-info/METADATA,,\n"
ROOTS = {
    "app": Root.parse("python:/srv/.venv"),
    "tool": Root.parse("exe:/usr/local/bin/tool"),
}
FILES = {
    LOADER: linked_elf(soname="ld-linux-x86-64.so.2"),
    "/usr/bin/python3.11": linked_elf("liba.so.1", interpreter=LOADER, rpath="/opt/lib"),
    "/opt/lib/liba.so.1": linked_elf("libb.so.1", soname="liba.so.1"),
    "/opt/lib/libb.so.1": linked_elf("libgone.so.1", soname="libb.so.1"),
    "/opt/lib/libc.so.9": linked_elf(soname="libc.so.9"),
    "/usr/local/bin/tool": b"#!/bin/sh\nexec /usr/local/bin/worker\n",
    "/usr/local/bin/worker": b"#!/usr/bin/env python3.11\n",
    "/bin/sh": linked_elf(interpreter=LOADER),
    "/usr/bin/env": linked_elf(interpreter=LOADER),
    "/srv/.venv/pyvenv.cfg": b"home = /usr/bin\nversion = 3.11.2\n",
    f"{PACKAGES}/x/_x.so": linked_elf("libc.so.9"),
    f"{PACKAGES}/x-1.dist-info/METADATA": b"Name: x\nVersion: 1\n",
    f"{PACKAGES}/x-1.dist-info/RECORD": RECORD.encode(),
    "/etc/os-release": b'ID=debian\nVERSION_ID="12"\n',
}


@pytest.fixture
def top(tmp_path: Path) -> Path:
    for path, content in FILES.items():
        where = tmp_path / "root" / path[1:]
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(content)
        where.chmod(0o755 if "/bin/" in path else 0o644)
    (tmp_path / "root/srv/.venv/bin").mkdir()
    (tmp_path / "root/srv/.venv/bin/python").symlink_to("/usr/bin/python3.11")
    (tmp_path / "root/var/log").mkdir(parents=True)
    os.link(tmp_path / "root/opt/lib/libb.so.1", tmp_path / "root/opt/lib/a-second-name")
    return tmp_path / "root"


def scope_of(target: Target, store: Path, depth: Depth = Depth.FULL) -> dict[str, dict[str, str]]:
    with closing(target), Store.open(store) as opened:
        request = Request(roots=ROOTS, depth=depth)
        captured = capture(target, collectors(), request, store=opened, read_later=READS)
        scope = with_scope(captured, request)[0].lock.sections["scope"]
    return {key: dict(facts) for key, facts in scope.items()}


class ReadOnce(OciTarget):
    """An image of which nothing can be fetched again."""

    def _fetch(self, path: str) -> Iterator[Member]:
        raise AssertionError(f"{path} is fetched again")


def test_an_image_has_the_scope_of_its_files_and_is_read_once(top: Path, tmp_path: Path) -> None:
    scope = scope_of(open_target(f"dir:{top}"), tmp_path / "store")
    assert {
        "app/file:/opt/lib/liba.so.1",
        "app/file:/opt/lib/libb.so.1",
        "app/file:/opt/lib/libc.so.9",
        "app/missing-library:libgone.so.1",
        "tool/file:/usr/bin/env",
        "tool/file:/opt/lib/libb.so.1",
    } <= scope.keys()
    layout = layout_of(tmp_path / "layout", [tar_of(top)], config={})
    assert scope_of(ReadOnce.connect(str(layout)), tmp_path / "store") == scope


def test_another_machine_has_the_scope_of_its_files_with_digests(top: Path, tmp_path: Path) -> None:
    """Over a pipe, where files are asked for many at once, and hashed at the other end."""
    here = scope_of(open_target(f"dir:{top}"), tmp_path / "store", Depth.CONFIG)
    there = scope_of(remote_target("python", top), tmp_path / "other", Depth.CONFIG)
    files = {key for key in here if ":/" in key or "missing-library" in key}
    assert {key: there.get(key) for key in files} == {key: here[key] for key in files}
    expected = hashlib.sha256(FILES["/opt/lib/liba.so.1"]).hexdigest()
    assert there["app/file:/opt/lib/liba.so.1"]["sha256"] == expected


def test_another_capture_gives_the_same_lock(top: Path, tmp_path: Path) -> None:
    """A later capture reads only what changed, and knows no digest of the rest by itself."""
    request = Request(roots=ROOTS)
    later = Tuning(clock=lambda: time.time_ns() + 10**13)
    locks, ways = [], []
    with Store.open(tmp_path / "store") as store:
        for changed in ("var/log/syslog", "var/log/other"):
            captured = capture_target(f"dir:{top}", request, store, silent, keep=True, tuning=later)
            locks.append(captured.lock.sections["scope"])
            ways.append(captured.is_incremental)
            (top / changed).write_text("x\n")
    assert ways == [False, True]
    assert locks[0] == locks[1]
    libraries = [facts for key, facts in locks[0].items() if "file:/opt/lib/lib" in key]
    assert len(libraries) > 2
    assert all(len(facts["sha256"]) == 64 for facts in libraries)


def test_a_capture_of_settings_has_the_digests_of_libraries(top: Path, tmp_path: Path) -> None:
    request = Request(roots=ROOTS, depth=Depth.CONFIG)
    with Store.open(tmp_path / "store") as store:
        scope = capture_target(f"dir:{top}", request, store, silent).lock.sections["scope"]
    expected = hashlib.sha256(FILES["/opt/lib/liba.so.1"]).hexdigest()
    assert scope["app/file:/opt/lib/liba.so.1"]["sha256"] == expected
    assert "sha256" not in scope["app/missing-library:libgone.so.1"]


def test_a_recording_has_the_scope_as_it_was_found(top: Path, tmp_path: Path) -> None:
    request = Request(roots=ROOTS)
    with Store.open(tmp_path / "store") as store:
        with (tmp_path / "recording.tar").open("wb") as stream:
            captured = capture_target(f"dir:{top}", request, store, silent, recording=stream)
        reference = f"recorded:{tmp_path / 'recording.tar'}"
        replayed = capture_target(reference, Request(), store, silent)
    assert replayed.lock.sections["scope"] == captured.lock.sections["scope"]
    assert replayed.lock.coverage["scope"] == captured.lock.coverage["scope"]
    assert "app/file:/opt/lib/liba.so.1" in replayed.lock.sections["scope"]
