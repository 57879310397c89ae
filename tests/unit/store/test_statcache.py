import hashlib
import os
import sqlite3
import time
from pathlib import Path

import pytest

from envlock.model.stat import Hashes, StatKey
from envlock.store.statcache import StatCache
from envlock.targets.base import HashCache

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
OLD = NOW - 3600 * SECOND
KEY = StatKey("/usr/bin/x", 1, 2, 3, OLD, OLD)
HASHES = Hashes("ab" * 32, "cd" * 16)


def at(moment: int):
    return lambda: moment


def open_cache(path: Path, root: str = "host", now: int = NOW) -> StatCache:
    return StatCache(path, root, clock=at(now))


def remember(path: Path, *keys: StatKey, hashes: Hashes = HASHES, root: str = "host") -> None:
    with open_cache(path, root) as cache:
        for key in keys:
            cache.put(key, hashes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "statcache.sqlite"


def test_it_is_a_hash_cache(path: Path) -> None:
    cache: HashCache = open_cache(path)
    assert cache.get(KEY) is None


@pytest.mark.parametrize(
    "hashes",
    [
        HASHES,
        Hashes("ab" * 32),
        Hashes("ab" * 32, sha1="ef" * 20),
        Hashes("ab" * 32, "cd" * 16, "ef" * 20),
    ],
)
def test_rows_are_read_back(path: Path, hashes: Hashes) -> None:
    odd = KEY._replace(path="/a\udcff\n\\x", ino=2**64 - 1, dev=2**63, mtime_ns=-5)
    remember(path, KEY, odd, hashes=hashes)
    cache = open_cache(path, now=NOW + SECOND)
    assert cache.get(KEY) == hashes
    assert cache.get(odd) == hashes


def test_a_row_is_known_at_once_within_the_scan(path: Path) -> None:
    cache = open_cache(path)
    cache.put(KEY, HASHES)
    assert cache.get(KEY) == HASHES


@pytest.mark.parametrize("field", StatKey._fields[1:])
def test_any_other_number_is_a_miss(path: Path, field: str) -> None:
    remember(path, KEY)
    cache = open_cache(path)
    assert cache.get(KEY._replace(**{field: getattr(KEY, field) - 1})) is None
    assert cache.get(KEY) == HASHES


def test_roots_are_separate(path: Path) -> None:
    remember(path, KEY, root="dir:/a")
    assert open_cache(path, "dir:/b").get(KEY) is None
    assert open_cache(path, "dir:/a\udcff").get(KEY) is None
    assert open_cache(path, "dir:/a").get(KEY) == HASHES


@pytest.mark.parametrize("field", ["mtime_ns", "ctime_ns"])
@pytest.mark.parametrize("age", [2 * SECOND, SECOND, 0, -SECOND, -3600 * SECOND])
def test_a_file_as_young_as_the_scan_is_not_cached(path: Path, field: str, age: int) -> None:
    young = KEY._replace(**{field: NOW - age})
    with open_cache(path) as cache:
        cache.put(young, HASHES)
        assert cache.get(young) is None
    assert open_cache(path, now=NOW + 7200 * SECOND).get(young) is None


def test_a_file_a_little_older_is_cached(path: Path) -> None:
    settled = KEY._replace(ctime_ns=NOW - 2 * SECOND - 1)
    remember(path, settled)
    assert open_cache(path).get(settled) == HASHES


def test_a_row_is_a_miss_when_the_clock_went_back(path: Path) -> None:
    remember(path, KEY)
    assert open_cache(path, now=OLD).get(KEY) is None


def test_a_real_change_with_restored_mtime_is_a_miss(tmp_path: Path, path: Path) -> None:
    file = tmp_path / "file"

    def key() -> StatKey:
        s = os.lstat(file)
        return StatKey(str(file), s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)

    file.write_bytes(b"one")
    os.utime(file, ns=(OLD, OLD))
    before = key()
    later = at(time.time_ns() + 10 * SECOND)
    with StatCache(path, "host", clock=later) as cache:
        cache.put(before, Hashes(hashlib.sha256(b"one").hexdigest()))
    file.write_bytes(b"two")
    os.utime(file, ns=(OLD, OLD))
    assert key().mtime_ns == before.mtime_ns
    cache = StatCache(path, "host", clock=later)
    assert cache.get(before) is not None
    assert cache.get(key()) is None


def test_a_newer_row_replaces_the_older(path: Path) -> None:
    remember(path, KEY)
    changed = KEY._replace(size=9)
    remember(path, changed, hashes=Hashes("00" * 32))
    cache = open_cache(path)
    assert cache.get(KEY) is None
    assert cache.get(changed) == Hashes("00" * 32)


def test_a_flipped_bit_is_a_miss(path: Path) -> None:
    remember(path, KEY)
    with sqlite3.connect(path) as database:
        (row,) = database.execute("SELECT row FROM entry").fetchone()
        for position in range(len(row)):
            flipped = bytearray(row)
            flipped[position] ^= 0x10
            database.execute("UPDATE entry SET row = ?", (bytes(flipped),))
            database.commit()
            assert open_cache(path).get(KEY) is None
    database.close()


def test_a_row_of_another_shape_is_a_miss(path: Path) -> None:
    for rubbish in (None, "text", 5, b"", b"\0" * 10):
        remember(path, KEY)
        database = sqlite3.connect(path)
        with database:
            database.execute("UPDATE entry SET row = ?", (rubbish,))
        database.close()
        assert open_cache(path).get(KEY) is None
        path.unlink()


@pytest.mark.parametrize(
    "rubbish", [b"not a database" * 1000, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_corrupt_file_is_rebuilt(path: Path, rubbish: bytes) -> None:
    path.write_bytes(rubbish)
    with open_cache(path) as cache:
        assert cache.get(KEY) is None
        cache.put(KEY, HASHES)
    assert open_cache(path).get(KEY) == HASHES


def test_a_file_damaged_in_the_middle_is_no_error(path: Path) -> None:
    keys = [KEY._replace(path=f"/{n:05}") for n in range(2000)]
    remember(path, *keys)
    raw = bytearray(path.read_bytes())
    raw[8192:20480] = b"\xa5" * 12288
    path.write_bytes(raw)
    with open_cache(path) as cache:
        assert all(cache.get(key) in (None, HASHES) for key in keys)
        cache.put(KEY, HASHES)
    remember(path, KEY)
    assert open_cache(path).get(KEY) == HASHES


def test_another_version_is_rebuilt(path: Path) -> None:
    remember(path, KEY)
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    assert open_cache(path).get(KEY) is None
    remember(path, KEY)
    assert open_cache(path).get(KEY) == HASHES


def test_a_locked_file_is_ignored(path: Path) -> None:
    remember(path, KEY)
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    with open_cache(path) as cache:
        assert cache.get(KEY) is None
        cache.put(KEY, Hashes("00" * 32))
    other.rollback()
    other.close()
    assert open_cache(path).get(KEY) == HASHES


def test_without_a_directory_there_is_no_cache(tmp_path: Path) -> None:
    with open_cache(tmp_path / "missing" / "x.sqlite") as cache:
        cache.put(KEY, HASHES)
        assert cache.get(KEY) == HASHES
    assert list(tmp_path.iterdir()) == []


def test_a_directory_in_its_place_is_no_error(path: Path) -> None:
    path.mkdir()
    with open_cache(path) as cache:
        cache.put(KEY, HASHES)


def test_closing_twice_writes_once(path: Path) -> None:
    cache = open_cache(path)
    cache.put(KEY, HASHES)
    cache.close()
    path.unlink()
    cache.close()
    assert not path.exists()


@pytest.mark.parametrize("time_ns", [2**63, 2**64, -(2**63) - 1])
def test_times_that_no_row_can_hold_are_a_miss(path: Path, time_ns: int) -> None:
    remember(path, KEY)
    odd = KEY._replace(mtime_ns=time_ns)
    cache = open_cache(path)
    cache.put(odd, HASHES)
    assert cache.get(odd) is None
    assert cache.get(KEY) == HASHES
    cache.close()
