"""Killed at any moment, or without power, envlock leaves a sound store and complete files.

`ENVLOCK_CRASHES=10000` tries at least so many states instead of about a thousand.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envlock.capture.request import Request
from envlock.lockfile.reader import parse_lock
from envlock.lockfile.writer import write_lock
from envlock.materialize.artifacts.obtain import SourceOptions
from envlock.materialize.assemble import BuildOptions
from envlock.materialize.image.oci import read_manifest
from envlock.store.check import check
from envlock.store.gc import collect_garbage
from envlock.store.objects import Store
from envlock.store.refs import ref_files
from envlock.workflow import capture_target, materialize
from tests.crash.watched_disk import State, WatchedDisk

WANTED = int(os.environ.get("ENVLOCK_CRASHES", "1000"))
RANDOM = max(1, WANTED // 250) if WANTED > 1000 else 1
"""Random states a moment: with one, the scenarios together have more than a thousand states."""
EVERY = max(1, WANTED // 100)
"""After each so many states the work is done again: it must succeed and give the same bytes."""


class World:
    """A root, and beside it on the watched disk a store, a lock and an image."""

    def __init__(self, folder: Path, disk: Path) -> None:
        self.root = folder / "root"
        self.disk = disk
        self.lock = disk / "box.lock"
        self.image = disk / "image"

    def put(self, name: str, content: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def on(self, disk: Path) -> World:
        return World(self.root.parent, disk)

    def capture(self) -> None:
        with Store.open(self.disk / "store") as store:
            captured = capture_target(
                f"dir:{self.root}", Request(), store, lambda *_: None, keep=True
            )
            write_lock(self.lock, captured.lock)

    def materialize(self) -> None:
        raw = self.lock.read_bytes()
        with Store.open(self.disk / "store") as store:
            lock = parse_lock(raw, "box.lock")
            options = BuildOptions(directory=self.image, sources=SourceOptions(offline=True))
            materialize(lock, raw, store, options, lambda *_: None)

    def collect(self) -> None:
        with Store.open(self.disk / "store") as store:
            collect_garbage(store, 0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A root to capture, in memory where there is a directory for that: it is written often."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else tmp_path))
    (folder / "disk").mkdir()
    world = World(folder, folder / "disk")
    world.put("var/lib/dpkg/arch", b"amd64\n")
    world.put("usr/share/doc/x", b"x")
    for number in range(6):
        world.put(f"srv/{number}", b"%d\n" % number * 100)
    world.put("srv/large", bytes(range(256)) * 5000)
    yield world
    shutil.rmtree(folder)


def nothing(_world: World) -> None:
    return None


def captured(world: World) -> None:
    world.capture()
    for number in range(3, 8):
        world.put(f"srv/{number}", b"other %d\n" % number * 50)


def many_files(world: World) -> None:
    for number in range(80):  # more than are flushed one by one
        world.put(f"srv/many/{number}", b"many %d\n" % number)


def captured_to_rebuild(world: World) -> None:
    world.capture()


def rebuilt(world: World) -> None:
    world.capture()
    world.materialize()
    world.put("srv/1", b"another\n")
    world.capture()


def with_garbage(world: World) -> None:
    captured(world)
    world.capture()
    with Store.open(world.disk / "store") as store:
        oldest = min(ref_files(store), key=lambda path: path.stat().st_mtime)
        for number in range(20):
            store.put(b"garbage %d" % number)
        store.commit()
    oldest.unlink()


SCENARIOS: dict[str, tuple[Callable[[World], None], Callable[[World], None]]] = {
    "first capture": (nothing, World.capture),
    "capture after changes": (captured, World.capture),
    "capture of many files": (many_files, World.capture),
    "rebuild": (captured_to_rebuild, World.materialize),
    "rebuild into a layout": (rebuilt, World.materialize),
    "garbage collection": (with_garbage, World.collect),
}
TRIED: dict[str, Counter[str]] = {}
"""How many states of each kind were tried, by scenario."""


def lock_of(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def require_sound(world: World, allowed: set[bytes], manifests: set[str]) -> None:
    """Require a store without a fault, and a lock and an image that are complete or absent."""
    if (world.disk / "store/objects").is_dir():
        with Store.open(world.disk / "store") as store:
            assert check(store, read_data=True) == []
            assert os.listdir(store.root / "tmp") == []
    assert lock_of(world.lock) in allowed
    if world.image.exists():
        assert read_manifest(world.image).digest in manifests
        for blob in read_manifest(world.image).layers:
            assert (world.image / "blobs/sha256" / blob.removeprefix("sha256:")).is_file()


def manifest(image: Path) -> str:
    return read_manifest(image).digest if image.exists() else ""


def drafts(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(".envlock-")]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_state_is_sound_and_the_work_can_be_done_again(world: World, name: str) -> None:
    prepare, work = SCENARIOS[name]
    prepare(world)
    allowed, manifests = {b"", lock_of(world.lock)}, {"", manifest(world.image)}
    with WatchedDisk(world.disk, RANDOM) as watched:
        work(world)
    allowed.add(lock_of(world.lock))
    manifests.add(manifest(world.image))
    states = list(watched.states())
    TRIED[name] = Counter(state.kind for state in states)
    print(f"{name}: {TRIED[name]}")
    for number, state in enumerate(states):
        after = world.on(place(world, state))
        try:
            require_sound(after, allowed, manifests)
            if number % EVERY == 0:
                require_repeatable(after, world, work)
        except BaseException as error:
            error.add_note(f"moment {state.moment} of {watched.moments}, {state.kind}")
            raise
        shutil.rmtree(after.disk)


def place(world: World, state: State) -> Path:
    folder = world.root.parent / "crashed"
    state.write(folder)
    return folder


def require_repeatable(after: World, world: World, work: Callable[[World], None]) -> None:
    """Require that the same work succeeds, gives the same, and leaves no draft."""
    if work is World.capture or not after.lock.exists():
        after.capture()
    work(after)
    assert lock_of(after.lock) == lock_of(world.lock)
    assert manifest(after.image) == manifest(world.image)
    assert drafts(after.disk) == []
    with Store.open(after.disk / "store") as store:
        assert check(store, read_data=True) == []


def test_enough_states_were_tried() -> None:
    """It runs last, and only where all scenarios did."""
    if TRIED.keys() == SCENARIOS.keys():
        tried = sum(TRIED.values(), Counter())
        print(f"all scenarios: {tried.total()} states: {tried}")  # `pytest -rP` shows it
        assert tried.total() >= WANTED, TRIED
