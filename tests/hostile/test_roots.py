"""Roots whose package databases and file names someone made to break a capture.

Every content stands in every database at once, and each name in every folder that is listed:
the capture ends in time, and what it writes can be read, shown and compared again.
"""

from __future__ import annotations

import gzip
import os
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hostile.conftest import Attacked

DATABASES = (
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d/app",
    "var/lib/dpkg/diversions",
    "var/lib/dpkg/statoverride",
    "var/lib/dpkg/arch",
    "var/lib/dpkg/info/app.list",
    "var/lib/dpkg/info/app.md5sums",
    "var/lib/dpkg/info/app.conffiles",
    "var/lib/dpkg/alternatives/editor",
    "var/lib/apt/extended_states",
    "lib/apk/db/installed",
    "etc/apk/world",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/Packages",
    "var/lib/dnf/history.sqlite",
    "var/lib/pacman/local/app-1-1/desc",
    "var/lib/pacman/local/app-1-1/files",
    "var/lib/pacman/local/app-1-1/mtree",
    "opt/conda/conda-meta/app-1-0.json",
    "opt/conda/conda-meta/history",
    "usr/lib/python3/dist-packages/app-1.dist-info/METADATA",
    "usr/lib/python3/dist-packages/app-1.dist-info/RECORD",
    "usr/lib/python3/dist-packages/app-1.dist-info/direct_url.json",
    "usr/lib/python3/dist-packages/app.egg-link",
    "usr/lib/opkg/status",
    "usr/lib/node_modules/app/package.json",
    "srv/app/package-lock.json",
    "srv/app/vendor/composer/installed.json",
    "var/lib/gems/3.1.0/specifications/app-1.gemspec",
)

STANZA = "Package: app\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"
APK = "P:app\nV:1\nA:x86_64\nF:usr/bin\nR:app\n"
PACMAN = "%NAME%\napp\n\n%VERSION%\n1-1\n\n%FILES%\nusr/bin/app\n"


def _ndb() -> bytes:
    """Return a database of rpm (ndb) whose slots point beyond its end and at each other."""
    head = struct.pack("<4sIIII", b"RpmP", 0, 1, 2, 3)
    slots = b"".join(struct.pack("<4sIII", b"Slot", n, 2**32 - n, 2**31) for n in range(1, 200))
    return head.ljust(32, b"\0") + slots


def _bdb() -> bytes:
    """Return a database of rpm (Berkeley DB) whose pages are their own followers."""
    page = bytearray(4096)
    struct.pack_into("<III", page, 8, 0, 0x00061561, 9)
    struct.pack_into("<I", page, 20, 4096)
    other = bytearray(4096)
    struct.pack_into("<IIIHH", other, 8, 1, 1, 1, 65_535, 65_535)
    other[25] = 13
    return bytes(page + other * 3)


CONTENTS: dict[str, bytes | Callable[[str], bytes]] = {
    "empty": b"",
    "one line feed": b"\n",
    "noise": bytes(range(256)) * 64,
    "zeros": bytes(70_000),
    "high bytes": b"\xff" * 5000,
    "a long line": b"x" * 300_000,
    "many lines": b"a\n" * 2_000,
    "many blank lines": b"\n" * 5_000,
    "many stanzas": (STANZA.encode() + b"\n") * 2_000,
    "one field repeated": b"Package: app\n" + b"Version: 1\n" * 5_000,
    "a field without end": b"Package: app\nDepends: " + b"a (>= 1), " * 6_000,
    "a folded field": b"Package: app\nDescription: x\n" + b" y\n" * 10_000,
    "controls": "\n".join(
        f"{key}: a\x1b[31m\u202eb\x07\u200bc"
        for key in ("Package", "Version", "Status", "Architecture", "Name")
    ).encode(),
    "newlines as carriage returns": STANZA.replace("\n", "\r").encode(),
    "paths out of the root": b"/../../etc/shadow\n../../x,,\n/../x,sha256=a,1\nF:../..\nR:x\n",
    "a path that is too long": b"/" + b"a/" * 10_000 + b"\n",
    "numbers without end": b"S:" + b"9" * 20_000 + b"\n%SIZE%\n" + b"9" * 20_000 + b"\n",
    "deep JSON": b"[" * 10_000,
    "deep objects": b'{"a":' * 5_000,
    "wide JSON": b'{"files": [' + b'"a",' * 20_000 + b'"a"]}',
    "large numbers in JSON": b'{"name": "app", "version": 1e999999, "size": '
    + b"9" * 10_000
    + b"}",
    "lone surrogates": b'{"name": "\\ud800", "version": "\\udfff", "files": ["\\ud800"]}',
    "JSON of other types": b'{"name": [], "version": {}, "files": 7, "packages": [null, 1, "x"]}',
    "null": b"null",
    "a name of an option": b"Package: --force\nVersion: -x\nStatus: install ok installed\n"
    b"Architecture: $(id)\n\nP:--force\nV:;id\n",
    "a gzip bomb": gzip.compress(bytes(16 << 20), 9),
    "a gzip that is cut": gzip.compress(b"#mtree\n" * 5000)[:100],
    "ndb": _ndb(),
    "bdb": _bdb(),
    "SQLite that is cut": b"SQLite format 3\0" + bytes(84),
    "apk": (APK + "\n").encode() * 2_000,
    "apk without a name": b"V:1\n\nF:a\nR:b\nZ:Q1\n\nP:\nV:\n",
    "pacman": PACMAN.encode() * 300,
    "pacman of fields alone": b"%NAME%\n%NAME%\n%FILES%\n" * 2_000,
    "requirements": b"Name: app\nVersion: 1\n" + b"Requires-Dist: a[b]>=1; x\n" * 2_000,
    "a row of commas": b"," * 30_000,
    "quotes without end": b'"' * 10_001,
}


