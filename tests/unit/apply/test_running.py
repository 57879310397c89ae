"""Programs that run with files of before an update, and snapshots that could be taken."""

import subprocess
import sys
from contextlib import closing, contextmanager

from envlock.apply.running import outdated_programs, snapshot_notes
from envlock.targets.kinds import open_target

NAME = "maps-a-library"
MAPS = f"""
import mmap, sys
open("/proc/self/comm", "w").write("{NAME}")
with open(sys.argv[1], "rb") as library:
    mapped = mmap.mmap(library.fileno(), 0, access=mmap.ACCESS_READ)
print("mapped", flush=True)
sys.stdin.read()
"""


@contextmanager
def running_with(library):
    """Run a program of a name that no other has, with `library` mapped, until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-c", MAPS, str(library)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"mapped\n"
        yield
        process.communicate()


def test_a_program_whose_library_was_replaced(tmp_path):
    library = tmp_path / "libapp.so.1"
    library.write_bytes(b"x" * 4096)
    with closing(open_target("host")) as host:
        with running_with(library):
            assert NAME not in outdated_programs(host)
            library.unlink()
            assert NAME in outdated_programs(host)
        assert NAME not in outdated_programs(host)


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
