"""The tar writer against GNU tar and Python's tarfile."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile

import pytest

from envlock.errors import MaterializeError
from envlock.materialize.image.tar import emit, header, is_archive_of
from envlock.model.tree import Entry, EntryType, FileClass, Row

LONG = "/" + "d" * 90 + "/" + "f" * 90
VERY_LONG = "/" + "/".join(["p" * 80] * 5)
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")


class Held:
    """Contents from a mapping; anything else is an error."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents

    def chunks(self, row: Row) -> list[bytes]:
        content = self.contents[row.entry.path]
        return [content[:3], content[3:]]


CONTENTS = {"/a/hello": b"hello\n", LONG: b"x" * 512, VERY_LONG: b"y" * 513, "/a/n\udce4me\n": b"z"}
ENTRIES = (
    Entry("/a", EntryType.DIRECTORY, 0o1777, 0, 0, 1_700_000_000),
    Entry("/a/block", EntryType.BLOCK, 0o660, 0, 6, 1, device=(8, 17)),
    Entry("/a/char", EntryType.CHAR, 0o666, 0, 0, 1, device=(1, 3)),
    Entry("/a/empty", EntryType.FILE, 0o600, 1, 2, 0),
    Entry("/a/fifo", EntryType.FIFO, 0o644, 0, 0, 1),
    Entry(
        "/a/hello", EntryType.FILE, 0o4755, 1000, 1000, 5, 6, xattrs=(("user.b", b"\xff\x00\n"),)
    ),
    Entry("/a/huge-id", EntryType.FILE, 0o644, 3_000_000_000, 2**31, 5),
    Entry("/a/link", EntryType.SYMLINK, 0o777, 0, 0, 5, target="../" + "t" * 120),
    Entry("/a/n\udce4me\n", EntryType.FILE, 0o644, 0, 0, 5, 1),
    Entry("/a/old", EntryType.FILE, 0o644, 0, 0, -86_400),
    Entry(
        "/a/ping",
        EntryType.HARDLINK,
        0o4755,
        target="/a/hello",
        xattrs=(("security.capability", CAPABILITY),),
    ),
    Entry(LONG, EntryType.FILE, 0o644, 0, 0, 5, 512),
    Entry(VERY_LONG, EntryType.FILE, 0o644, 0, 0, 5, 513),
)
ROWS = tuple(Row(entry, FileClass.UNOWNED) for entry in ENTRIES)


def archive(rows=ROWS, contents=CONTENTS) -> bytes:
    return b"".join(emit(rows, Held(contents)))


def test_tarfile_reads_every_field_back():
    with tarfile.open(fileobj=io.BytesIO(archive()), encoding="utf-8") as tar:
        members = {member.name: member for member in tar}
        contents = {
            f"/{name}": tar.extractfile(member).read()
            for name, member in members.items()
            if member.isreg() and member.size
        }
    assert contents == CONTENTS
    assert list(members) == [entry.path[1:] for entry in ENTRIES]
    for entry in ENTRIES:
        member = members[entry.path[1:]]
        assert (member.mode, member.uid, member.gid, member.mtime) == (
            entry.mode,
            entry.uid,
            entry.gid,
            entry.mtime,
        )
        assert (member.uname, member.gname) == ("", "")
    assert members["a/link"].linkname == "../" + "t" * 120
    assert members["a/ping"].linkname == "a/hello"
    assert members["a/block"].isblk()
    assert (members["a/block"].devmajor, members["a/block"].devminor) == (8, 17)
    assert members["a/char"].ischr()
    assert members["a/fifo"].isfifo()
    xattr = members["a/hello"].pax_headers["SCHILY.xattr.user.b"]
    assert xattr.encode("utf-8", "surrogateescape") == b"\xff\x00\n"
    repeated = members["a/ping"].pax_headers["SCHILY.xattr.security.capability"]
    assert repeated.encode("utf-8", "surrogateescape") == CAPABILITY


