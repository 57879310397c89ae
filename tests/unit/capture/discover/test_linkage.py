"""Missing libraries, by the directories that the loader searches."""

import subprocess

import pytest

from envlock.capture.context import Context
from envlock.capture.discover.linkage import Linker
from envlock.formats.binary.elf import Elf, parse_elf
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import ScanPlan
from envlock.targets.local.filesystem import LocalTarget

LOADER = "/lib64/ld-linux-x86-64.so.2"


class ScannedOnly:
    """A target that contains only the paths of the scan."""

    reference = "fake"

    def stat(self, path):
        raise FileNotFoundError(path)


def linker(*paths, links=(), configured=()):
    index = {path: Entry(path, EntryType.FILE) for path in (LOADER, *paths)}
    index |= {path: Entry(path, EntryType.SYMLINK, target=target) for path, target in links}
    return Linker(Context(ScannedOnly(), index), configured)


def program(*needed, rpath=(), machine="x86_64", word=8, interpreter=LOADER):
    return Elf(
        machine=machine, kind="executable", interpreter=interpreter, soname="", needed=needed,
        rpath=rpath, build_id="", version_needs={}, sections={}, notes=(), segments=(),
        is_little=True, word=word,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "elf"),
    [
        ("/lib/x86_64-linux-gnu/libz.so.1", program("libz.so.1")),
        ("/usr/lib64/libz.so.1", program("libz.so.1")),
        ("/lib/i386-linux-gnu/libz.so.1", program("libz.so.1", machine="i386", word=4)),
        ("/usr/lib/libz.so.1", program("libz.so.1", machine="i386", word=4)),
        ("/opt/app/lib/libz.so.1", program("libz.so.1", rpath=("$ORIGIN/../lib",))),
        ("/opt/app/lib64/libz.so.1", program("libz.so.1", rpath=("${ORIGIN}/../$LIB",))),
        ("/opt/abs/libz.so.1", program("/opt/abs/libz.so.1")),
        ("/usr/local/lib/libz.so.1", program("libz.so.1", interpreter=LOADER)),
    ],
)
def test_found(path, elf):
    assert linker(path, configured=("/usr/local/lib",)).missing("/opt/app/bin/x", elf) == []


@pytest.mark.parametrize(
    ("path", "elf"),
    [
        ("/lib/i386-linux-gnu/libz.so.1", program("libz.so.1")),
        ("/lib/x86_64-linux-gnu/libz.so.1", program("libz.so.1", machine="i386", word=4)),
        ("/usr/lib64/libz.so.1", program("libz.so.1", machine="i386", word=4)),
        ("/opt/lib/libz.so.1", program("libz.so.1", rpath=("lib", "$ORIGIN"))),
        ("/opt/libz.so.2", program("libz.so.1", rpath=("/opt",))),
    ],
)
def test_missing(path, elf):
    assert linker(path).missing("/opt/app/bin/x", elf) == ["libz.so.1"]


def test_the_plain_directory_is_not_searched_where_64_bit_libraries_have_their_own():
    elf = program("libz.so.1")
    assert linker("/usr/lib/libz.so.1").missing("/x", elf) == []
    split = linker("/usr/lib/libz.so.1", "/usr/lib64/libc.so.6")
    assert split.missing("/x", elf) == ["libz.so.1"]


def test_libraries_of_the_host_driver_are_not_missing():
    assert linker().missing("/x", program("libcuda.so.1", "libnvidia-ml.so.1")) == []


def test_links_are_followed_and_loops_end():
    links = (("/lib", "usr/lib"), ("/usr/lib/loop", "loop"))
    found = linker("/usr/lib/x86_64-linux-gnu/libz.so.1", links=links, configured=("/lib/loop",))
    assert found.missing("/x", program("libz.so.1")) == []


def test_a_missing_interpreter_is_reported():
    elf = program(interpreter="/lib/ld-musl-x86_64.so.1")
    assert linker().missing("/x", elf) == ["/lib/ld-musl-x86_64.so.1"]


def test_ldd_agrees_in_a_debian_root(debian_root):
    target = LocalTarget(debian_root, "dir:root", is_host=False)
    index = {entry.path: entry for entry in target.scan(ScanPlan(digest=False))}
    linker = Linker(Context(target, index), ("/usr/local/lib", "/usr/local/lib/x86_64-linux-gnu"))
    missing = {}
    for path, entry in sorted(index.items()):
        is_program = path.startswith(("/usr/bin/", "/usr/sbin/")) and entry.mode & 0o111
        if entry.type is EntryType.FILE and (is_program or ".so" in path):
            content = target.read(path)
            elf = parse_elf(lambda offset, size, raw=content: raw[offset : offset + size])
            if elf is not None:
                missing[path] = sorted(linker.missing(path, elf))
    assert len(missing) > 300
    asked = [path for path, names in missing.items() if names] + list(missing)[::12]
    assert {path: missing[path] for path in asked} == {p: ldd(debian_root, p) for p in asked}


def ldd(root, path):
    """Return the libraries that the loader of `root` does not find for a file."""
    argv = ["chroot", root, "/usr/bin/ldd", path]
    told = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    return sorted(line.split()[0] for line in told.splitlines() if line.endswith("=> not found"))
