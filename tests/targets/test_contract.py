"""The contract of every kind of target, tested on the same hostile tree."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from envlock.model.text import sort_key
from envlock.model.tree import EntryType
from envlock.targets.base import Capability, ScanPlan

INJECTED = {"/.dockerenv", "/dev", "/dev/console", "/dev/pts", "/dev/shm", "/proc", "/sys",
            "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf"}  # fmt: skip
TYPES = {
    stat.S_IFREG: EntryType.FILE,
    stat.S_IFDIR: EntryType.DIRECTORY,
    stat.S_IFLNK: EntryType.SYMLINK,
    stat.S_IFCHR: EntryType.CHAR,
    stat.S_IFIFO: EntryType.FIFO,
}


def truth(root):
    """What lstat says about every path; the first name of a file, in byte order, is the file."""
    found, links = {}, {}
    for folder, names, files in os.walk(root):
        for name in [*names, *files]:
            real = os.path.join(folder, name)
            status = os.lstat(real)
            path = real[len(str(root)) :]
            kind = TYPES[stat.S_IFMT(status.st_mode)]
            if kind is EntryType.FILE:
                links.setdefault(status.st_ino, []).append(path)
            found[path] = (kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    for names in links.values():
        for path in sorted(names, key=sort_key)[1:]:
            found[path] = (EntryType.HARDLINK, *found[path][1:])
    return found


def scanned(target, **plan):
    gaps, seen, walked = [], {}, {}
    plan = ScanPlan(
        on_gap=lambda *gap: gaps.append(gap), on_walk_finished=lambda: walked.update(seen), **plan
    )
    for entry in target.scan(plan):
        if walked:
            assert entry._replace(sha256="", md5="", sha1="") == walked[entry.path]
        else:
            assert entry.path not in seen
        seen[entry.path] = entry
    assert walked.keys() == seen.keys()
    return seen, gaps


def test_files_have_the_digests_that_the_plan_wants(target, hostile_root):
    def is_old(path):
        return path.endswith("inside")

    entries, _ = scanned(target, wants_md5=is_old, wants_sha1=lambda path: not is_old(path))
    expected = truth(hostile_root)
    files = [e for p, e in entries.items() if e.type is EntryType.FILE and p in expected]
    assert any(map(is_old, entries))
    for entry in files:
        content = Path(str(hostile_root) + entry.path).read_bytes()
        if entry.size and not is_old(entry.path):
            assert (entry.md5, entry.sha1) == ("", hashlib.sha1(content).hexdigest())
        elif entry.size:
            assert (entry.md5, entry.sha1) == (hashlib.md5(content).hexdigest(), "")


def test_every_path_is_yielded_with_its_metadata(target, hostile_root):
    entries, gaps = scanned(target, wants_md5=lambda path: path.endswith("inside"))
    expected = truth(hostile_root)
    seen = {
        path: (e.type, e.mode, e.uid, e.gid)
        for path, e in entries.items()
        if path != "/" and not (path in INJECTED and path not in expected)
    }
    assert seen == expected
    assert gaps == []
    for path, entry in entries.items():
        real = str(hostile_root) + path
        if entry.type is EntryType.FILE and path in expected:
            content = Path(real).read_bytes()
            assert entry.sha256 == hashlib.sha256(content).hexdigest(), path
            assert entry.size == len(content)
            assert entry.mtime == int(os.lstat(real).st_mtime)
        if entry.type is EntryType.SYMLINK and path in expected:
            assert entry.target == os.readlink(real)
    assert entries["/srv/a/b/c/hard"].target == "/etc/hard"
    assert entries["/srv/z-first-by-time"].target == "/etc/hard"
    if os.geteuid() == 0:
        assert entries["/srv/null"].device == (1, 3)
        assert dict(entries["/usr/bin/tool"].xattrs).keys() == {"security.capability"}


def test_links_are_followed_inside_the_root_only(target):
    scanned(target, retain=lambda path: path == "/etc/inside")
    for path in ("/etc/inside", "/srv/up", "/srv/absolute", "/srv/../etc/inside", "/srv/a/../up"):
        assert target.read(path) == b"inside the root\n", path
    assert target.read("/bin/tool") == b"#!/bin/sh\n"
    assert target.stat("/bin").type is EntryType.SYMLINK
    assert target.stat("/bin/tool").mode == 0o4755
    assert "tool" in target.names("/bin")
    assert target.names("/srv/empty") == ()
    with pytest.raises(OSError, match="loop"):
        target.read("/srv/loop")


def test_missing_paths_and_other_types_raise(target):
    scanned(target)
    for path in ("/nope", "/srv/dangling", "/etc/inside/below", "/srv/nul\0byte"):
        with pytest.raises((FileNotFoundError, NotADirectoryError)):
            target.read(path)
    with pytest.raises(IsADirectoryError):
        target.read("/srv")
    with pytest.raises(OSError):
        target.read("/srv/pipe")
    with pytest.raises(OSError, match="large"):
        target.read("/srv/sparse", limit=1000)
    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        target.names("/nope")


def test_content_can_be_opened_after_a_scan(target):
    entries, _ = scanned(target)
    for path in ("/srv/sparse", "/srv/latin\udce9", "/srv/new\nline", "/srv/zero", "/etc/hard"):
        with target.open(path) as stream:
            digest = hashlib.sha256()
            while chunk := stream.read(1 << 16):
                digest.update(chunk)
        assert digest.hexdigest() == entries[path].sha256


def test_content_can_be_read_during_a_scan(target):
    target.preload(("/etc/inside",))
    entries = [
        (entry.path, target.read("/etc/inside"))
        for entry in target.scan(ScanPlan())
        if entry.sha256 and entry.path.startswith("/srv")
    ]
    with target.open("/srv/sparse") as stream:
        assert stream.read(1) == b"\0"
    assert {content for _, content in entries} == {b"inside the root\n"}


def test_preloaded_files_can_be_read_before_a_scan(target):
    target.preload(("/etc/inside", "/usr/bin", "/not/there"))
    assert target.read("/etc/inside") == b"inside the root\n"
    assert target.read("/usr/bin/tool") == b"#!/bin/sh\n"
    assert target.stat("/bin").target.rstrip("/").endswith("usr/bin")


def test_a_writer_gets_the_whole_content_of_a_file(target):
    kept = {}

    class Writer:
        def __init__(self, path):
            self.path, self.parts = path, []

        def write(self, chunk):
            self.parts.append(bytes(chunk))

        def close(self):
            kept[self.path] = b"".join(self.parts)

        def abort(self):
            raise AssertionError("nothing failed")

    entries, _ = scanned(target, writer_for=lambda entry: Writer(entry.path))
    if not target.is_streaming:
        assert kept == {}
        return
    for path, content in kept.items():
        if path in INJECTED and path not in entries:
            continue  # the engine made it
        entry = entries[path]
        entry = entries[entry.target] if entry.type is EntryType.HARDLINK else entry
        assert hashlib.sha256(content).hexdigest() == entry.sha256
    assert "/srv/sparse" in kept


def test_only_targets_with_environ_have_a_run_configuration(target):
    process = target.process()
    assert (process is not None) == (Capability.ENVIRON in target.capabilities)


def test_without_digests_no_content_is_read(target):
    entries, _ = scanned(target, digest=False)
    assert all(entry.sha256 == "" for entry in entries.values())