def test_gnu_tar_lists_the_same():
    listing = subprocess.run(
        [
            "tar",
            "--list",
            "--verbose",
            "--numeric-owner",
            "--utc",
            "--full-time",
            "--quoting-style=escape",
            "--file=-",
        ],
        input=archive(),
        capture_output=True,
        check=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    assert listing.stderr == b""
    lines = [line.split(maxsplit=5) for line in listing.stdout.decode().splitlines()]
    assert [line[0][0] for line in lines] == list("dbc-p--l--h--")
    assert lines[0][:2] == ["drwxrwxrwt", "0/0"]
    assert lines[1][2] == "8,17"
    assert lines[5] == ["-rwsr-xr-x", "1000/1000", "6", "1970-01-01", "00:00:05", "a/hello"]
    assert lines[6][1] == "3000000000/2147483648"
    assert lines[8][5] == "a/n\\344me\\n"
    assert lines[9][3:5] == ["1969-12-31", "00:00:00"]
    assert lines[10][5] == "a/ping link to a/hello"
    assert [line[5] for line in lines[11:]] == [LONG[1:], VERY_LONG[1:]]


def test_extended_headers_only_where_needed():
    plain = header(Entry("/bin/sh", EntryType.FILE, 0o755, size=8**11 - 1, uid=8**7 - 1))
    assert len(plain) == 512
    assert len(header(Entry(LONG, EntryType.FILE))) == 512
    assert len(header(Entry(VERY_LONG, EntryType.FILE))) == 3 * 512


@pytest.mark.parametrize(
    ("entry", "record"),
    [
        (Entry("/f", EntryType.FILE, size=8**11), b"19 size=8589934592\n"),
        (Entry("/f", EntryType.FILE, uid=8**7), b"15 uid=2097152\n"),
        (
            Entry("/f", EntryType.FILE, xattrs=(("u", b"v" * 80),)),
            b"99 SCHILY.xattr.u=" + b"v" * 80,
        ),
        (
            Entry("/f", EntryType.FILE, xattrs=(("u", b"v" * 81),)),
            b"101 SCHILY.xattr.u=" + b"v" * 81,
        ),
    ],
)
def test_record_lengths_count_themselves(entry, record):
    assert record in header(entry)
    with tarfile.open(fileobj=io.BytesIO(header(entry) + bytes(1024))) as tar:
        member = tar.next()
    assert (member.size, member.uid) == (entry.size, entry.uid)


def test_records_are_sorted():
    entry = Entry(
        "/f", EntryType.FILE, uid=8**7, gid=8**7, xattrs=(("user.z", b"1"), ("user.a", b"2"))
    )
    records = header(entry)[512:1024].rstrip(b"\0").splitlines()
    keys = [record.partition(b" ")[2].partition(b"=")[0] for record in records]
    assert keys == [b"SCHILY.xattr.user.a", b"SCHILY.xattr.user.z", b"gid", b"uid"]


def test_the_archive_ends_without_padding():
    assert archive().endswith(bytes(1024))
    assert len(archive([], {})) == 1024


def test_an_archive_is_recognised_exactly():
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in CONTENTS.items()}
    rows = [
        row._replace(entry=row.entry._replace(sha256=digests.get(row.entry.path, "")))
        for row in ROWS
    ]
    whole = archive(rows)
    assert is_archive_of(io.BytesIO(whole), rows)
    assert not is_archive_of(io.BytesIO(whole), rows[:-1])
    assert not is_archive_of(io.BytesIO(whole[:-1]), rows)
    assert not is_archive_of(io.BytesIO(whole + b"\0"), rows)
    for position in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        assert not is_archive_of(io.BytesIO(damaged), rows), position


@pytest.mark.parametrize("content", [b"hell", b"hello there"])
def test_content_of_another_length_is_refused(content):
    row = Row(Entry("/f", EntryType.FILE, size=5), FileClass.UNOWNED)
    with pytest.raises(MaterializeError, match=f"{len(content)} bytes"):
        archive([row], {"/f": content})


@pytest.mark.parametrize(
    "entry",
    [
        Entry("/run/socket", EntryType.SOCKET),
        Entry("/", EntryType.DIRECTORY),
        Entry("/dev/x", EntryType.CHAR, device=(8**7, 0)),
    ],
)
def test_entries_that_no_archive_can_hold_are_refused(entry):
    with pytest.raises(MaterializeError, match="no archive can hold"):
        header(entry)
