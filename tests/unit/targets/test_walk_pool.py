"""A walk by several processes finds what one finds; every change changes a signature."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from contextlib import ExitStack, closing

import pytest

from envlock.targets.base import ScanPlan
from envlock.targets.folder import Folder
from envlock.targets.local.filesystem import directory
from envlock.targets.local.walk_pool import DEFAULT_BATCHING, Batching, WalkPool
from envlock.targets.packed_listing import unpack
from tests.conftest import WITHOUT_RIGHTS

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


def listed(root, jobs, batching=DEFAULT_BATCHING):
    with closing(WalkPool(str(root), jobs, batching)) as pool:
        return {listing.path: unpack(listing.packed)[0] for listing in pool.walk(NOTHING, None)}


def signed(root, jobs, excluded=NOTHING, batching=DEFAULT_BATCHING):
    with closing(WalkPool(str(root), jobs, batching)) as pool:
        return pool.signatures(excluded)


@pytest.mark.parametrize("jobs", [1, 2, 5])
@pytest.mark.parametrize("names", [1, 25, 10_000])
def test_processes_find_what_one_finds(root, jobs, names):
    batching = Batching(few=names, names=names)
    expected = {
        directory.removeprefix(str(root)): sorted(directories + files)
        for directory, directories, files in os.walk(root)
    }
    assert listed(root, jobs, batching) == expected
    assert signed(root, jobs, batching=batching).keys() == expected.keys()
    assert signed(root, jobs, batching=batching) == signed(root, 1)


def test_full_pipes_block_nobody(tmp_path):
    batching = Batching(few=50, names=50, pipe_size=4096)
    for number in range(400):
        (tmp_path / f"{number:0200}" / f"{number:0220}").mkdir(parents=True)
    assert len(listed(tmp_path, 3, batching)) == 801
    assert signed(tmp_path, 3, batching=batching).keys() == listed(tmp_path, 1).keys()


def test_exclusions_are_not_walked(root):
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
def test_every_change_changes_the_signature(root, change):
    before = signed(root, 1)
    change(root / "a1/b1/c1/file")
    after = signed(root, 1)
    changed = {path for path in before if before[path] != after[path]}
    assert "/a1/b1/c1" in changed
    assert changed <= {"/a1/b1/c1", "/a1/b1"}, "in the parent at most a time changes"


def test_a_walk_yields_the_same_signatures(root):
    target = directory(root)
    folders = {each.path: each for each in target.walk(ScanPlan()) if isinstance(each, Folder)}
    assert {path: f.signature for path, f in folders.items()} == target.signatures(ScanPlan())


WALK = """
import json, sys
from envlock.targets.base import ScanPlan
from envlock.targets.local.filesystem import directory
gaps = []
plan = ScanPlan(digest=False, on_gap=lambda *gap: gaps.append(gap))
seen = [entry.path for entry in directory(sys.argv[1]).scan(plan)]
json.dump([seen, gaps], sys.stdout)
"""


def test_a_directory_that_may_not_be_entered_is_a_gap(root):
    """It may be listed, but lstat is refused for the names in it."""
    closed = sorted(root.glob("a*/b1"))
    user: tuple[str, ...] = ()
    if os.geteuid() == 0:
        user = WITHOUT_RIGHTS
        for path in closed:
            os.chown(path, 65534, 65534)
    for path in closed:
        path.chmod(0o444)
    try:
        command = [*user, sys.executable, "-c", WALK, str(root)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    finally:
        for path in closed:
            path.chmod(0o755)
    seen, gaps = json.loads(done.stdout)
    refused = {f"/{path.relative_to(root)}" for path in closed}
    assert {where for where, _ in gaps} == refused <= set(seen)
    assert {reason for _, reason in gaps} == {"permission denied"}
    assert not any("/b1/" in path for path in seen)


def test_a_walk_that_is_not_consumed_ends_with_its_target(root):
    before = threading.active_count()
    target = directory(root)
    target.walk(ScanPlan())
    target.close()
    target.close()
    assert threading.active_count() == before


def test_descriptors_may_be_large(root):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limit)
        for _ in range(1100):
            stack.enter_context(open(os.devnull))
        assert listed(root, 2, Batching(few=1, names=1)) == listed(root, 1)
