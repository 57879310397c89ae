"""Files of an image that name what it does not have are told, with what makes that anew."""

from __future__ import annotations

import hashlib

import pytest

from envlock.materialize.tree.lost_files import SETTINGS_LIMIT, lost_files
from envlock.materialize.tree.normalise import normalise
from envlock.model.state import StateData
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree

SNAKEOIL = "/etc/ssl/private/ssl-cert-snakeoil.key"
PG = StateData("/var/lib/postgresql/15/main", "postgresql", "15", 9)
REDIS = StateData("/var/lib/redis", "redis", "", 9)


def directory(path):
    return Row(Entry(path, EntryType.DIRECTORY, 0o755), FileClass.PACKAGE)


def file(path, content, kind=FileClass.UNOWNED):
    sha256 = hashlib.sha256(content).hexdigest()
    entry = Entry(path, EntryType.FILE, 0o644, size=len(content), sha256=sha256)
    return Row(entry, kind, "", f"blob {sha256}")


def lost(*rows, data=()):
    contents = {}
    made = [file(SNAKEOIL, b"k", FileClass.IDENTITY), file("/etc/mailname", b"h",
            FileClass.IDENTITY), file("/etc/app/own.key", b"k", FileClass.SECRET)]  # fmt: skip
    for each in rows:
        if not isinstance(each, Row):
            path, content, *kind = each
            made.append(file(path, content, *kind))
            contents[path] = content
    made += [row for row in rows if isinstance(row, Row) and row.entry.type is EntryType.SYMLINK]
    folders = {
        row.entry.path[:at] for row in made for at, c in enumerate(row.entry.path) if c == "/"
    }
    made += map(directory, folders - {""})
    tree = Tree.of(row._replace(source="observed") if "key" in row.entry.path else row
                   for row in made)  # fmt: skip
    done = normalise(tree, epoch=0, read=lambda row: contents[row.entry.path])
    return [
        tuple(each) for each in lost_files(done, data, lambda row: contents.get(row.entry.path))
    ]


@pytest.mark.parametrize(
    ("content", "name", "cure"),
    [
        (b"ssl_key_file = '/etc/ssl/private/ssl-cert-snakeoil.key'\n", SNAKEOIL, "make-ssl-cert"),
        (b"myorigin = /etc/mailname\n", "/etc/mailname", "hostname --fqdn"),
        (b"key=/etc/app/own.key;\n", "/etc/app/own.key", "-v FILE:PATH:ro"),
        (b"store=file:/etc/app/own.key\n", "/etc/app/own.key", "-v FILE:PATH:ro"),
    ],
)
def test_a_setting_that_names_a_missing_file_is_told(content, name, cure):
    ((path, names, says),) = lost(("/etc/app.conf", content))
    assert (path, names) == ("/etc/app.conf", name)
    assert cure in says


@pytest.mark.parametrize(
    "content",
    [
        b"# ssl_key_file = /etc/ssl/private/ssl-cert-snakeoil.key\n",
        b"/etc/ssl/private/ssl-cert-snakeoil.key.old\n",
        b"/etc/ssl/private/\n",
        b"\0/etc/ssl/private/ssl-cert-snakeoil.key\n",
    ],
)
def test_comments_longer_names_and_binaries_are_not_told(content):
    assert lost(("/etc/app.conf", content)) == []


def test_a_link_to_a_missing_file_is_told():
    entry = Entry(
        "/etc/app/server.key",
        EntryType.SYMLINK,
        0o777,
        target="../ssl/private/ssl-cert-snakeoil.key",
    )
    assert [each[:2] for each in lost(Row(entry, FileClass.UNOWNED))] == [
        ("/etc/app/server.key", SNAKEOIL)
    ]


def test_a_missing_database_is_told_unless_its_server_starts_without_one():
    content = b"data_directory = '/var/lib/postgresql/15/main'\ndir /var/lib/redis\n"
    ((path, names, cure),) = lost(("/etc/pg.conf", content), data=(PG, REDIS))
    assert (path, names) == ("/etc/pg.conf", PG.path)
    assert "initdb" in cure


def test_what_no_program_reads_yet_is_not_told_unless_it_is_linked():
    unused = ("/etc/web/sites-available/ssl", f"key {SNAKEOIL};\n".encode(), FileClass.CONFFILE)
    assert lost(unused) == []
    entry = Entry(
        "/etc/web/sites-enabled/ssl", EntryType.SYMLINK, 0o777, target="../sites-available/ssl"
    )
    linked = Row(entry, FileClass.UNOWNED)
    assert [each[1] for each in lost(unused, linked)] == [SNAKEOIL]
    assert lost((*unused[:2], FileClass.CONFFILE_MODIFIED)) != []


def test_a_file_of_settings_of_the_largest_size():
    content = f"key {SNAKEOIL}\n".encode().ljust(SETTINGS_LIMIT, b"x")
    assert lost(("/etc/app.conf", content)) != []
    assert lost(("/etc/app.conf", content + b"x")) == []


def test_what_is_no_text_is_not_read():
    rows = (file("/srv/app/logo.png", b"/etc/mailname"), file("/srv/app/logo", b"/etc/mailname"))
    done = normalise(
        Tree.of([file("/etc/mailname", b"h", FileClass.IDENTITY), *map(directory, ("/etc", "/srv",
                "/srv/app")), *rows]), epoch=0, read=lambda row: b"",
    )  # fmt: skip
    asked = []
    found = lost_files(done, (), lambda row: asked.append(row.entry.path) or b"/etc/mailname")
    assert [each.path for each in found] == ["/srv/app/logo"]
    assert asked == ["/srv/app/logo"]
