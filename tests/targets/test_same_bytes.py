"""An environment that did not change gives the same bytes, however often it is captured."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from contextlib import closing

import docker
import pytest

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.lockfile.writer import render_lock
from envlock.model.tree import Entry, EntryType
from envlock.targets.kinds import open_target
from envlock.targets.stream.engine_paths import remove_engine_paths
from envlock.targets.stream.file_tree import FileTree
from envlock.targets.stream.oci import OciTarget
from tests.conftest import unavailable
from tests.targets.conftest import layout_of, remote_target, tar_of
from tests.targets.test_linked_folders import process_target

OLD = 1_600_000_000
KINDS = ("dir", "oci", "image", "docker", "podman", "pid", "remote", "tar")


@pytest.fixture
def root(tmp_path):
    """Return a small root that lacks what an engine adds, but for an empty /etc/hostname."""
    root = tmp_path / "root"
    for name, text in (("etc/os-release", "ID=debian\n"), ("etc/hostname", ""), ("srv/a", "a")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "dev").mkdir()
    for path in (*root.rglob("*"), root):
        os.utime(path, (OLD, OLD))
    return root


def imported(request, kind, root):
    """Return a client of an engine, and the name of an image of `root` in it."""
    if os.geteuid():
        unavailable("root", "owners need root")
    if kind == "podman":
        request.getfixturevalue("podman")
        client = docker.from_env()
        request.addfinalizer(client.close)
    else:
        client = request.getfixturevalue("engine")
    name = f"envlock-test/twice-{uuid.uuid4().hex[:8]}"
    take = ["docker", "import", "--change", "VOLUME /var/cache/app", "-", name]
    subprocess.run(take, input=tar_of(root), check=True, capture_output=True)
    request.addfinalizer(lambda: client.images.remove(name, force=True))
    return client, name


def openers(request, kind, root, tmp_path):
    """Yield targets of one environment; a container is created anew for each."""
    if kind in ("image", "podman", "docker"):
        client, name = imported(request, kind, root)
    layout = layout_of(tmp_path / "layout", [tar_of(root)]) if kind == "oci" else None
    while True:
        if kind == "oci":
            yield OciTarget.at(layout)
        elif kind in ("image", "podman"):
            yield open_target(f"image:{name}")
        elif kind == "docker":
            container = client.containers.create(name, command=["x"])
            request.addfinalizer(lambda c=container: c.remove(force=True, v=True))
            yield open_target(f"docker:{container.name}")
        elif kind == "pid":
            yield process_target(request, root)
        elif kind == "dir":
            yield open_target(f"dir:{root}")
        else:
            yield remote_target(kind, root)


def written(target, **request):
    with closing(target):
        found = capture(target, collectors(), Request(**request))
        return render_lock(found.lock), found.make_tree().render().content


@pytest.mark.parametrize("kind", KINDS)
def test_two_captures_give_the_same_bytes(request, kind, root, tmp_path):
    opened = openers(request, kind, root, tmp_path)
    # Two processes have two environments, by their ids alone.
    skip = {"skip": frozenset({"env", "loaded"})} if kind == "pid" else {}
    first = written(next(opened), **skip)
    time.sleep(2.1)  # the times in a tree are whole seconds
    second = written(next(opened), **skip)
    assert second == first


def test_an_image_of_an_engine_has_the_files_of_its_layers(request, root, tmp_path):
    opened = openers(request, "image", root, tmp_path)
    _, inside = written(next(opened))
    _, outside = written(next(openers(request, "oci", root, tmp_path)))
    assert inside == outside


def made(*entries):
    tree = FileTree()
    tree.entries.update((entry.path, entry) for entry in entries)
    return tree


def folder(path, mtime):
    return Entry(path, EntryType.DIRECTORY, 0o755, mtime=mtime)


def file(path, mtime, size=0):
    return Entry(path, EntryType.FILE, 0o644, mtime=mtime, size=size)


def test_only_what_the_engine_made_is_removed():
    now = OLD + 1000
    tree = made(
        folder("/", now),
        file("/.dockerenv", now),
        folder("/etc", now),
        file("/etc/hostname", OLD),
        file("/etc/hosts", now, size=9),
        file("/etc/resolv.conf", now),
        file("/etc/passwd", OLD + 1),
        folder("/proc", OLD),
        folder("/sys", now),
        folder("/data", now),
        folder("/srv", now),
        file("/srv/kept", now),
        folder("/srv/volume", now),
    )
    remove_engine_paths(tree, now, ("/data", "/srv/volume"))
    assert {path: entry.mtime for path, entry in tree.entries.items()} == {
        "/": OLD + 1,
        "/etc": OLD + 1,
        "/etc/hostname": OLD,
        "/etc/hosts": now,
        "/etc/passwd": OLD + 1,
        "/proc": OLD,
        "/srv": 0,
        "/srv/kept": now,
    }
