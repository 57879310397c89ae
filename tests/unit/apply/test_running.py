"""Programs that run with files of before an update, and snapshots that could be taken."""

import mmap
from contextlib import closing
from pathlib import Path

import pytest

from envlock.apply.running import outdated_programs, snapshot_notes
from envlock.targets.kinds import open_target

OWN = Path("/proc/self/comm")


@pytest.fixture
def name():
    """Give this process a name that no other has."""
    before = OWN.read_text()
    OWN.write_text("maps-a-library")
    yield "maps-a-library"
    OWN.write_text(before)


def test_a_program_whose_library_was_replaced(tmp_path, name):
    library = tmp_path / "libapp.so.1"
    library.write_bytes(b"x" * 4096)
    with closing(open_target("host")) as host, library.open("rb") as opened:
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ):
            assert name not in outdated_programs(host)
            library.unlink()
            assert name in outdated_programs(host)
        assert name not in outdated_programs(host)


def test_a_root_without_processes_has_none(tmp_path):
    with closing(open_target(f"dir:{tmp_path}")) as target:
        assert outdated_programs(target) == ()
        assert list(snapshot_notes(target)) == []


def test_a_root_that_can_be_taken_back_whole(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/mounts").write_text("/dev/vda / btrfs rw 0 0\n/dev/vdb /data zfs rw 0 0\n")
    (tmp_path / "etc/snapper/configs").mkdir(parents=True)
    (tmp_path / "etc/snapper/configs/root").touch()
    with closing(open_target(f"dir:{tmp_path}")) as target:
        (note,) = snapshot_notes(target)
    assert note == "its root is on btrfs: a snapshot taken first with snapper undoes everything"
