"""Packages and archives that claim to be more than they are, within limits and little memory."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from envlock.errors import SourceError
from envlock.formats.binary import zip_archive
from envlock.materialize.artifacts.artifact import Rooms
from envlock.materialize.artifacts.decompress import decompress
from envlock.materialize.artifacts.kinds import conda, deb, gem, wheel
from tests.hostile.images import DOCUMENT, END, extended, header, layout, record, tar

DIGITS = b"1" * 5000
MEMORY = 1 << 30
"""The memory that a command has for a bomb, in bytes of addresses."""


def member(name: bytes, content: bytes, size: bytes | None = None) -> bytes:
    """Return a member of an ar archive."""
    stated = b"%d" % len(content) if size is None else size
    head = name.ljust(16) + b"0".ljust(12) + b"0".ljust(6) + b"0".ljust(6) + b"100644".ljust(8)
    return head + stated.ljust(10)[:10] + b"`\n" + content + b"\n" * (len(content) % 2)


def ar(*members: bytes) -> bytes:
    return b"!<arch>\n" + b"".join(members)


SOUND = tar({"./usr/bin/tool": b"tool"})
DEBS: dict[str, bytes] = {
    "nothing": b"",
    "other magic": b"!<arcx>\n",
    "no members": ar(),
    "cut in a header": ar(b"data.tar"),
    "size of no digits": ar(member(b"data.tar", SOUND, b"x")),
    "negative size": ar(member(b"data.tar", SOUND, b"-5")),
    "size beyond the end": ar(member(b"data.tar", SOUND, b"9999999999")),
    "size of other digits": ar(member(b"data.tar", SOUND, "\u0661".encode())),
    "no data": ar(member(b"debian-binary", b"2.0\n")),
    "many empty members": ar(*[member(b"x", b"")] * 10_000),
    "unknown compression": ar(member(b"data.tar.lz9", SOUND)),
    "xz of garbage": ar(member(b"data.tar.xz", b"\xfd7zXZ\0" + bytes(100))),
    "xz that is cut": ar(member(b"data.tar.xz", lzma.compress(SOUND)[:-20])),
    "gzip of garbage": ar(member(b"data.tar.gz", b"\x1f\x8b" + bytes(100))),
    "bzip2 of garbage": ar(member(b"data.tar.bz2", b"BZh9" + bytes(100))),
    "zstd of garbage": ar(member(b"data.tar.zst", b"\x28\xb5\x2f\xfd" + b"\xff" * 100)),
    "xz that needs memory": ar(
        member(
            b"data.tar.xz",
            lzma.compress(
                SOUND, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
            ),
        )
    ),
    "no tar": ar(member(b"data.tar", b"x" * 5000)),
    "headers that follow each other": ar(
        member(b"data.tar", extended(record(b"a", b"b")) * 3000 + header() + END)
    ),
    "size of many digits": ar(
        member(b"data.tar", extended(record(b"size", DIGITS)) + header() + END)
    ),
    "file beyond the end": ar(member(b"data.tar", header(size=b"77777777777\0") + END)),
    "header beyond the end": ar(member(b"data.tar", header(kind=b"x", size=b"77777777777\0"))),
    "gzip of nothing for ever": ar(member(b"data.tar.gz", gzip.compress(bytes(1 << 20)) * 2)[:200]),
}


@pytest.mark.parametrize("name", DEBS)
def test_packages_of_debian(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x_1_all.deb"
    path.write_bytes(DEBS[name])
    try:
        deb.unpack(path, Rooms(tmp_path / "cache", tmp_path / "cache"))
    except SourceError as error:
        assert len(str(error)) < 500
    leftovers = [file.name for file in (tmp_path / "cache").glob("*.part")]
    assert leftovers == []


def stored(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


RECORD = "a-1.dist-info/RECORD"
END_OF_ZIP = b"PK\x05\x06" + bytes(18)


def patched(raw: bytes, at: int, new: bytes) -> bytes:
    """Return an archive with some bytes of its first central entry replaced."""
    begin = raw.index(b"PK\x01\x02") + at
    return raw[:begin] + new + raw[begin + len(new) :]


BIG = stored({RECORD: bytes(wheel.RECORD_LIMIT + 1)})
WHEELS: dict[str, bytes] = {
    "nothing": b"",
    "no end": b"PK\x03\x04" + bytes(100),
    "empty": END_OF_ZIP,
    "directory beyond the beginning": END_OF_ZIP[:12] + b"\xff\xff\xff\x7f" + END_OF_ZIP[16:],
    "directory of four gigabytes": END_OF_ZIP[:12] + b"\xff" * 8 + END_OF_ZIP[20:],
    "no RECORD": stored({"a.py": b"x"}),
    "RECORD that is too large": BIG,
    "RECORD of bzip2": stored({RECORD: b"a,,\n"}, zipfile.ZIP_BZIP2),
    "RECORD of LZMA": stored({RECORD: b"a,,\n"}, zipfile.ZIP_LZMA),
    "RECORD that is no text": stored({RECORD: b"\xff\xfe\0,"}),
    "RECORD with a null": stored({RECORD: b"a\0,sha256=x,\n"}),
    "RECORD with a field without end": stored({RECORD: b'"' + b"a" * 200_000}),
    "RECORD of a digest that is none": stored({RECORD: b"a.py,sha256=***,\n", "a.py": b"x"}),
    "RECORD that claims more": patched(stored({RECORD: b"a,,\n"}), 24, b"\0\0\0\x03"),
    "encrypted": patched(stored({RECORD: b"a,,\n"}), 8, b"\x01"),
    "unknown compression": patched(stored({RECORD: b"a,,\n"}), 10, b"\x63"),
    "other checksum": patched(stored({RECORD: b"a,,\n"}), 16, b"1234"),
    "member beyond the end": patched(stored({RECORD: b"a,,\n"}), 42, b"\xff\xff\xff\x7f"),
    "name beyond the end": patched(stored({RECORD: b"a,,\n"}), 28, b"\xff\xff"),
}


@pytest.mark.parametrize("name", WHEELS)
def test_wheels(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a-1-py3-none-any.whl"
    path.write_bytes(WHEELS[name])
    try:
        opened = wheel.OpenWheel(path)
    except SourceError as error:
        assert len(str(error)) < 500
    else:
        assert opened.find("a.py", "0" * 64) is None
        opened.close()


def test_a_record_of_the_largest_size(tmp_path: Path) -> None:
    path = tmp_path / "a-1-py3-none-any.whl"
    path.write_bytes(stored({RECORD: (b"a" * 65_532 + b",,,\n") * (wheel.RECORD_LIMIT >> 16)}))
    wheel.OpenWheel(path).close()


def test_a_member_at_the_largest_ratio_and_above(tmp_path: Path) -> None:
    """What a member claims to become is compared with what deflate can do."""
    raw = stored({"x": bytes(2 << 20)})
    with zip_archive.open_archive(io.BytesIO(raw)) as archive:
        info = archive.infolist()[0]
        assert info.file_size <= info.compress_size * zip_archive.MAX_RATIO
        assert len(zip_archive.read_member(archive, info, 2 << 20)) == 2 << 20
        with pytest.raises(ValueError, match="more than 2,097,151 bytes"):
            zip_archive.read_member(archive, info, (2 << 20) - 1)
        info.file_size = info.compress_size * zip_archive.MAX_RATIO + 1
        with pytest.raises(ValueError, match="claims to be"):
            list(zip_archive.member_pieces(archive, info))


def conda_file(**parts: bytes) -> bytes:
    """Return a ``.conda`` file with parts ``pkg`` and ``info``, given their bytes."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, content in parts.items():
            archive.writestr(f"{name}-x-1-0.tar.zst", content)
    return raw.getvalue()


