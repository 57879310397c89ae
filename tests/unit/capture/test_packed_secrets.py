"""A secret in an archive, a compressed file or a database keeps all of it out of lock and store."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from envlock.capture.files import packed_secrets
from envlock.capture.files.packed_secrets import packed_rule

ENV = b"A=1\nDB_PASSWORD=Zk3jfu39Gh28sL\n"
PLAIN = b"A=1\nDB_PASSWORD=changeme\nLOG=debug\n"


def tarred(content: bytes, name: str = "app/.env", mode: str = "w") -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as archive:  # type: ignore[call-overload]
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return held.getvalue()


def zipped(content: bytes, name: str = "app/.env") -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return held.getvalue()


def database(folder: Path, made: str, *rows: tuple[str, ...]) -> bytes:
    path = folder / "x.db"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.execute(made)
    for row in rows:
        connection.execute(f"INSERT INTO t VALUES ({','.join('?' * len(row))})", row)
    connection.commit()
    connection.close()
    return path.read_bytes()


def rule(path: str, content: bytes) -> str:
    return packed_rule(path, len(content), [content])


PACKERS: tuple[Callable[[bytes], bytes], ...] = (
    tarred,
    zipped,
    gzip.compress,
    bz2.compress,
    lzma.compress,
    zstandard.compress,
    lambda content: tarred(content, mode="w:gz"),
    lambda content: zipped(tarred(content), "inner.tar"),
)


@pytest.mark.parametrize("pack", PACKERS)
def test_a_secret_is_found_however_it_is_packed_in_a_file(pack: Callable[[bytes], bytes]) -> None:
    assert rule("/srv/env.backup", pack(ENV)) == "password-setting"
    assert rule("/srv/env.backup", pack(PLAIN)) == ""


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/usr/share/app/env.tar", tarred(ENV)),  # what a package ships
        ("/srv/app.whl", zipped(ENV)),  # an archive of software
        ("/srv/source.tar", tarred(ENV, "x/tests/.env")),
        ("/srv/cut.tar.gz", tarred(ENV, mode="w:gz")[:40]),
        ("/srv/env.txt", ENV),  # no archive: judged as it is
    ],
)
def test_what_is_not_opened_holds_none(path: str, content: bytes) -> None:
    assert rule(path, content) == ""


def test_cells_of_a_database(tmp_path: Path) -> None:
    for made, row in (
        ("CREATE TABLE t(id, name text, password text)", ("1", "bob", "Zk3jfu39Gh28sL")),
        ("CREATE TABLE t(k text, v text)", ("smtp_password", "Zk3jfu39Gh28sL")),
        ("CREATE TABLE t(note text)", ("ghp_" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA2bC4",)),
    ):
        assert rule("/srv/x.db", database(tmp_path, made, row))
    made = "CREATE TABLE t(id, name text, password_changed text, password text)"
    assert not rule("/srv/x.db", database(tmp_path, made, ("1", "bob", "2024-01-01", "")))


BINARY = (
    pickle.dumps({"user": "bob", "password": "{}"}),
    b"\x1a\0\0\0\x02password\0\x0f\0\0\0{}\0\0",  # BSON
    b"REDIS0009\xfe\0\0\x08password\x0e{}\xff",
    b"\x82\xa4user\xa3bob\xa8password\xae{}",  # MessagePack
    b"b0VIM 9.0\0\xff\0[db]\0password = {}\0",
    b"\x0a\x03bob\xff\x12\x0cclientSecret\x1a\x0e{}",  # protocol buffers
)


@pytest.mark.parametrize("form", BINARY, ids=range(len(BINARY)))
def test_binary_data_with_a_password(form: bytes) -> None:
    assert rule("/srv/x.data", form.replace(b"{}", b"Zk3jfu39Gh28sL")) == "password-setting"
    assert rule("/srv/x.data", form.replace(b"{}", b"changeme-later")) == ""
    assert rule("/srv/x.data", b"\x7fELF\2" + form.replace(b"{}", b"Zk3jfu39Gh28sL")) == ""


def test_a_packed_file_at_the_limit_is_opened_and_one_above_is_not() -> None:
    content = tarred(ENV)
    assert packed_rule("/srv/x.tar", packed_secrets.LARGEST, [content])
    assert not packed_rule("/srv/x.tar", packed_secrets.LARGEST + 1, [content])


def test_what_is_judged_and_how_deep_is_bounded() -> None:
    filler = b"\n" * packed_secrets.MOST_JUDGED
    assert rule("/srv/x.gz", gzip.compress(filler[: -len(ENV)] + ENV))
    assert not rule("/srv/x.gz", gzip.compress(filler + ENV))
    nested = ENV
    for _ in range(packed_secrets.DEEPEST):
        nested = gzip.compress(nested)
    assert rule("/srv/x", nested)
    assert not rule("/srv/x", gzip.compress(nested))
