"""The cache, the configuration and the built-in directories of the dynamic loader."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from envlock.formats.binary.loader_cache import CachedLibrary, parse_loader_cache
from envlock.formats.binary.loader_program import LoaderProgram, parse_loader_program
from envlock.formats.system.loader_config import loader_folders
from tests.conftest import unavailable

X86_64 = 0x0303


def make_cache(rows: list[tuple[str, str, str]], order: str = "<") -> bytes:
    """Return a cache of (name, path, level of the processor)."""
    levels = sorted({level for _, _, level in rows if level})
    texts = [text for row in rows for text in row[:2]] + levels
    strings, where = b"", {}
    start = 48 + 24 * len(rows)
    for text in texts:
        where[text] = start + len(strings)
        strings += text.encode() + b"\0"
    body = b""
    for name, path, level in rows:
        hwcap = (1 << 62) + levels.index(level) if level else 0
        body += struct.pack(order + "4IQ", X86_64, where[name], where[path], 0, hwcap)
    end = start + len(strings)
    strings += bytes(-end % 4)
    end = start + len(strings)
    extension = struct.pack(order + "6I", 0xEAA42174, 1, 1, 0, end + 24, 4 * len(levels))
    extension += b"".join(struct.pack(order + "I", where[level]) for level in levels)
    head = b"glibc-ld.so.cache1.1" + struct.pack(order + "II", len(rows), len(strings))
    head += bytes((2 if order == "<" else 3, 0, 0, 0)) + struct.pack(order + "I", end) + bytes(12)
    return head + body + strings + extension


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_cache_holds_a_file_for_each_level_of_the_processor(order):
    rows = [
        ("liba.so.1", "/usr/lib/glibc-hwcaps/x86-64-v3/liba.so.1", "x86-64-v3"),
        ("liba.so.1", "/usr/lib/liba.so.1", ""),
        ("libb.so.1", "/usr/lib/libb.so.1", ""),
    ]
    assert parse_loader_cache(make_cache(rows, order)) == {
        "liba.so.1": (
            CachedLibrary(rows[0][1], X86_64, "x86-64-v3"),
            CachedLibrary("/usr/lib/liba.so.1", X86_64),
        ),
        "libb.so.1": (CachedLibrary("/usr/lib/libb.so.1", X86_64),),
    }


def test_a_damaged_cache_is_none():
    raw = make_cache([("liba.so.1", "/usr/lib/liba.so.1", "")])
    assert parse_loader_cache(raw[:60]) is None
    assert parse_loader_cache(b"no cache") is None


def test_a_cache_of_ldconfig_is_read(tmp_path: Path):
    ldconfig = shutil.which("ldconfig", path="/usr/sbin:/sbin")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if ldconfig is None or compiler is None:
        unavailable("compiler", "there is no ldconfig or compiler")
    folder = tmp_path / "lib"
    level = folder / "glibc-hwcaps" / "x86-64-v2"
    level.mkdir(parents=True)
    for place in (folder, level):
        output = str(place / "libenvlock_test.so.1")
        subprocess.run(
            [compiler, "-shared", "-x", "c", "/dev/null", "-Wl,-soname,libenvlock_test.so.1",
             "-o", output],
            check=True,
        )  # fmt: skip
    config = tmp_path / "ld.so.conf"
    config.write_text(f"{folder}\n")
    cache = tmp_path / "ld.so.cache"
    subprocess.run([ldconfig, "-X", "-f", config, "-C", cache], check=True, capture_output=True)
    found = parse_loader_cache(cache.read_bytes())
    assert found is not None
    files = [(each.path, each.level) for each in found["libenvlock_test.so.1"]]
    assert files == [
        (str(level / "libenvlock_test.so.1"), "x86-64-v2"),
        (str(folder / "libenvlock_test.so.1"), ""),
    ]


def test_configured_directories_are_those_of_the_included_files_in_place():
    files = {
        "/etc/ld.so.conf": "/first\ninclude ld.so.conf.d/*.conf /opt/x.conf\n/last # own\n",
        "/etc/ld.so.conf.d/a.conf": "/a/\nhwcap 0 nosegneg\n",
        "/etc/ld.so.conf.d/b.conf": "/b=libc6\ninclude /etc/ld.so.conf\n",
        "/etc/ld.so.conf.d/ignored": "/ignored\n",
        "/opt/x.conf": "/x\n/a\n",
    }

    def names(folder: str) -> tuple[str, ...]:
        return tuple(sorted(p[len(folder) + 1 :] for p in files if p.rpartition("/")[0] == folder))

    found = loader_folders(lambda path: files.get(path, ""), names)
    assert found == ("/first", "/a", "/b", "/x", "/last")


def test_a_loader_states_its_version_levels_and_directories():
    content = (
        b"\0/bin/\0\0/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0\0"
        b"ld.so (Debian GLIBC 2.36-9) stable release version 2.36.\n\0"
        b"\0x86-64-v4:x86-64-v3:x86-64-v2\0/etc/ld.so.cache\0"
    )
    assert parse_loader_program(content) == LoaderProgram(
        version="2.36",
        levels=("x86-64-v4", "x86-64-v3", "x86-64-v2"),
        folders=("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib", "/usr/lib"),
        cache="/etc/ld.so.cache",
    )
    assert parse_loader_program(b"no loader") == LoaderProgram()