ZSTD = zstandard.ZstdCompressor().compress
PATHS = b'{"paths": [%b]}' % b",".join(
    b'{"_path": "a", "prefix_placeholder": "%b", "file_mode": "%b"}' % one
    for one in ((b"/", b"text"), (b"", b"text"), (b"\\u0000", b"binary"), (b"/", b"none"))
)
EVIL = tar({"../../etc/evil": b"x", "/etc/evil": b"y", "a": b"/" * 200_000})
LINKS = header(name=b"a".ljust(100, b"\0"), kind=b"1") + header(kind=b"2") + END
CONDAS: dict[str, tuple[bytes, str]] = {
    "zeros in its information": (
        conda_file(pkg=ZSTD(tar({})), info=ZSTD(bytes(8 << 20))),
        "its information has more than",
    ),
    "a window of much memory": (
        conda_file(pkg=b"\x28\xb5\x2f\xfd\x00\xff" + bytes(100), info=b""),
        "not a complete",
    ),
    "no size": (conda_file(pkg=b"", info=b""), "not a complete"),
    "headers that follow each other": (
        conda_file(pkg=ZSTD(extended(record(b"a", b"b")) * 3000 + header() + END), info=b""),
        "not a complete",
    ),
    "a file beyond the end": (
        conda_file(pkg=ZSTD(header(size=b"77777777777\0") + END), info=b""),
        "not a complete",
    ),
    "lists of the wrong depth": (
        conda_file(pkg=ZSTD(tar({"a": b"x"})), info=ZSTD(tar({"info/paths.json": b"[" * 90_000}))),
        "",
    ),
    "names outside": (conda_file(pkg=ZSTD(EVIL), info=ZSTD(tar({"info/paths.json": PATHS}))), ""),
    "links": (conda_file(pkg=ZSTD(LINKS), info=ZSTD(tar({"info/paths.json": PATHS}))), ""),
}


