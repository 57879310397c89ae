"""A walk by several processes finds what one finds, and signs what changes."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import closing

import pytest

from envlock.targets.base import ScanPlan
from envlock.targets.folder import Folder
from envlock.targets.local import walk_pool, worker
from envlock.targets.local.filesystem import directory
from envlock.targets.local.walk_worker import unpack

NOTHING = ([], [], (), (), "")


@pytest.fixture
def root(tmp_path):
    for number in range(60):
        folder = tmp_path / f"a{number % 7}" / f"b{number % 11}" / f"c{number}"
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"x" * number)
        (folder / "odd\udcff\n").touch()
    (tmp_path / "link").symlink_to("a0")
    return tmp_path


def listed(root, jobs):
    with closing(walk_pool.WalkPool(str(root), jobs)) as pool:
        return {listing.path: unpack(listing.packed)[0] for listing in pool.walk(NOTHING, None)}


def signed(root, jobs, left_out=NOTHING):
    with closing(walk_pool.WalkPool(str(root), jobs)) as pool:
        return pool.signatures(left_out)


@pytest.mark.parametrize("jobs", [1, 2, 5])
@pytest.mark.parametrize("names", [1, 25, 10_000])
def test_processes_find_what_one_finds(root, jobs, names, monkeypatch):
    monkeypatch.setattr(walk_pool, "_FEW", names)
    monkeypatch.setattr(walk_pool, "_NAMES", names)
    wanted = {
        folder.removeprefix(str(root)): sorted(folders + names)
        for folder, folders, names in os.walk(root)
    }
    assert listed(root, jobs) == wanted
    assert signed(root, jobs).keys() == wanted.keys()
    assert signed(root, jobs) == signed(root, 1)


def test_nobody_waits_for_room_in_a_pipe(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "_PIPE_SIZE", 4096)
    monkeypatch.setattr(walk_pool, "_FEW", 50)
    monkeypatch.setattr(walk_pool, "_NAMES", 50)
    for number in range(400):
        (tmp_path / f"{number:0200}" / f"{number:0220}").mkdir(parents=True)
    assert len(listed(tmp_path, 3)) == 801
    assert signed(tmp_path, 3).keys() == listed(tmp_path, 1).keys()


def test_what_is_left_out_is_not_looked_at(root):
    found = signed(root, 1, (["/a0"], ["/a1"], ("/a2/",), ("/b3/",), r"(?s:/a4\Z)"))
    assert "/a3" in found
    assert not {path for path in found if path.startswith(("/a0", "/a1", "/a2", "/a4"))}
    assert not {path for path in found if "/b3" in path}


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_bytes(b"y" * file.stat().st_size),
        lambda file: file.chmod(0o600),
        lambda file: file.rename(file.with_name("renamed")),
        lambda file: (file.parent / "more").touch(),
        lambda file: file.unlink(),
        lambda file: os.utime(file, (1, 1)),
    ],
)
def test_every_change_is_in_the_signature(root, change):
    before = signed(root, 1)
    change(root / "a1/b1/c1/file")
    after = signed(root, 1)
    changed = {path for path in before if before[path] != after[path]}
    assert "/a1/b1/c1" in changed
    assert changed <= {"/a1/b1/c1", "/a1/b1"}, "of the folder above at most its time"


def test_what_a_walk_tells_is_what_it_signed(root):
    target = directory(root)
    folders = {each.path: each for each in target.walk(ScanPlan()) if isinstance(each, Folder)}
    assert {path: f.signature for path, f in folders.items()} == target.signatures(ScanPlan())


def test_a_folder_that_may_be_listed_but_not_entered_could_not_be_listed(root, monkeypatch):
    """Its names cannot be looked at, in whichever process that is tried."""
    lstat = os.lstat

    def refused(path):
        if "/b1/" in str(path):
            raise PermissionError(errno.EACCES, "denied", path)
        return lstat(path)

    monkeypatch.setattr(os, "lstat", refused)
    gaps = []
    plan = ScanPlan(digest=False, on_gap=lambda *gap: gaps.append(gap))
    seen = {entry.path for entry in directory(root).scan(plan)}
    refused_folders = {path for path in seen if path.endswith("/b1")}
    assert {where for where, _ in gaps} == refused_folders
    assert {reason for _, reason in gaps} == {"permission denied"}
    assert not any("/b1/" in path for path in seen)


def test_a_walk_that_nobody_takes_ends_with_its_target(root):
    before = threading.active_count()
    target = directory(root)
    target.walk(ScanPlan())
    target.close()
    target.close()
    assert threading.active_count() == before
