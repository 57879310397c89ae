"""A capture that only makes anew what changed gives what a capture of everything gives."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envlock.capture.incremental import snapshot
from envlock.capture.request import Request
from envlock.capture.session import Run
from envlock.lockfile.writer import render_lock
from envlock.model.depth import Depth
from envlock.store import blob_file
from envlock.store.objects import Store
from envlock.store.refs import needs, read_ref, ref_files
from envlock.workflow import capture_target, tree_address
from tests.conftest import WITHOUT_RIGHTS

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


def put(root: Path, path: str, content: bytes) -> None:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


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


@pytest.fixture(autouse=True)
def everything_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe times at once; the tests wait for the clock of files to move on."""
    monkeypatch.setattr(snapshot, "RACY_NS", -(10**13))


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that grows with every capture of everything."""
    found: list[str] = []
    scan = Run.scan

    def counted(run, cache, **more):
        found.append(run.target.reference)
        scan(run, cache, **more)

    monkeypatch.setattr(Run, "scan", counted)
    return found


def take(root: Path, place: Path, depth: Depth = Depth.FULL, *, own=(), **request: object):
    """Return the lock, the tree object and what the store keeps for it."""
    with Store.open(place) as store:
        wanted = Request(depth=depth, **request)
        captured = capture_target(f"dir:{root}", wanted, store, lambda *_: None, keep=True, own=own)
        address = tree_address(captured.lock)
        tree = store.read(address) if address else b""
        assert not address or captured.tree.to_bytes() == tree
        found = {ref.name: needs(store, ref) for ref in map(read_ref, ref_files(store))}
        kept = found.get(f"tree {address}")
        for sha256 in kept.all if kept else ():
            assert store.has(sha256)
        totals = captured.files, captured.size, dict(captured.left_out)
        return render_lock(captured.lock), tree, kept, totals


def taken_anew(root: Path, tmp_path: Path, depth: Depth = Depth.FULL, **request: object):
    place = tmp_path / "another store"
    found = take(root, place, depth, **request)
    shutil.rmtree(place)
    return found


def append(path: str):
    def change(root: Path) -> None:
        with (root / path).open("ab") as file:
            file.write(b"more\n")

    return change


def write(path: str, content: bytes):
    return lambda root: put(root, path, content)


def unlink(path: str):
    return lambda root: (root / path).unlink()


def with_times(path: str, content: bytes):
    """Change content and put the times back, as tools do that want not to be noticed."""

    def change(root: Path) -> None:
        status = (root / path).stat()
        (root / path).write_bytes(content)
        os.utime(root / path, ns=(status.st_atime_ns, status.st_mtime_ns))

    return change


QUICK = {
    "nothing": lambda _root: None,
    "log": append("var/log/syslog"),
    "cache": write("var/cache/tool/other", b"cached\n"),
    "state": write("var/lib/tool/state.db", b"other\n"),
    "packaged file edited": append("usr/share/doc/tool/README"),
    "packaged file gone": unlink("usr/share/doc/tool/copyright"),
    "configuration edited": append("etc/tool.conf"),
    "configuration added": write("etc/tool.d/own.conf", b"own = 1\n"),
    "data added": write("srv/app/data/three.csv", b"4\n"),
    "data twice": write("srv/app/data/again.csv", b"1,2,3\n"),
    "data replaced": write("srv/app/data/two.csv", b"2\n"),
    "data gone": unlink("srv/app/data/one.csv"),
    "same size, same times": with_times("srv/app/data/one.csv", b"3,2,1\n"),
    "secret added": write("srv/app/.netrc", b"machine example.org login me password s3cr3t9x\n"),
    "secret edited": append("etc/ssl/private/key.pem"),
    "mode": lambda root: (root / "etc/tool.d/more.conf").chmod(0o600),
    "folder's mode": lambda root: (root / "srv/app/data").chmod(0o700),
    "folder added": write("srv/new/deep/er/file", b"deep\n"),
    "empty folder": lambda root: (root / "srv/empty").mkdir(),
    "folder gone": lambda root: shutil.rmtree(root / "var/cache/tool"),
    "renamed": lambda root: (root / "srv/app/data").rename(root / "srv/app/moved"),
    "link added": lambda root: (root / "srv/link").symlink_to("app"),
    "link elsewhere": lambda root: relink(root / "srv/app/current", "moved"),
    "file is a folder now": lambda root: as_folder(root / "srv/app/data/one.csv"),
    "fifo": lambda root: os.mkfifo(root / "srv/fifo"),
    "odd name": lambda root: (root / "srv/tab\tname").write_bytes(b"tab\n"),
    "odd name gone": lambda root: (root / "srv/odd\udcffname\n").unlink(),
    "root's mode": lambda root: root.chmod(0o750),
}
ANEW = {
    "package": append("var/lib/dpkg/info/tool.list"),
    "another package": write("var/lib/dpkg/info/other.list", b"/usr/share/other\n"),
    "distribution": write(
        "opt/venv/lib/python3.11/site-packages/cart-2.dist-info/METADATA",
        b"Metadata-Version: 2.1\nName: cart\nVersion: 2\n",
    ),
    "module": append("opt/venv/lib/python3.11/site-packages/shop/__init__.py"),
    "node package": write("srv/web/node_modules/is-odd/package.json", b'{"name": "is-odd"}'),
    "in a node package": append("srv/web/node_modules/left-pad/index.js"),
    "program": lambda root: (put(root, "opt/go", b"\x7fELF"), (root / "opt/go").chmod(0o755)),
    "library": write("usr/local/lib/libx.so.1", b"\x7fELF"),
    "hard link": lambda root: (root / "srv/third.html").hardlink_to(root / "srv/app/page.html"),
    "hard linked file": append("srv/app/page.html"),
    "conffile gone": unlink("etc/tool.d/more.conf"),
    "link to packages": lambda root: (root / "var/lib/rpm").symlink_to("/usr/lib/sysimage/rpm"),
}


def relink(link: Path, target: str) -> None:
    link.unlink()
    link.symlink_to(target)


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_bytes(b"inside\n")


def tick() -> None:
    """Wait until the kernel gives files another time."""
    time.sleep(0.02)


@pytest.mark.parametrize("name", [*QUICK, *ANEW])
def test_what_stands_for_itself_is_made_anew_alone(name, root, tmp_path, scans):
    """And what may matter elsewhere makes everything anew."""
    take(root, tmp_path / "store")
    tick()
    {**QUICK, **ANEW}[name](root)
    scans.clear()
    again = take(root, tmp_path / "store")
    assert bool(scans) is (name in ANEW)
    assert again == taken_anew(root, tmp_path)


@pytest.mark.parametrize("depth", Depth)
@pytest.mark.parametrize("few", [0, 200])
@pytest.mark.parametrize("seed", range(4))
def test_any_changes_in_any_order(seed, few, depth, root, tmp_path, monkeypatch):
    monkeypatch.setattr("envlock.capture.incremental.recapture._FEW", few)
    chance = random.Random(seed)
    changes = [*QUICK.values(), *chance.sample([*ANEW.values()], 3)]
    take(root, tmp_path / "store", depth)
    for _ in range(6):
        tick()
        for change in chance.sample(changes, 3):
            try:
                change(root)
            except OSError:  # the other changes took away what this one needs
                continue
        again = take(root, tmp_path / "store", depth)
        assert again == taken_anew(root, tmp_path, depth)


def test_what_is_too_young_is_looked_at_again(root, tmp_path, monkeypatch, scans):
    old = time.time() - 3600
    for folder, _, names in os.walk(root):
        for name in names:
            os.utime(Path(folder, name), (old, old), follow_symlinks=False)
    monkeypatch.setattr(snapshot, "RACY_NS", 2 * 10**9)
    first = take(root, tmp_path / "store")
    raw = next((tmp_path / "store/cache").iterdir())
    key = raw.read_bytes()[len(blob_file._MAGIC) :][:64].decode()
    folder = blob_file.BlobFile.open(raw, key).value["signatures"]
    assert folder["/srv/app/data"] == b"", "changed a moment ago: its times may not tell"
    scans.clear()
    assert take(root, tmp_path / "store") == first
    assert scans, "the package database may have changed as well"


@pytest.mark.parametrize(
    "request_",
    [{"skip": frozenset({"npm"})}, {"ignore": ("/srv/app/**",)}, {"files": ("/srv/**",)}],
)
def test_another_request_is_another_capture(request_, root, tmp_path):
    take(root, tmp_path / "store")
    tick()
    append("srv/app/data/one.csv")(root)
    found = take(root, tmp_path / "store", **request_)
    assert found == taken_anew(root, tmp_path, **request_)
    tick()
    append("srv/app/data/two.csv")(root)
    found = take(root, tmp_path / "store", **request_)
    assert found == taken_anew(root, tmp_path, **request_)


def test_the_lock_that_is_written_is_left_out_of_this_capture_alone(root, tmp_path, scans):
    lock = root / "srv/app/locks/dev.lock"
    lock.parent.mkdir()
    lock.write_text("a lock\n")
    take(root, tmp_path / "store", own=[lock])
    tick()
    lock.write_text("another lock\n")
    scans.clear()
    left_out = take(root, tmp_path / "store", own=[lock])
    told = take(root, tmp_path / "store")
    assert not scans
    assert b"/srv/app/locks/dev.lock" in told[1]
    assert b"/srv/app/locks/dev.lock" not in left_out[1]
    assert told == taken_anew(root, tmp_path)
    assert left_out == taken_anew(root, tmp_path, own=[lock])


@pytest.mark.parametrize("damage", ["cut", "header", "empty", "gone", "random"])
def test_a_damaged_memory_is_none(damage, root, tmp_path, scans):
    first = take(root, tmp_path / "store")
    (path,) = (tmp_path / "store/cache").iterdir()
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
    scans.clear()
    assert take(root, tmp_path / "store")[:3] == first[:3]
    assert scans


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_part_is_not_believed(seed, root, tmp_path):
    take(root, tmp_path / "store")
    (path,) = (tmp_path / "store/cache").iterdir()
    raw = bytearray(path.read_bytes())
    _, length, _ = blob_file._START.unpack_from(raw, len(blob_file._MAGIC))
    start = blob_file._HEADER + length
    for at in range(start, len(raw), 7):
        raw[at] ^= 1 << seed
    path.write_bytes(raw)
    tick()
    for name in ("packaged file edited", "data replaced", "configuration edited", "log"):
        QUICK[name](root)
    assert take(root, tmp_path / "store") == taken_anew(root, tmp_path)


def test_what_the_store_no_longer_has_is_kept_again(root, tmp_path, scans):
    first = take(root, tmp_path / "store")
    for reference in (tmp_path / "store/refs").iterdir():
        reference.unlink()
    scans.clear()
    assert take(root, tmp_path / "store")[:3] == first[:3]
    assert scans


AGAIN = """
import sys
from envlock.capture.incremental import snapshot
from envlock.capture.session import Run
from envlock.cli.main import run
snapshot.RACY_NS = -(10**13)
if sys.argv.pop(1) == "quick":
    Run.scan = None
sys.exit(run(sys.argv[1:]))
"""
"""The command line, believing times at once; when ``quick``, a capture of everything fails."""


def test_an_unreadable_folder_stays_a_gap(root, tmp_path):
    closed = root / "srv/app/data"
    closed.chmod(0)
    user: tuple[str, ...] = ()
    if os.geteuid() == 0:
        os.chown(closed, 65534, 65534)
        user = WITHOUT_RIGHTS

    def taken(how: str, store: str) -> str:
        words = ["capture", f"dir:{root}", "-q", "-o", "-", "--store", str(tmp_path / store)]
        command = [*user, sys.executable, "-c", AGAIN, how, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        first = taken("any", "store")
        assert "/srv/app/data: permission denied" in first
        tick()
        append("var/lib/tool/state.db")(root)
        again = taken("quick", "store")
        assert again == taken("any", "another store") != first
    finally:
        closed.chmod(0o700)