@pytest.mark.parametrize("name", CONDAS)
def test_packages_of_conda(tmp_path: Path, name: str) -> None:
    raw, reason = CONDAS[name]
    path = tmp_path / "below/x-1-0.conda"
    path.parent.mkdir()
    path.write_bytes(raw)
    rooms = Rooms(tmp_path / "below/tables", tmp_path / "below/tars")
    if reason:
        with pytest.raises(SourceError, match=reason):
            conda.unpack(path, rooms, conda.Limits(info=1 << 20))
    else:
        opened = conda.unpack(path, rooms)
        package = conda.OpenConda(opened.tar, opened.placeholders, "/" + "n" * 4000)
        # A file that becomes too large with its prefix is not made.
        assert not any("-prefix/1 " in member for member in package.contents())
        package.close()
    outside = [path for path in tmp_path.iterdir() if path.name != "below"]
    assert not outside


DATA = b"data.tar.gz".ljust(100, b"\0")
GEM_EVIL = gzip.compress(tar({"../../etc/evil": b"x", "/etc/evil": b"y"}) + END)
GEMS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not a complete gem"),
    "headers that follow each other": (
        extended(record(b"a", b"b")) * 3000 + header() + END,
        "not a complete gem",
    ),
    "size of many digits": (
        extended(record(b"size", DIGITS)) + header(name=DATA) + END,
        "not a complete gem",
    ),
    "files beyond the end": (
        header(name=DATA, size=b"77777777777\0") + END,
        "not a complete gem",
    ),
    "a link in place of the files": (
        header(
            name=b"data.tar.gz".ljust(100, b"\0"), kind=b"2", link=b"/etc/passwd".ljust(100, b"\0")
        )
        + END,
        "not a complete gem",
    ),
    "many empty parts": (tar({str(number): b"" for number in range(2000)}), "not a complete gem"),
    "a header that is too large": (
        header(kind=b"x", size=b"77777777777\0") + END,
        "not a complete gem",
    ),
    "names outside": (tar({"data.tar.gz": GEM_EVIL}), ""),
}


@pytest.mark.parametrize("name", GEMS)
def test_packages_of_ruby(tmp_path: Path, name: str) -> None:
    raw, reason = GEMS[name]
    path = tmp_path / "below/x-1.gem"
    path.parent.mkdir()
    path.write_bytes(raw)
    rooms = Rooms(tmp_path / "below/tables", tmp_path / "below/tars")
    if reason:
        with pytest.raises(SourceError, match=reason):
            gem.unpack(path, rooms)
    else:
        gem.unpack(path, rooms).close()
    assert [path.name for path in tmp_path.iterdir()] == ["below"]


