"""The gate for content: what is secret leaves neither content nor digest, at any depth."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from envlock.capture.files.content_gate import REDACTED_LIMIT, WHOLE, ContentGate
from envlock.capture.request import Request
from envlock.capture.result import Capture
from envlock.lockfile.writer import render_lock
from envlock.model.depth import Depth
from envlock.model.tree import Entry, EntryType, FileClass, Row
from envlock.secrets.files import FileKind
from envlock.store.objects import Store
from envlock.store.refs import needs, read_ref, ref_files
from envlock.workflow import capture_target

WORD = "Kx7" + "qTz9Lm2W"
"""A password that no file has by chance."""


def entry(path: str, content: bytes, mode: int = 0o644) -> Entry:
    sha256 = hashlib.sha256(content).hexdigest()
    return Entry(path, EntryType.FILE, mode, size=len(content), sha256=sha256)


def gate(content: bytes, cache: object = None, seconds: float = 60) -> ContentGate:
    return ContentGate(lambda _entry: io.BytesIO(content), cache, seconds)


class Cache:
    """A stat cache that remembers which files were found clean and which are to be forgotten."""

    def __init__(self) -> None:
        self.clean: set[tuple[str, str, int]] = set()
        self.forgotten: list[str] = []

    def is_clean(self, *known: object) -> bool:
        return known in self.clean

    def mark_clean(self, *known: object) -> None:
        self.clean.add(known)

    def forget(self, path: str) -> None:
        self.forgotten.append(path)


def test_a_clean_file_is_judged_once():
    content, cache = b"level = 1\n", Cache()
    judge = gate(content, cache)
    assert judge.judge(entry("/etc/app.ini", content)).kind is FileKind.PUBLIC
    unreadable = ContentGate(lambda _entry: io.BytesIO(b"other"), cache, 60)
    assert unreadable.judge(entry("/etc/app.ini", content)).kind is FileKind.PUBLIC
    assert cache.forgotten == []


def test_a_redacted_file_keeps_everything_but_the_value():
    content, cache = f"user = app\npassword = {WORD}\n".encode(), Cache()
    judge = gate(content, cache)
    one = entry("/srv/app.ini", content)
    row = judge.settle(Row(one, FileClass.UNOWNED, "", f"blob {one.sha256}"), judge.judge(one))
    shown = b"user = app\npassword = ***\n"
    assert row.entry.sha256 == hashlib.sha256(shown).hexdigest()
    assert row.entry.size == len(shown)
    assert row.source == f"redacted {row.entry.sha256}"
    assert cache.forgotten == ["/srv/app.ini"]
    assert judge.left_out == {}


def test_a_secret_file_loses_digest_and_size():
    content, cache = WORD.encode(), Cache()
    judge = gate(content, cache)
    one = entry("/root/.pgpass", content, 0o600)
    row = judge.settle(Row(one, FileClass.UNOWNED, "", f"blob {one.sha256}"), judge.judge(one))
    assert (row.file_class, row.entry.sha256, row.entry.size) == (FileClass.SECRET, "", 0)
    assert judge.left_out == {"/root/.pgpass": "secret-name"}
    assert cache.forgotten == ["/root/.pgpass"]


@pytest.mark.parametrize("at", [0, WHOLE // 2, WHOLE + 100])
def test_a_secret_anywhere_in_a_large_text_is_found(at):
    line = b"# filler, and nothing else\n"
    content = bytearray(line * (2 * WHOLE // len(line)))
    setting = f"\ndb_password = {WORD}\n".encode()
    content[at : at + len(setting)] = setting
    judged = gate(bytes(content)).judge(entry("/srv/app.env", bytes(content)))
    assert judged.kind is FileKind.REDACTED
    assert judged.content == bytes(content).replace(WORD.encode(), b"***")
    assert judged.findings == (("password-setting", "db_password"),)


def test_a_text_that_is_too_large_to_be_redacted_is_all_secret():
    content = f"db_password = {WORD}\n".encode() + b"# filler\n" * (REDACTED_LIMIT // 9)
    assert gate(content).judge(entry("/srv/app.env", content)).kind is FileKind.SECRET


def test_a_large_file_without_one_is_public():
    content = b"# filler, and nothing else\n" * 100_000
    assert gate(content).judge(entry("/srv/data.txt", content)).kind is FileKind.PUBLIC


def test_a_file_that_changed_is_an_error():
    with pytest.raises(OSError, match="changed"):
        gate(b"other").judge(entry("/etc/app.ini", b"level = 1\n"))


def keep(root: Path, store: Path, depth: Depth = Depth.FULL) -> Capture:
    """Capture a directory, and keep what a rebuild needs."""
    with Store.open(store) as opened:
        request = Request(depth=depth)
        return capture_target(f"dir:{root}", request, opened, lambda *_: None, keep=True)


@pytest.mark.parametrize("depth", [Depth.CONFIG, Depth.FULL])
def test_neither_lock_nor_store_holds_a_secret(depth, tmp_path):
    root = tmp_path / "root"
    secrets = {
        "etc/ppp/chap-secrets": f"bob * {WORD} *\n",
        "etc/app.conf": f"user = app\npassword = {WORD}\nlevel = 3\n",
        "etc/restic/password": f"{WORD}\n",
        "etc/systemd/system/a.service": f"[Service]\nEnvironment=DB_PASSWORD={WORD}\n",
    }
    for path, text in secrets.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "etc/link").symlink_to(f"https://bob:{WORD}@example.org/x")
    taken = keep(root, tmp_path / "store", depth)
    lock = render_lock(taken.lock).decode()
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in [*secrets.values(), WORD]]
    for secret in (WORD, *digests):
        assert secret not in lock
    assert taken.lock.get("file", "/etc/app.conf")["redacted"] == "true"
    assert taken.left_out.keys() == {"/etc/ppp/chap-secrets", "/etc/restic/password"}
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    raw = b"".join(path.read_bytes() for path in files)
    assert WORD.encode() not in raw
    for digest in digests:
        assert bytes.fromhex(digest) not in raw, "in the stat cache or the snapshot"
        assert digest[2:].encode() not in raw
        assert not [path for path in files if path.name == digest[2:]]
    assert files


def test_other_settings_of_a_redacted_file_are_compared(captured, tmp_path):
    locks = []
    for level, word in (("1", WORD), ("1", WORD[::-1]), ("2", WORD)):
        root = tmp_path / f"root{len(locks)}"
        (root / "etc").mkdir(parents=True)
        (root / "etc/app.conf").write_text(f"password = {word}\nlevel = {level}\n")
        locks.append(captured(root).lock.get("file", "/etc/app.conf")["sha256"])
    assert locks[0] == locks[1] != locks[2]


def test_the_redacted_text_can_be_rebuilt(tmp_path):
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/app.conf").write_text(f"password = {WORD}\nlevel = 1\n")
    taken = keep(root, tmp_path / "store")
    (row,) = (row for row in taken.tree.rows if row.entry.path == "/etc/app.conf")
    with Store.open(tmp_path / "store") as store:
        assert store.read(row.entry.sha256) == b"password = ***\nlevel = 1\n"
        (ref,) = map(read_ref, ref_files(store))
        assert row.entry.sha256 in needs(store, ref).required
