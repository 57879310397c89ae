"""At each bound everything is read; one more is refused, in words that name the bound.

The bounds are parameters: here they are small, and `docs/reference/limits.md` has their numbers.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from envlock.capture.context import LINE_LIMIT, Context
from envlock.config.convert import MAX_COUNT, MAX_ITEMS, MAX_PATTERN
from envlock.config.sources import Source, read_bytes
from envlock.errors import EnvlockError, TargetError
from envlock.formats.binary import zip_archive
from envlock.materialize.artifacts.unpacked import index_members
from envlock.model.coverage import Gap
from envlock.targets.base import READ_LIMIT, ScanPlan
from envlock.targets.local.filesystem import LocalTarget
from envlock.targets.stream.decompress import DEFAULT_BOUNDS, decompressed
from envlock.targets.stream.streaming import RETAIN_LIMIT, StreamingTarget
from envlock.targets.stream.tar_reader import DEFAULT_LIMITS, TarLimits, members
from tests.targets.conftest import remote_target

NAMES = ("a", "bb", "ccc")


def tar(count: int = 3, size: int = 4) -> bytes:
    """Return a tar of some files, without the padding that tarfile adds."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in NAMES[:count]:
            info = tarfile.TarInfo(name)
            info.size = size
            archive.addfile(info, io.BytesIO(b"x" * size))
    return buffer.getvalue()[: count * 1024 + 1024]


def read(raw: bytes, limits: TarLimits) -> list[str]:
    return [entry.path for entry, _ in members([raw], "x.tar", limits)]


def test_the_size_of_a_layer() -> None:
    bounds = DEFAULT_BOUNDS._replace(total=100_000)
    assert len(b"".join(decompressed([bytes(100_000)], "x", bounds))) == 100_000
    with pytest.raises(TargetError, match="a layer of more than 100,001 bytes"):
        list(decompressed([bytes(100_001)], "x", bounds))


def test_members_of_an_archive() -> None:
    limits = DEFAULT_LIMITS._replace(members=2)
    assert read(tar(2), limits) == ["/a", "/bb"]
    with pytest.raises(TargetError, match="more than 2 members"):
        read(tar(3), limits)


def test_names_of_an_archive() -> None:
    limits = DEFAULT_LIMITS._replace(names=len("/a/bb/ccc"))
    assert read(tar(3), limits) == ["/a", "/bb", "/ccc"]
    with pytest.raises(TargetError, match="more than 8 bytes of names"):
        read(tar(3), limits._replace(names=len("/a/bb/ccc") - 1))


def test_what_follows_the_end_of_an_archive() -> None:
    limits = DEFAULT_LIMITS._replace(trailing=512 + 1000)
    assert read(tar(1) + bytes(1000), limits) == ["/a"]
    with pytest.raises(TargetError, match="more than 1,512 bytes after its end"):
        read(tar(1) + bytes(1001), limits)


def test_members_of_a_zip_archive() -> None:
    raw = zipped(3)
    limits = zip_archive.DEFAULT_LIMITS._replace(members=3)
    assert len(zip_archive.open_archive(io.BytesIO(raw), limits).infolist()) == 3
    with pytest.raises(ValueError, match="more than 2 members"):
        zip_archive.open_archive(io.BytesIO(raw), limits._replace(members=2))


def test_the_directory_of_a_zip_archive() -> None:
    raw = zipped(40)
    size = 40 * (46 + len("name-00"))
    limits = zip_archive.DEFAULT_LIMITS._replace(directory=size)
    assert len(zip_archive.open_archive(io.BytesIO(raw), limits).infolist()) == 40
    with pytest.raises(ValueError, match=f"a part of {size:,} bytes"):
        zip_archive.open_archive(io.BytesIO(raw), limits._replace(directory=size - 1))