def recording(folder: Path) -> list[str]:
    """A recording of files of zeros."""
    text = json.dumps(DOCUMENT).encode()
    zeros = gzip.compress(bytes(1 << 26), 1)
    with (folder / "x.tar.gz").open("wb") as out:
        out.write(gzip.compress(tar({"recording.json": text})[:-9216]))
        for number in range(3):
            name = b"rootfs/%d" % number
            begin = header(name=name.ljust(100, b"\0"), size=b"%011o\0" % (1 << 29))
            out.write(gzip.compress(begin) + zeros * 8)
        out.write(gzip.compress(END))
    return ["capture", "recorded:x.tar.gz", "-o", "-"]


def _layer(pack: Callable[[bytes], bytes]) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        begin = header(name=b"etc/x".ljust(100, b"\0"), size=b"\x80" + bytes(6) + b"\x10\0\0\0\0")
        raw = pack(begin + bytes((64 << 20) - 512)) + pack(bytes(64 << 20)) * 5
        layout(folder / "image", [raw])
        return ["capture", "oci:image", "-o", "-"]

    return make


def _document(text: str) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        (folder / "pods.json").write_text(text)
        return ["capture", "kube:pods.json"]

    return make


def lock(folder: Path) -> list[str]:
    """A lock of a hundred megabytes that is one list."""
    with (folder / "x.lock").open("w") as out:
        out.write('lock-version = "1.0"\nx = [')
        for _ in range(100):
            out.write("{}," * 333_333)
    return ["show", "./x.lock"]


def one_line(folder: Path) -> list[str]:
    """A lock of a hundred megabytes on one line."""
    with (folder / "x.lock").open("w") as out:
        for _ in range(100):
            out.write("a" * (1 << 20))
    return ["show", "./x.lock"]


BOMBS: dict[str, Callable[[Path], list[str]]] = {
    "recording": recording,
    "layer of gzip": _layer(gzip.compress),
    "layer of zstd": _layer(zstandard.ZstdCompressor().compress),
    "document of objects": _document("[" + '{"":0},' * 2_100_000 + "0]"),
    "document of lists": _document("[" * 900_000),
    "lock of one list": lock,
    "lock of one line": one_line,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_with_little_memory(tmp_path: Path, name: str) -> None:
    arguments = BOMBS[name](tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "envlock", *arguments],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode in (2, 3, 4, 5), done.stderr[-2000:]
    assert done.stderr.count("envlock: error: ") == 1
    assert "not enough memory" not in done.stderr
    assert "Traceback" not in done.stderr


SIZE = 100 << 20
DEB_BOMBS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "xz": (b"data.tar.xz", lzma.compress),
    "gzip": (b"data.tar.gz", gzip.compress),
    "bzip2": (b"data.tar.bz2", bz2.compress),
    "zstd": (b"data.tar.zst", zstandard.ZstdCompressor().compress),
}


@pytest.mark.parametrize("name", DEB_BOMBS)
def test_a_package_is_decompressed_in_small_pieces(name: str) -> None:
    part, pack = DEB_BOMBS[name]
    raw = pack(bytes(SIZE))
    pieces = decompress(part.decode().removeprefix("data.tar").strip(), io.BytesIO(raw), len(raw))
    digest, sizes = hashlib.sha256(), []
    for piece in pieces:
        digest.update(piece)
        sizes.append(len(piece))
    assert sum(sizes) == SIZE
    assert max(sizes) <= 33 << 20


def test_a_package_at_its_largest_ratio() -> None:
    raw = lzma.compress(bytes(SIZE), preset=0)
    assert sum(map(len, decompress(".xz", io.BytesIO(raw), len(raw), free=SIZE))) == SIZE
    with pytest.raises(ValueError, match=r"its tar has more than"):
        for _ in decompress(".xz", io.BytesIO(raw), len(raw), free=SIZE - 1):
            pass
