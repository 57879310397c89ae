"""An incremental capture gives the same bytes as a full one."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from envlock.capture.request import Request
from envlock.capture.setup import DEFAULT_TUNING, Tuning
from envlock.lockfile.writer import render_lock
from envlock.model.depth import Depth
from envlock.model.lock import tree_address
from envlock.store import blob_file
from envlock.store.objects import Store
from envlock.store.refs import needs, read_ref, ref_files
from envlock.workflow import capture_target
from tests.conftest import WITHOUT_RIGHTS
from tests.unit.capture.changes import FULL, INCREMENTAL, append, put, tick

FILES = {
    "usr/share/doc/tool/README": b"read me\n",
    "usr/share/doc/tool/copyright": b"free\n",
    "usr/bin/tool": b"#!/bin/sh\necho tool\n",
    "etc/tool.conf": b"level = 1\n",
    "etc/tool.d/more.conf": b"more = 1\n",
}
BESIDE = {
    "etc/hosts": b"127.0.0.1 localhost\n",
    "etc/os-release": b"ID=debian\nVERSION_ID=12\n",
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": b"root:x:0:\n",
    "etc/ssl/private/key.pem": b"-----BEGIN PRIVATE KEY-----\nabcd\n-----END PRIVATE KEY-----\n",
    "srv/app/page.html": b"<p>hello</p>\n",
    "srv/app/data/one.csv": b"1,2,3\n",
    "srv/app/data/two.csv": b"1,2,3\n",
    "var/log/syslog": b"started\n",
    "var/cache/tool/index": b"cached\n",
    "var/lib/tool/state.db": b"state\n",
    "root/.npmrc": b"//registry.example.org/:_authToken=npm_0123456789abcdef0123456789abcdef0123\n",
    "srv/web/node_modules/left-pad/package.json": b'{"name": "left-pad", "version": "1.3.0"}\n',
    "srv/web/node_modules/left-pad/index.js": b"module.exports = 1\n",
    "opt/venv/pyvenv.cfg": b"home = /usr/bin\nversion = 3.11.2\n",
    "opt/venv/lib/python3.11/site-packages/shop/__init__.py": b"one = 1\n",
    "opt/venv/lib/python3.11/site-packages/shop-1.0.dist-info/METADATA": (
        b"Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n"
    ),
    "opt/venv/lib/python3.11/site-packages/shop-1.0.dist-info/RECORD": (
        b"shop/__init__.py,sha256=HkdhEfZSg6lFe3KYy3vLO3OhJcAqkSIkpeAK9ppkYz4,8\n"
        b"shop-1.0.dist-info/METADATA,,\nshop-1.0.dist-info/RECORD,,\n"
    ),
}


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for path, content in {**FILES, **BESIDE}.items():
        put(root, path, content)
    (root / "usr/bin/tool").chmod(0o755)
    (root / "bin").symlink_to("usr/bin")
    (root / "srv/app/current").symlink_to("data")
    (root / "srv/app/linked.html").hardlink_to(root / "srv/app/page.html")
    (root / "srv/odd\udcffname\n").write_bytes(b"odd\n")
    (root / "tmp").mkdir(mode=0o1777)
    conffiles = ["etc/tool.conf", "etc/tool.d/more.conf"]
    status = (
        "Package: tool\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0\nConffiles:\n"
    )
    status += "".join(f" /{path} {md5(FILES[path])}\n" for path in conffiles)
    put(root, "var/lib/dpkg/status", status.encode())
    listed = ["/.", *sorted({f"/{p}" for p in FILES} | {f"/{Path(p).parent}" for p in FILES})]
    put(root, "var/lib/dpkg/info/tool.list", "".join(f"{p}\n" for p in listed).encode())
    sums = (f"{md5(c)}  {p}\n" for p, c in FILES.items() if p not in conffiles)
    put(root, "var/lib/dpkg/info/tool.md5sums", "".join(sums).encode())
    return root


def later() -> int:
    """A clock that is far ahead: every file is old enough for its times to be believed."""
    return time.time_ns() + 10**13


SETTLED = Tuning(clock=later)


class Taken(NamedTuple):
    """The lock, the tree object, what the store keeps for it, and the totals of a capture."""

    lock: bytes
    tree: bytes
    kept: object
    totals: tuple[int, int, dict[str, str]]


class Captures:
    """Captures of one root with one store; remembers whether the last one was incremental."""

    def __init__(self, root: Path, store: Path, tuning: Tuning = SETTLED) -> None:
        self.root = root
        self.store = store
        self.tuning = tuning
        self.was_incremental = False

    def take(self, depth: Depth = Depth.FULL, *, own=(), **request: object) -> Taken:
        wanted = Request(depth=depth, **request)
        reference = f"dir:{self.root}"
        with Store.open(self.store) as store:
            captured = capture_target(
                reference,
                wanted,
                store,
                lambda *_: None,
                keep=True,
                own=own,
                tuning=self.tuning,
            )
            self.was_incremental = captured.is_incremental
            address = tree_address(captured.lock)
            tree = store.read(address) if address else b""
            assert not address or captured.tree.to_bytes() == tree
            found = {ref.name: needs(store, ref) for ref in map(read_ref, ref_files(store))}
            kept = found.get(f"tree {address}")
            for sha256 in kept.required if kept else ():
                assert store.has(sha256)
            totals = captured.files, captured.size, dict(captured.left_out)
            return Taken(render_lock(captured.lock), tree, kept, totals)


@pytest.fixture
def captures(root: Path, tmp_path: Path) -> Captures:
    return Captures(root, tmp_path / "store")


def full(captures: Captures, depth: Depth = Depth.FULL, **more: object) -> Taken:
    """Return what a full capture gives, made with a fresh store."""
    store = captures.store.with_name("another store")
    found = Captures(captures.root, store).take(depth, **more)
    shutil.rmtree(store)
    return found


@pytest.mark.parametrize("name", [*INCREMENTAL, *FULL])
def test_an_incremental_capture_equals_a_full_one(name, root, captures):
    """And a change that may matter to other paths leads to a full capture."""
    captures.take()
    tick()
    {**INCREMENTAL, **FULL}[name](root)
    again = captures.take()
    assert captures.was_incremental is (name not in FULL)
    assert again == full(captures)


@pytest.mark.parametrize("depth", Depth)
@pytest.mark.parametrize("few", [0, 200])
@pytest.mark.parametrize("seed", range(4))
def test_any_changes_in_any_order(seed, few, depth, root, tmp_path):
    captures = Captures(root, tmp_path / "store", SETTLED._replace(few=few))
    chance = random.Random(seed)
    changes = [*INCREMENTAL.values(), *chance.sample([*FULL.values()], 3)]
    captures.take(depth)
    for _ in range(6):
        tick()
        for change in chance.sample(changes, 3):
            try:
                change(root)
            except OSError:  # the other changes took away what this one needs
                continue
        assert captures.take(depth) == full(captures, depth)


def test_many_changes_lead_to_a_full_capture(root, tmp_path):
    captures = Captures(root, tmp_path / "store", SETTLED._replace(many=3))
    captures.take()
    tick()
    for number in range(4):
        put(root, f"srv/app/data/{number}.csv", b"1\n")
    again = captures.take()
    assert not captures.was_incremental
    assert again == full(captures)


def test_files_that_changed_a_moment_ago_are_read_again(root, tmp_path):
    old = time.time() - 3600
    for folder, _, names in os.walk(root):
        for name in names:
            os.utime(Path(folder, name), (old, old), follow_symlinks=False)
    captures = Captures(root, tmp_path / "store", DEFAULT_TUNING)
    first = captures.take()
    raw = next((tmp_path / "store/cache").iterdir())
    key = raw.read_bytes()[len(blob_file._MAGIC) :][:64].decode()
    folder = blob_file.BlobFile.open(raw, key).value["signatures"]
    assert folder["/srv/app/data"] == b"", "changed a moment ago: its times prove nothing"
    assert captures.take() == first
    assert not captures.was_incremental, "the package database may have changed as well"


@pytest.mark.parametrize(
    "request_",
    [{"skip": frozenset({"npm"})}, {"ignore": ("/srv/app/**",)}, {"files": ("/srv/**",)}],
)
def test_another_request_needs_another_snapshot(request_, root, captures):
    captures.take()
    for name in ("one", "two"):
        tick()
        append(f"srv/app/data/{name}.csv")(root)
        assert captures.take(**request_) == full(captures, **request_)


def test_the_lock_that_is_written_is_excluded_from_this_capture_only(root, captures):
    lock = root / "srv/app/locks/dev.lock"
    lock.parent.mkdir()
    lock.write_text("a lock\n")
    captures.take(own=[lock])
    tick()
    lock.write_text("another lock\n")
    without = captures.take(own=[lock])
    assert captures.was_incremental
    complete = captures.take()
    assert captures.was_incremental
    assert b"/srv/app/locks/dev.lock" in complete.tree
    assert b"/srv/app/locks/dev.lock" not in without.tree
    assert complete == full(captures)
    assert without == full(captures, own=[lock])


@pytest.mark.parametrize("damage", ["cut", "header", "empty", "gone", "random"])
def test_a_damaged_snapshot_leads_to_a_full_capture(damage, captures):
    first = captures.take()
    (path,) = (captures.store / "cache").iterdir()
    raw = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(raw[: len(raw) // 2])
    elif damage == "header":
        raw[200] ^= 1
        path.write_bytes(raw)
    elif damage == "random":
        path.write_bytes(random.Random(1).randbytes(5000))
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
    assert captures.take()[:3] == first[:3]
    assert not captures.was_incremental


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_part_of_a_snapshot_is_not_believed(seed, root, captures):
    captures.take()
    (path,) = (captures.store / "cache").iterdir()
    raw = bytearray(path.read_bytes())
    _, length, _ = blob_file._START.unpack_from(raw, len(blob_file._MAGIC))
    start = blob_file._HEADER + length
    for at in range(start, len(raw), 7):
        raw[at] ^= 1 << seed
    path.write_bytes(raw)
    tick()
    for name in ("packaged file edited", "data replaced", "configuration edited", "log"):
        INCREMENTAL[name](root)
    assert captures.take() == full(captures)


def test_content_that_the_store_lost_is_kept_again(captures):
    first = captures.take()
    for reference in (captures.store / "refs").iterdir():
        reference.unlink()
    assert captures.take()[:3] == first[:3]
    assert not captures.was_incremental


CAPTURE = """
import sys, time
from pathlib import Path
from envlock.capture.request import Request
from envlock.capture.setup import Tuning
from envlock.lockfile.writer import render_lock
from envlock.store.objects import Store
from envlock.workflow import capture_target
reference, place = sys.argv[1:]
tuning = Tuning(clock=lambda: time.time_ns() + 10**13)
with Store.open(Path(place)) as store:
    taken = capture_target(
        reference, Request(), store, lambda *_: None, keep=True, tuning=tuning
    )
sys.stdout.write(f"{taken.is_incremental}\\n{render_lock(taken.lock).decode()}")
"""
"""A capture as another user: prints whether it was incremental, and the lock."""


def test_an_unreadable_folder_stays_a_gap(root, tmp_path):
    closed = root / "srv/app/data"
    closed.chmod(0)
    user: tuple[str, ...] = ()
    if os.geteuid() == 0:
        os.chown(closed, 65534, 65534)
        user = WITHOUT_RIGHTS

    def taken(store: str) -> tuple[str, str]:
        words = (f"dir:{root}", str(tmp_path / store))
        command = [*user, sys.executable, "-c", CAPTURE, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        how, _, lock = done.stdout.partition("\n")
        return how, lock

    try:
        how, first = taken("store")
        assert how == "False"
        assert "/srv/app/data: permission denied" in first
        tick()
        append("var/lib/tool/state.db")(root)
        how, again = taken("store")
        assert how == "True"
        assert again == taken("another store")[1] != first
    finally:
        closed.chmod(0o700)
