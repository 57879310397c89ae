"""An incremental capture says the same of the data of services as a full one."""

from __future__ import annotations

from pathlib import Path

import pytest

from envlock.capture.files.classify import STATE_LIMIT
from envlock.capture.files.unknown_state import STATE_TOTAL
from envlock.capture.request import Request
from envlock.lockfile.writer import render_lock
from envlock.model.state import state_of
from envlock.model.tree import FileClass
from envlock.store.objects import Store
from envlock.workflow import capture_target
from tests.unit.capture.changes import put, tick


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    put(root, "etc/group", b"root:x:0:\n")
    return root


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


def captured(root, store):
    return capture_target(f"dir:{root}", Request(), store, lambda *_: None, keep=True)


def rows(found):
    return {row.entry.path: row for row in found.tree.rows}


def test_many_small_files_take_the_data_of_an_unknown_service_with_them(root, store):
    for at in range(STATE_TOTAL // STATE_LIMIT):
        put(root, f"var/lib/thing/{at}", b"")
        with (root / f"var/lib/thing/{at}").open("wb") as stream:
            stream.truncate(STATE_LIMIT)
    put(root, "var/lib/thing/thing.conf", b"level=1\n")
    put(root, "var/lib/thing/main/PG_VERSION", b"15\n")
    put(root, "var/lib/thing/main/global/pg_control", b"what is left out already")
    assert not [data for data in state_of(captured(root, store).lock) if data.engine == "data"]
    tick()
    put(root, "var/lib/thing/more", b"1")
    again = captured(root, store)
    assert ("/var/lib/thing", "data") in [data[:2] for data in state_of(again.lock)]
    assert rows(again)["/var/lib/thing/0"].source == "observed"
    assert rows(again)["/var/lib/thing/thing.conf"].file_class is FileClass.UNOWNED
    tick()
    (root / "var/lib/thing/more").unlink()
    assert not [data for data in state_of(captured(root, store).lock) if data.engine == "data"]


def replaced_by_file(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


CHANGES = {
    "a part that must be there appears": (
        {"srv/new/PG_VERSION": b"15\n"},
        lambda root: put(root, "srv/new/global/pg_control", b"control"),
    ),
    "a part that must be there vanishes": (
        {"srv/new/PG_VERSION": b"15\n", "srv/new/global/pg_control": b"control"},
        lambda root: (root / "srv/new/global/pg_control").unlink(),
    ),
    "a database appears beside its journal": (
        {"srv/shop/shop.db-wal": b"wal"},
        lambda root: put(root, "srv/shop/shop.db", b"database"),
    ),
    "a database vanishes": (
        {"srv/shop/shop.db-wal": b"wal", "srv/shop/shop.db": b"database"},
        lambda root: (root / "srv/shop/shop.db").unlink(),
    ),
    "a link becomes a database": (
        {"srv/shop/shop.db-wal": b"wal", "srv/shop/shop.db": None},
        lambda root: replaced_by_file(root / "srv/shop/shop.db", b"database"),
    ),
    "a link becomes a journal": (
        {"srv/shop/shop.db-wal": None, "srv/shop/shop.db": b"database"},
        lambda root: replaced_by_file(root / "srv/shop/shop.db-wal", b"wal"),
    ),
    "a link becomes a mailbox": (
        {"var/mail/alice": None},
        lambda root: replaced_by_file(root / "var/mail/alice", b"mail"),
    ),
    "another version": (
        {"srv/new/PG_VERSION": b"15\n", "srv/new/global/pg_control": b"control"},
        lambda root: put(root, "srv/new/PG_VERSION", b"16\n"),
    ),
    "a marker in a cache may be run": (
        {"root/.cache/app/dump.rdb": b"keys"},
        lambda root: (root / "root/.cache/app/dump.rdb").chmod(0o755),
    ),
    "a large file may be run": (
        {"var/lib/thing/large": bytes(STATE_LIMIT + 1), "var/lib/thing/small": b"1"},
        lambda root: (root / "var/lib/thing/large").chmod(0o755),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_makes_or_ends_data_is_not_missed(root, store, tmp_path, name):
    files, change = CHANGES[name]
    for path, content in files.items():
        if content is None:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).symlink_to("elsewhere")
        else:
            put(root, path, content)
    before = captured(root, store)
    tick()
    change(root)
    again = captured(root, store)
    with Store.open(tmp_path / "other") as other:
        full = captured(root, other)
    assert render_lock(again.lock) == render_lock(full.lock)
    assert render_lock(before.lock) != render_lock(full.lock)


def test_what_a_database_writes_needs_no_full_capture(root, store):
    put(root, "srv/shop/shop.db", b"database")
    put(root, "srv/shop/shop.db-wal", b"wal")
    put(root, "srv/keys/dump.rdb", b"keys")
    captured(root, store)
    tick()
    put(root, "srv/shop/shop.db", b"database of more rows")
    put(root, "srv/shop/shop.db-wal", b"")
    put(root, "srv/keys/dump.rdb", b"other keys")
    assert captured(root, store).is_incremental
