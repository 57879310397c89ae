"""Data of services is in a lock as a whole or not at all, and never while its server runs."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from envlock.capture.engine import capture
from envlock.capture.files.classify import STATE_LIMIT
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.errors import StateInUseError
from envlock.lockfile.writer import render_lock
from envlock.materialize.tree.normalise import normalise
from envlock.materialize.tree.state_rules import state_rules
from envlock.model.state import state_of
from envlock.model.tree import FileClass
from envlock.store.objects import Store
from envlock.targets.kinds import open_target
from envlock.targets.remote.ssh_tar import SshTarTarget
from envlock.workflow import capture_target
from tests.unit.capture.changes import put, tick

MAIN = "/srv/pg/main"
POSTGRES = {
    "PG_VERSION": b"15\n",
    "global/pg_control": b"control",
    "base/1/2608": b"SCRAM-SHA-256$4096:salt$stored:server\n",
    "pg_hba.conf": b"local all all peer\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    put(root, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    put(root, "etc/group", b"root:x:0:\n")
    for path, content in POSTGRES.items():
        put(root, f"srv/pg/main/{path}", content)
    return root


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


def captured(root, store, *with_state, **options):
    request = Request(with_state=with_state, **options)
    return capture_target(f"dir:{root}", request, store, lambda *_: None, keep=True)


def rows(found):
    return {row.entry.path: row for row in found.tree.rows}


def image_paths(found, store):
    done = normalise(
        found.tree,
        epoch=0,
        read=lambda row: store.read(row.entry.sha256),
        user_rules=state_rules(found.lock),
    )
    return {row.entry.path for row in done.rows}


@pytest.mark.plants_secrets("a password verifier of a database, which the lock must not hold")
def test_unasked_a_database_is_left_out_as_a_whole_and_named(root, store):
    found = captured(root, store)
    (data,) = state_of(found.lock)
    assert data[:3] == (MAIN, "postgresql", "15")
    assert data.size == sum(map(len, POSTGRES.values()))
    assert not data.is_kept
    inside = rows(found)[f"{MAIN}/base/1/2608"]
    assert (inside.file_class, inside.entry.sha256, inside.source) == (
        FileClass.STATE,
        "",
        "observed",
    )
    assert rows(found)[f"{MAIN}/pg_hba.conf"].file_class is FileClass.UNOWNED
    assert rows(found)[MAIN].file_class is FileClass.UNOWNED
    held = [store.read(sha256) for sha256, _ in store.objects()]
    assert not any(b"SCRAM" in content for content in held)
    paths = image_paths(found, store)
    assert MAIN in paths
    assert not {path for path in paths if path.startswith(f"{MAIN}/")}


@pytest.mark.plants_secrets("a password verifier of a database, asked for with --with-state")
@pytest.mark.parametrize("asked", [MAIN, "/srv", f"{MAIN}/"])
def test_asked_for_it_is_kept_whole_and_unchanged(root, store, asked):
    put(root, "srv/pg/main/server.key", b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY----")
    put(root, "srv/pg/main/log/postgresql.log", b"started\n")
    found = captured(root, store, asked)
    assert [data.is_kept for data in state_of(found.lock)] == [True]
    for path, content in POSTGRES.items():
        row = rows(found)[f"{MAIN}/{path}"]
        assert store.read(row.entry.sha256) == content
    assert f"{MAIN}/server.key" in image_paths(found, store)
    assert f"{MAIN}/log/postgresql.log" in image_paths(found, store)


def test_no_size_tears_a_kept_folder(root, store):
    with (root / "srv/pg/main/base/1/large").open("wb") as stream:
        stream.truncate(STATE_LIMIT + 1)
    found = captured(root, store, MAIN)
    row = rows(found)[f"{MAIN}/base/1/large"]
    assert row.source == f"blob {row.entry.sha256}"
    assert f"{MAIN}/base/1/large" in image_paths(found, store)


def test_a_server_that_runs_is_refused(root, store):
    put(root, "srv/pg/main/postmaster.pid", b"1\n")
    with pytest.raises(StateInUseError, match="seems to run") as caught:
        captured(root, store, MAIN)
    assert f"remove {MAIN}/postmaster.pid" in caught.value.hint
    assert not state_of(captured(root, store).lock)[0].is_kept


class Running:
    """A target in which programs run."""

    def __init__(self, target, *names):
        self._target = target
        self._names = frozenset(names)

    def __getattr__(self, name):
        return getattr(self._target, name)

    def programs(self):
        return self._names


@pytest.mark.parametrize(
    ("programs", "is_refused"), [(("postgres",), True), (("nginx",), False), ((), False)]
)
def test_a_process_decides_where_it_can_be_seen(root, store, programs, is_refused):
    put(root, "srv/pg/main/postmaster.pid", b"1\n")
    target = Running(open_target(f"dir:{root}"), *programs)
    request = Request(with_state=(MAIN,))
    if is_refused:
        with pytest.raises(StateInUseError, match="the process postgres"):
            capture(target, collectors(), request, store=store)
    else:
        lock = capture(target, collectors(), request, store=store).lock
        assert state_of(lock)[0].is_kept


def test_a_machine_without_python_is_no_stored_image(root, store):
    put(root, "srv/pg/main/postmaster.pid", b"1\n")
    target = SshTarTarget("ssh:db1", ["sh", "-c"], io.BytesIO(), root=str(root))
    with pytest.raises(StateInUseError, match="seems to run"):
        capture(target, collectors(), Request(with_state=(MAIN,)), store=store)


def test_the_programs_of_a_machine_without_python_are_listed():
    target = SshTarTarget("ssh:db1", ["sh", "-c"], io.BytesIO())
    assert Path("/proc/self/comm").read_text().strip() in (target.programs() or ())


MAIL = "/var/spool/postfix/deferred"
TABLES = "/mnt/fast/PG_15_202209061"


def kept_data(root, store, path, *programs):
    """Capture data while programs run, or where it cannot be told; return whether it is kept."""
    target = open_target(f"dir:{root}")
    seen = Running(target, *programs) if programs else target
    request = Request(with_state=(path,))
    lock = capture(seen, collectors(), request, store=store).lock
    return {data.path: data.is_kept for data in state_of(lock)}[path]


def test_mail_of_a_running_server_is_refused(root, store):
    put(root, "var/spool/postfix/deferred/A/A1", b"mail")
    assert kept_data(root, store, MAIL)
    assert kept_data(root, store, MAIL, "nginx")
    with pytest.raises(StateInUseError, match="its mail server seems to run"):
        kept_data(root, store, MAIL, "master")
    put(root, "var/spool/postfix/pid/master.pid", b"1\n")
    with pytest.raises(StateInUseError, match=r"its file /var/spool/postfix/pid/master\.pid"):
        kept_data(root, store, MAIL)


def test_a_tablespace_of_a_running_server_is_refused(root, store):
    put(root, "mnt/fast/PG_15_202209061/5/1", b"rows")
    assert kept_data(root, store, TABLES)
    assert kept_data(root, store, TABLES, "postgres"), "the server of other data runs"
    put(root, "srv/pg/main/postmaster.pid", b"1\n")
    for programs in (("postgres",), ()):
        with pytest.raises(StateInUseError, match="would be torn"):
            kept_data(root, store, TABLES, *programs)
    shutil.rmtree(root / "srv/pg")
    with pytest.raises(StateInUseError, match="would be torn"):
        kept_data(root, store, TABLES, "postgres")


def test_a_part_that_lies_elsewhere_is_asked_for_too(root, store):
    put(root, "mnt/fast/PG_15_202209061/5/1", b"rows")
    (root / "srv/pg/main/pg_tblspc").mkdir()
    (root / "srv/pg/main/pg_tblspc/16400").symlink_to("/mnt/fast")
    with pytest.raises(StateInUseError, match="lies elsewhere") as caught:
        captured(root, store, MAIN)
    assert caught.value.hint == "add --with-state /mnt/fast"
    found = captured(root, store, MAIN, "/mnt/fast")
    assert {data.path: data.is_kept for data in state_of(found.lock)} == {
        "/mnt/fast/PG_15_202209061": True,
        MAIN: True,
    }


def test_a_file_that_cannot_be_read_tears_it(root, store):
    class Unreadable(Running):
        def open(self, path):
            if path == f"{MAIN}/base/1/2608":
                raise PermissionError(13, "permission denied", path)
            return self._target.open(path)

    target = Unreadable(open_target(f"dir:{root}"))
    with pytest.raises(StateInUseError, match="would be torn"):
        capture(target, collectors(), Request(with_state=(MAIN,)), store=store)


@pytest.mark.parametrize(
    ("files", "path", "engine"),
    [
        (("var/lib/mysql/aria_log_control", "var/lib/mysql/mysql/db.MAI"), "/var/lib/mysql",
         "mariadb"),
        (("srv/my/ibdata1", "srv/my/mysql.ibd"), "/srv/my", "mysql"),
        (("var/lib/redis/dump.rdb",), "/var/lib/redis", "redis"),
        (("var/lib/ldap/data.mdb", "var/lib/ldap/lock.mdb"), "/var/lib/ldap", "openldap"),
        (("var/lib/etcd/member/snap/db", "var/lib/etcd/member/wal/0.wal"), "/var/lib/etcd",
         "etcd"),
        (("data/db/WiredTiger", "data/db/storage.bson"), "/data/db", "mongodb"),
        (("srv/shop/shop.db", "srv/shop/shop.db-wal"), "/srv/shop/shop.db", "sqlite"),
        (("var/mail/alice",), "/var/mail", "mail"),
        (("var/spool/postfix/deferred/A/A1",), "/var/spool/postfix/deferred", "mail"),
    ],
)  # fmt: skip
def test_each_kind_is_known_by_what_its_program_makes(root, store, files, path, engine):
    for name in files:
        put(root, name, b"data")
    found = captured(root, store)
    assert (path, engine) in [data[:2] for data in state_of(found.lock)]
    assert not any(f"/{name}" in image_paths(found, store) for name in files)


@pytest.mark.parametrize(
    "files",
    [
        ("srv/app/PG_VERSION",),
        ("srv/shop/shop.db",),
        ("srv/shop/left-wal",),
        ("root/.cache/app/x.db", "root/.cache/app/x.db-wal"),
        ("var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite-wal"),
        ("tmp/dump.rdb",),
    ],
)
def test_what_only_looks_alike_is_no_data_of_a_service(root, store, files):
    shutil.rmtree(root / "srv/pg")
    for name in files:
        put(root, name, b"data")
    assert state_of(captured(root, store).lock) == ()


def test_one_large_file_takes_all_data_of_an_unknown_service_with_it(root, store):
    put(root, "var/lib/thing/index/small", b"small")
    put(root, "var/lib/thing/thing.conf", b"level=1\n")
    put(root, "var/lib/other/small", b"small")
    large = root / "var/lib/thing/large"
    with large.open("wb") as stream:
        stream.truncate(STATE_LIMIT)
    paths = image_paths(captured(root, store), store)
    assert {"/var/lib/thing/large", "/var/lib/thing/index/small"} <= paths
    with large.open("wb") as stream:
        stream.truncate(STATE_LIMIT + 1)
    found = captured(root, store)
    assert ("/var/lib/thing", "data") in [data[:2] for data in state_of(found.lock)]
    paths = image_paths(found, store)
    assert not {"/var/lib/thing/large", "/var/lib/thing/index/small"} & paths
    assert {"/var/lib/thing/thing.conf", "/var/lib/other/small"} <= paths
    assert "/var/lib/thing/large" in image_paths(captured(root, store, "/var/lib/thing"), store)


@pytest.mark.parametrize("path", ["run/app/large", "var/backups/large", "srv/app/.git/pack"])
def test_a_large_file_of_class_state_is_left_out_wherever_it_lies(root, store, path):
    put(root, path, b"")
    with (root / path).open("wb") as stream:
        stream.truncate(STATE_LIMIT + 1)
    found = captured(root, store)
    row = rows(found)[f"/{path}"]
    assert (row.file_class, row.source, row.entry.sha256) == (FileClass.STATE, "observed", "")
    assert any(data.covers(f"/{path}") for data in state_of(found.lock))


@pytest.mark.parametrize("with_state", [(), (MAIN,)])
@pytest.mark.parametrize("change", ["grow", "vanish", "marker", "beside"])
def test_an_incremental_capture_says_the_same(root, store, tmp_path, with_state, change):
    captured(root, store, *with_state)
    tick()
    if change == "grow":
        put(root, "srv/pg/main/base/1/2608", b"more than there was before, by some bytes\n")
    elif change == "vanish":
        (root / "srv/pg/main/base/1/2608").unlink()
    elif change == "marker":
        put(root, "srv/data/dump.rdb", b"keys")
    else:
        put(root, "srv/page", b"page")
    again = captured(root, store, *with_state)
    with Store.open(tmp_path / "other") as other:
        full = captured(root, other, *with_state)
    assert render_lock(again.lock) == render_lock(full.lock)
    assert again.is_incremental is (change != "marker")