@pytest.mark.parametrize("content", CONTENTS)
def test_a_hostile_content_of_every_package_database(attacked: Attacked, content: str) -> None:
    raw = CONTENTS[content]
    assert isinstance(raw, bytes)
    root = attacked.folder / "root"
    for path in DATABASES:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(raw)
    _goes_round(attacked, root)


def test_tables_of_rpm_that_are_something_else(attacked: Attacked) -> None:
    root = attacked.folder / "root"
    path = root / "var/lib/rpm/rpmdb.sqlite"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob TEXT)")
        for value in ("text", b"\x8e\xad\xe8\x01" + b"\xff" * 200, None, 1e300, b""):
            database.execute("INSERT INTO Packages (blob) VALUES (?)", (value,))
        database.execute("CREATE VIEW Name AS SELECT * FROM Name2")
    database.close()
    _goes_round(attacked, root)


NAMES: dict[str, bytes] = {
    "a line feed": b"a\nb",
    "only a line feed": b"\n",
    "a carriage return": b"a\rb",
    "an escape": b"\x1b[2J\x1b]0;x\x07",
    "all controls": bytes(range(1, 32)).replace(b"/", b""),
    "a change of direction": "a\u202egnp.exe".encode(),
    "no width": "a\u200b\u2060\ufeffb".encode(),
    "a line separator": "a\u2028b\u2029c\x85".encode(),
    "255 bytes": b"n" * 255,
    "255 bytes of four": "\U0001f600".encode() * 63,
    "no UTF-8": b"\xff\xfe\x80",
    "half of a letter": "é".encode()[:1],
    "an encoded surrogate": b"\xed\xa0\x80",
    "an option": b"--output=x",
    "one dash": b"-",
    "two dashes": b"--",
    "spaces": b"   ",
    "three dots": b"...",
    "a backslash": b"a\\nb\\",
    "quotes": b"a'b\"c`d",
    "a command": b"$(touch x);`id`|&",
    "a glob": b"[a-z]*?{b,c}",
    "a header of the lock": b'["files"]',
    "a tilde": b"~root",
    "percent signs": b"%s%n%00%2e%2e",
    "a NUL in words": b"\\0\\x00",
    "a URL": b"https:x",
    "markup": b"<script>alert(1)<",
    "a command of a workflow": b"::error::x",
    "a hash": b"#",
}
FOLDERS = (
    "etc",
    "etc/cron.d",
    "etc/systemd/system",
    "usr/bin",
    "usr/local/bin",
    "usr/lib/python3/dist-packages",
    "var/lib/dpkg/info",
    "var/lib/pacman/local",
    "opt/conda/conda-meta",
    "srv/app/node_modules",
    "home",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_in_every_folder(attacked: Attacked, name: str) -> None:
    root = attacked.folder / "root"
    for number, folder in enumerate(FOLDERS):
        where = os.fsencode(root / folder)
        os.makedirs(where, exist_ok=True)
        path = os.path.join(where, NAMES[name])
        if number % 3 == 0:
            os.mkdir(path)
            Path(os.fsdecode(path), "x.conf").write_bytes(b"a = 1\n")
        elif number % 3 == 1:
            Path(os.fsdecode(path)).write_bytes(b"#!/bin/sh\nexit 0\n")
            os.chmod(path, 0o755)
        else:
            os.symlink(NAMES[name], path)
    _goes_round(attacked, root)


def _goes_round(attacked: Attacked, root: Path) -> None:
    """Capture a root, read and show the lock, and compare it with that of an emptier root."""
    captured = attacked("capture", f"dir:{root}", "-o", "a.lock", "--store", "store")
    captured.is_sound()
    assert captured.status == 0, captured.err
    _shows_no_control(captured.out + captured.err)
    for arguments in (("show", "a.lock"), ("check", "a.lock"), ("digest", "a.lock")):
        outcome = attacked(*arguments)
        outcome.is_sound()
        _shows_no_control(outcome.out + outcome.err)
    (attacked.folder / "other/etc").mkdir(parents=True)
    attacked("capture", "dir:other", "-o", "b.lock", "--store", "store").is_sound()
    for form in ("text", "html"):
        outcome = attacked("diff", "a.lock", "b.lock", "--all", "--format", form)
        outcome.is_sound()
        _shows_no_control(outcome.out + outcome.err)
    assert attacked("diff", "a.lock", "a.lock").status == 0


def _shows_no_control(text: str) -> None:
    allowed = {"\n", "\t", "\r"}
    shown = {c for c in text if (c < " " and c not in allowed) or c in "\x7f\x85\u202e\u200b\u2028"}
    assert not shown, ascii(shown)
