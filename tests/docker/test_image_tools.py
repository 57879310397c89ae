"""Layouts and archives as skopeo and umoci read them."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess

import pytest

from envlock.materialize.image.description import Image, Platform
from envlock.materialize.image.layers import split
from envlock.materialize.sinks.archive import write_archive
from envlock.materialize.sinks.layout import write_layout
from envlock.model.process import ProcessConfig
from envlock.model.text import to_bytes
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from tests.conftest import unavailable

CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")
CONTENT = b"x" * 1000
ROWS = Tree.of(
    [
        Row(Entry("/d", EntryType.DIRECTORY, 0o1777, 5, 6, 90), FileClass.UNOWNED),
        Row(
            Entry("/d/empty", EntryType.DIRECTORY, 0o700, 0, 0, 40),
            FileClass.PACKAGE,
            "deb a:amd64",
        ),
        Row(
            Entry(
                "/d/f",
                EntryType.FILE,
                0o4755,
                1,
                2,
                70,
                1000,
                xattrs=(("security.capability", CAPABILITY),),
            ),
            FileClass.PACKAGE,
            "deb a:amd64",
            "deb a ./f",
        ),
        Row(Entry("/d/fifo", EntryType.FIFO, 0o600, 0, 0, 3), FileClass.UNOWNED),
        Row(Entry("/d/l", EntryType.SYMLINK, 0o777, 0, 0, 8, target="/nowhere"), FileClass.UNOWNED),
        Row(Entry("/d/null", EntryType.CHAR, 0o666, 0, 0, 3, device=(1, 3)), FileClass.UNOWNED),
        Row(
            Entry("/d/\udce4\n" + "n" * 150, EntryType.FILE, 0o644, 0, 0, 20, 1000),
            FileClass.UNOWNED,
        ),
    ]
).rows


class Same:
    def chunks(self, row):
        return [CONTENT]


@pytest.fixture
def built(tmp_path):
    image = Image(
        layers=split(ROWS, {"deb a:amd64": "deb a"}),
        process=ProcessConfig(cmd=("/d/f",), environ={"A": "1"}, user="5", workdir="/d"),
        platform=Platform("arm64", "v8"),
        created=86_400,
    )
    return write_layout(tmp_path / "out", image, Same(), tag="v1")


def tool(name, *arguments, directory):
    if shutil.which(name) is None:
        unavailable("docker", f"{name} is not installed")
    command = [name, *arguments]
    return subprocess.run(command, check=True, capture_output=True, cwd=directory).stdout


def test_skopeo_reads_the_layout(built, tmp_path):
    found = json.loads(tool("skopeo", "inspect", "oci:out:v1", directory=tmp_path))
    assert found["Digest"] == built.manifest_digest
    assert found["Layers"] == [layer.diff_id for layer in built.layers]
    assert (found["Architecture"], found["Created"]) == ("arm64", "1970-01-02T00:00:00Z")
    assert found["Env"] == ["A=1"]


@pytest.mark.parametrize("source", ["oci-archive:image.tar", "docker-archive:image.tar"])
def test_skopeo_copies_the_archive(built, tmp_path, source):
    write_archive(tmp_path / "image.tar", tmp_path / "out", tag="web:v1")
    policy = tmp_path / "policy.json"
    policy.write_text('{"default":[{"type":"insecureAcceptAnything"}]}')
    tool("skopeo", "--policy", str(policy), "copy", source, "dir:copy", directory=tmp_path)
    manifest = json.loads((tmp_path / "copy/manifest.json").read_bytes())
    assert manifest["config"]["digest"] == built.config_digest


def test_umoci_unpacks_exactly_the_rows(built, tmp_path):
    if os.geteuid() != 0:
        unavailable("root", "device nodes and ownership need it")
    tool("umoci", "unpack", "--image", "out:v1", "bundle", directory=tmp_path)
    root = bytes(tmp_path / "bundle/rootfs")
    for row in ROWS:
        entry = row.entry
        path = root + to_bytes(entry.path)
        found = os.lstat(path)
        assert (found.st_uid, found.st_gid, int(found.st_mtime)) == (
            entry.uid,
            entry.gid,
            entry.mtime,
        ), entry.path
        assert entry.type == EntryType.SYMLINK or stat.S_IMODE(found.st_mode) == entry.mode
        if entry.type is EntryType.FILE:
            with open(path, "rb") as stream:
                assert stream.read() == CONTENT
    assert os.readlink(root + b"/d/l") == b"/nowhere"
    assert os.lstat(root + b"/d/null").st_rdev == os.makedev(1, 3)
    assert stat.S_ISFIFO(os.lstat(root + b"/d/fifo").st_mode)
    assert os.getxattr(root + b"/d/f", "security.capability") == CAPABILITY
    assert sorted(os.listdir(root + b"/d")) == [to_bytes(row.entry.path[3:]) for row in ROWS[1:]]