def zipped(count: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(count):
            archive.writestr(f"name-{number:02}", b"")
    return buffer.getvalue()


def test_members_of_a_deb(tmp_path: Path) -> None:
    (tmp_path / "data.tar").write_bytes(tar(3))
    assert set(index_members(tmp_path / "data.tar", 3)) == set(NAMES)
    with pytest.raises(ValueError, match="more than 2 members"):
        index_members(tmp_path / "data.tar", 2)


class Streamed(StreamingTarget):
    """A target of one or two layers that counts what is fetched again."""

    def __init__(self, *layers: bytes, limits: TarLimits = DEFAULT_LIMITS, total: int = 1 << 30):
        super().__init__("x", limits, total)
        self._raw = layers
        self.fetched: list[str] = []

    def _layers(self):
        return ([raw] for raw in self._raw)

    def _fetch(self, path):
        self.fetched.append(path)
        yield from (one for one in members([self._raw[0]]) if one.entry.path == path)

    def _stat_in_root(self, path):
        return None

    def process(self):
        return None


def test_paths_of_a_tree_of_layers() -> None:
    other = tar(1).replace(b"a\0", b"z\0", 1)
    other = other[:148] + b"%06o\0 " % (sum(other[:148]) + sum(other[156:512]) + 256) + other[156:]
    limits = DEFAULT_LIMITS._replace(members=4)
    assert len(list(Streamed(tar(3), other, limits=limits).scan(ScanPlan()))) == 5  # and the root
    with pytest.raises(TargetError, match="more than 3 paths"):
        list(Streamed(tar(3), other, limits=limits._replace(members=3)).scan(ScanPlan()))


@pytest.mark.parametrize(("total", "kept"), [(12, 3), (11, 2), (3, 0)])
def test_files_that_a_streaming_target_keeps(total: int, kept: int) -> None:
    """What does not fit is fetched when it is asked for, before a scan as after it."""
    target = Streamed(tar(3), total=total)
    list(target.scan(ScanPlan(retain=lambda _path: True)))
    assert [target.read(f"/{name}") for name in NAMES] == [b"xxxx"] * 3
    assert len(target.fetched) == 3 - kept
    early = Streamed(tar(3), total=total)
    early.preload([f"/{name}" for name in NAMES])
    early.fetched.clear()
    assert [early.read(f"/{name}") for name in NAMES] == [b"xxxx"] * 3
    assert len(early.fetched) == 3 - kept


@pytest.mark.parametrize("total", [12, 11, 3])
def test_files_that_a_remote_target_keeps(total: int, tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).write_bytes(b"xxxx")
    with closing(remote_target("remote", tmp_path, total)) as target:
        target.preload([f"/{name}" for name in NAMES])
        assert [target.content(f"/{name}") for name in NAMES].count(b"xxxx") == total // 4
        assert [target.read(f"/{name}") for name in NAMES] == [b"xxxx"] * 3
        list(target.scan(ScanPlan(retain=lambda _path: True)))
        assert [target.read(f"/{name}") for name in NAMES] == [b"xxxx"] * 3
        assert [target.content(f"/{name}") for name in NAMES].count(b"xxxx") == total // 4


@pytest.mark.parametrize("kind", ["dir", "pid", "remote", "streamed"])
def test_files_that_one_collector_reads(kind: str, tmp_path: Path) -> None:
    """The sum bounds what a collector may hold at once, whatever kind of target it reads."""
    for name in NAMES:
        (tmp_path / name).write_bytes(b"xxxx")
    made = {
        "dir": lambda: LocalTarget(tmp_path, "dir:x", is_host=False),
        "pid": lambda: LocalTarget(tmp_path, "pid:1", is_host=False),
        "remote": lambda: remote_target("remote", tmp_path),
        "streamed": lambda: Streamed(tar(3)),
    }
    with closing(made[kind]()) as target:
        index = {entry.path: entry for entry in target.scan(ScanPlan(retain=lambda _path: True))}
        for total, gaps in ((12, []), (11, [Gap("/ccc", "too large, with the files read before")])):
            context = Context(target, index, read_total=total)
            found = [context.read(f"/{name}") for name in NAMES]
            assert found == [b"xxxx", b"xxxx", None if gaps else b"xxxx"]
            assert context.gaps == gaps


def test_a_file_that_a_collector_reads_whole(tmp_path: Path) -> None:
    for name, size in (("largest", READ_LIMIT), ("larger", READ_LIMIT + 1)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    with closing(LocalTarget(tmp_path, "dir:x", is_host=False)) as target:
        context = Context(target, {})
        assert len(context.read("/largest") or b"") == READ_LIMIT
        assert context.read("/larger") is None
        assert context.gaps == [Gap("/larger", "too large")]


def test_a_line_of_a_kernel_file(tmp_path: Path) -> None:
    (tmp_path / "longest").write_bytes(b"x" * LINE_LIMIT)
    (tmp_path / "longer").write_bytes(b"x" * (LINE_LIMIT + 1))
    with closing(LocalTarget(tmp_path, "dir:x", is_host=False)) as target:
        context = Context(target, {})
        assert context.line("/longest") == "x" * LINE_LIMIT
        assert context.line("/longer") == ""
        assert context.gaps == [Gap("/longer", "too large")]


@pytest.mark.parametrize(("more", "fetched"), [(0, []), (1, ["/a"])])
def test_a_file_that_a_streaming_target_keeps(more: int, fetched: list[str]) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("a")
        info.size = RETAIN_LIMIT + more
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    target = Streamed(buffer.getvalue())
    list(target.scan(ScanPlan(retain=lambda _path: True)))
    with target.open("/a") as file:
        assert len(file.read()) == RETAIN_LIMIT + more
    assert target.fetched == fetched


@pytest.mark.parametrize(
    ("largest", "larger", "reason"),
    [
        (
            "capture.files = [" + '"/a",' * MAX_ITEMS + "]",
            "capture.files = [" + '"/a",' * (MAX_ITEMS + 1) + "]",
            "at most 10,000 items",
        ),
        (
            f"jobs = {MAX_COUNT}",
            f"jobs = {MAX_COUNT + 1}",
            "at most 1,000,000,000",
        ),
        (
            f'capture.files = ["/{"a" * (MAX_PATTERN - 1)}"]',
            f'capture.files = ["/{"a" * MAX_PATTERN}"]',
            "a pattern of more than 4,096 characters",
        ),
    ],
)
def test_values_of_settings(largest: str, larger: str, reason: str) -> None:
    read_bytes(largest.encode(), "x", Source.PROJECT, str)
    with pytest.raises(EnvlockError, match=reason):
        read_bytes(larger.encode(), "x", Source.PROJECT, str)
