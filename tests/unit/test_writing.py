"""A file that is written is complete or unchanged, and no link that was planted is followed."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from envlock.store.objects import Store
from envlock.writing import (
    end_with_holes,
    is_draft,
    is_standard_output,
    new_directory,
    output,
    replacing,
    write_sparsely,
    write_with_holes,
)
from tests.conftest import unavailable

WRITER = """
import sys, time
from pathlib import Path
from envlock.writing import new_directory, replacing
with (replacing if sys.argv[1] == "file" else new_directory)(Path(sys.argv[2])):
    print(flush=True)
    time.sleep(600)
"""


def drafts(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if is_draft(name)]


def write(path: Path, content: bytes = b"new") -> None:
    with output(path) as stream:
        stream.write(content)


def test_a_file_is_replaced_with_mode_and_owner(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    if not os.geteuid():
        os.chown(path, 12, 34)
    before = path.stat()
    write(path)
    after = path.stat()
    assert path.read_bytes() == b"new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )
    assert after.st_ino != before.st_ino, "it is another file, so that readers see all of one"


def test_an_error_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), replacing(path) as stream:
        stream.write(b"half")
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), new_directory(tmp_path / "directory") as draft:
        (draft / "x").write_bytes(b"half")
        raise ZeroDivisionError
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"file": b"old"}


def test_nobody_foresees_the_name_of_a_draft(tmp_path):
    names = set()
    for _ in range(3):
        with replacing(tmp_path / "file"):
            names.update(drafts(tmp_path))
    assert len(names) == 3


@pytest.mark.parametrize("name", ["plain", "n" * 255, "\udcff\n", ".envlock-0"])
def test_any_name_can_be_written(tmp_path, name):
    write(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"new"


def test_links_are_followed_and_stay(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/file").write_bytes(b"old")
    for link, target in (("one", "a/file"), ("two", "one"), ("new", "a/new")):
        (tmp_path / link).symlink_to(target)
        write(tmp_path / link, link.encode())
        assert os.readlink(tmp_path / link) == target
        assert (tmp_path / link).read_bytes() == link.encode()
    assert (tmp_path / "a/file").read_bytes() == b"two"
    assert not drafts(tmp_path / "a")


def test_a_link_to_itself_is_an_error(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        write(tmp_path / "loop")


def test_a_device_is_written_to_and_stays(tmp_path, null_device):
    before = null_device.stat()
    (tmp_path / "link").symlink_to(null_device)
    for path in (null_device, tmp_path / "link"):
        write(path)
    after = null_device.stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert stat.S_ISCHR(after.st_mode)


def test_a_pipe_is_written_to_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write(pipe, b"x" * 200_000)
    reader.join(30)
    assert got == [b"x" * 200_000]
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}", "/proc/{pid}/fd/{}"])
def test_a_descriptor_is_written_to_where_it_stands(tmp_path, name):
    with (tmp_path / "file").open("w+b") as file:
        file.write(b"before ")
        file.flush()
        write(Path(name.format(file.fileno(), pid=os.getpid())))
        file.write(b" after")
    assert (tmp_path / "file").read_bytes() == b"before new after"


def test_a_directory_is_an_error_and_stays(tmp_path):
    with pytest.raises(OSError, match="Is a directory"):
        write(tmp_path)
    assert tmp_path.is_dir()


def test_standard_output_is_known_under_each_of_its_names(tmp_path):
    code = (
        "import sys; from pathlib import Path; from envlock.writing import is_standard_output\n"
        "print([is_standard_output(Path(p)) for p in sys.argv[1:]], file=sys.stderr)"
    )
    (tmp_path / "out").symlink_to("/dev/stdout")
    paths = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", str(tmp_path / "out")]
    others = ["/dev/stderr", "/dev/null", str(tmp_path / "file")]
    ran = subprocess.run(
        [sys.executable, "-c", code, *paths, *others], capture_output=True, text=True, check=True
    )
    assert ran.stderr.strip() == str([True] * 4 + [False] * 3)
    assert not is_standard_output(tmp_path / "none")


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_the_draft_of_a_killed_process_is_swept_and_that_of_a_living_one_is_not(tmp_path, kind):
    path = tmp_path / "place"

    def begin() -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, kind, str(path)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        return child

    dead, other = begin(), tmp_path / ".envlock-000000000000-0123456789abcdef"
    other.write_bytes(b"of another file")
    (left,) = set(drafts(tmp_path)) - {other.name}
    living = begin()
    try:
        dead.send_signal(signal.SIGKILL)
        dead.communicate()
        assert left in drafts(tmp_path)
        with new_directory(path) if kind == "directory" else replacing(path):
            pass
        assert left not in drafts(tmp_path)
        assert len(drafts(tmp_path)) == 2, "that of the living process, and the other file"
    finally:
        living.kill()
        living.communicate()


def test_many_at_once_take_no_draft_of_another_for_abandoned(tmp_path):
    errors: list[OSError] = []

    def write_often(number: int) -> None:
        try:
            for turn in range(150):
                write(tmp_path / "file", b"%d %d" % (number, turn))
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write_often, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_that_is_mounted_alone_is_written_in_place(tmp_path):
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.write_bytes(b"a longer old content")
    outer.write_bytes(b"")
    mounted = subprocess.run(
        ["mount", "--bind", outer, inner], check=False, capture_output=True
    ).returncode
    if mounted:
        unavailable("mounts", "this user may not mount")
    try:
        write(inner)
    finally:
        subprocess.run(["umount", inner], check=True)
    assert outer.read_bytes() == b"new"
    assert not drafts(tmp_path)


@pytest.mark.parametrize(
    "pieces",
    [
        [bytes(5 << 20)],
        [b"a", bytes(5 << 20)],
        [bytes(5 << 20), b"z"],
        [b"a" * 70_000 + bytes(200_000) + b"b" * 3, bytes(100), b"c" + bytes(300_000)],
        [b"\0" + b"x" * 65_534 + b"\0", b"whole"],
        [b""],
    ],
)
def test_zeros_become_holes_and_read_as_zeros(tmp_path, pieces):
    path = tmp_path / "file"
    with path.open("xb") as stream:
        for piece in pieces:
            write_with_holes(stream, piece)
        end_with_holes(stream)
    content = b"".join(pieces)
    assert path.read_bytes() == content
    zeros = content.count(0)
    assert path.stat().st_blocks * 512 <= len(content) - zeros + 4 * 65_536


def test_a_sparse_file_stays_sparse_in_the_store(tmp_path):
    size = 64 << 20
    with Store.open(tmp_path / "store") as store:
        sha256 = store.put_stream(bytes(1 << 20) for _ in range(size >> 20))
        store.commit()
        path = store.path(sha256)
        assert path.stat().st_size == size
        assert path.stat().st_blocks * 512 < size / 50
        assert store.read(sha256) == bytes(size)


CHUNKS = [b"begin", bytes(8 << 20), b"end", bytes(1 << 20)]


def test_an_empty_file_is_written_with_holes(tmp_path):
    with (tmp_path / "x").open("wb") as stream:
        write_sparsely(stream, CHUNKS)
    assert (tmp_path / "x").read_bytes() == b"".join(CHUNKS)
    assert (tmp_path / "x").stat().st_blocks * 512 < 1 << 20


@pytest.mark.parametrize("before", [b"", b"before"])
def test_a_file_that_is_appended_to_is_written_as_it_comes(tmp_path, before):
    (tmp_path / "x").write_bytes(before)
    with (tmp_path / "x").open("ab") as stream:
        write_sparsely(stream, CHUNKS)
    assert (tmp_path / "x").read_bytes() == before + b"".join(CHUNKS)


def test_a_pipe_gets_every_zero():
    reading, writing = os.pipe()
    with open(reading, "rb") as source, open(writing, "wb") as stream:
        received = []
        reader = threading.Thread(target=lambda: received.append(source.read()))
        reader.start()
        write_sparsely(stream, CHUNKS)
        stream.close()
        reader.join(60)
    assert received == [b"".join(CHUNKS)]
