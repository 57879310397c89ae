"""The store on full and read-only disks, and with killed processes."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envlock.errors import StoreError
from envlock.store.check import check
from envlock.store.objects import Store
from envlock.store.refs import refs, set_ref
from tests.conftest import unavailable

WRITER = """
import sys
from pathlib import Path
from envlock.store.objects import Store
from envlock.store.refs import set_ref

number = int(sys.argv[2])
with Store.open(Path(sys.argv[1])) as store:
    while True:
        digests = [store.put(b"%d %d " % (number, n) * 5000) for n in range(150)]
        digests.append(store.put_packed(b"tree %d" % number * 1000))
        digests.append(store.put_stream(b"%d" % number * 100_000 for _ in range(20)))
        set_ref(store, f"ref{number % 3}", digests, lock=b"lock %d" % number)
        number += 1
        sys.stdout.write("x")
        sys.stdout.flush()
"""

LIMITED = """
import resource, sys
from pathlib import Path
from envlock.errors import StoreError
from envlock.store.objects import Store

with Store.open(Path(sys.argv[1])) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    for put in (store.put, lambda content: store.put_stream([content[:9], content[9:]])):
        for size in (500_000, 3_000_000):
            try:
                put(bytes(size))
            except StoreError as error:
                print(error.hint)
    store.put(b"small enough")
    store.commit()
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return the mount point of a disk of one megabyte, if this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(place)]
    if mount is None or subprocess.run(command, check=False, capture_output=True).returncode:
        unavailable("mounts", "a file system of its own cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_killed_at_any_time_the_store_is_sound(root: Path) -> None:
    for turn in range(12):
        command = [sys.executable, "-c", WRITER, str(root), str(turn * 1000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            # The writer is killed a little later each turn, in another part of its cycle.
            assert child.stdout is not None
            child.stdout.read(1)
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(turn * 0.004)
            child.send_signal(signal.SIGKILL)
        with Store.open(root, create=False) as store:
            assert check(store, read_data=True) == []
            assert os.listdir(root / "tmp") == []
            for ref in refs(store):
                assert store.read(ref.lock).startswith(b"lock ")


def test_too_large_a_file_leaves_nothing(root: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(root)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert output.count("free space") == 4
    with Store.open(root) as store:
        assert [store.read(sha256) for sha256, _ in store.objects()] == [b"small enough"]
        assert check(store, read_data=True) == []


def test_a_full_disk_is_reported_and_leaves_nothing(small_disk: Path) -> None:
    root = small_disk / "store"
    with Store.open(root) as store:
        kept = store.put(b"kept")
        set_ref(store, "dev", [kept])
        (small_disk / "other").write_bytes(bytes(300_000))
        for fill in (
            lambda: store.put(os.urandom(1_000_000)),
            lambda: store.put_stream(os.urandom(100_000) for _ in range(20)),
            lambda: store.put_packed(os.urandom(1_000_000)),
        ):
            with pytest.raises(StoreError, match="No space left") as caught:
                fill()
            assert "envlock store gc" in caught.value.hint
            assert [path for path in (root / "tmp").rglob("*") if path.is_file()] == []
        again = store.put(b"fits")
        set_ref(store, "dev", [kept, again])
        assert check(store, read_data=True) == []


def test_a_full_disk_keeps_the_old_reference(small_disk: Path) -> None:
    with Store.open(small_disk / "store") as store:
        set_ref(store, "dev", [store.put(b"old")])
        filler = small_disk / "filler"
        with pytest.raises(OSError), filler.open("wb", buffering=0) as stream:
            while True:
                stream.write(bytes(4096))
        with pytest.raises(StoreError, match="No space left"):
            set_ref(store, "dev", [hashlib.sha256(b"old").hexdigest()], lock=b"new lock" * 10_000)
        filler.unlink()
        assert [ref.lock for ref in refs(store)] == [""]
        assert check(store, read_data=True) == []


def test_a_read_only_disk_can_be_read_but_not_written(small_disk: Path) -> None:
    root = small_disk / "store"
    with Store.open(root) as store:
        sha256 = store.put(b"readable")
        store.commit()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with Store.open(root, create=False) as store:
        assert store.read(sha256) == b"readable"
        assert store.put(b"readable") == sha256
        with pytest.raises(StoreError, match="cannot be written") as caught:
            store.put(b"new")
        assert "store.path" in caught.value.hint
