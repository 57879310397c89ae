"""Layouts are loaded into a real Docker engine, and their files read back from it."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile

import pytest

from envlock.errors import MaterializeError, TargetError
from envlock.materialize.image.description import Image, Platform
from envlock.materialize.image.layers import split
from envlock.materialize.image.oci import blob_path
from envlock.materialize.sinks.docker import connect, load
from envlock.materialize.sinks.layout import write_layout
from envlock.model.process import ProcessConfig
from envlock.model.tree import Entry, EntryType, FileClass, Row, Tree
from tests.conftest import unavailable

pytestmark = pytest.mark.docker

TAG = "envlock-test/load:v1"
CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")  # cap_net_raw=ep
PADDING = os.urandom(1 << 20)  # so that no engine has images of this run


class Held:
    """Contents from a mapping."""

    def __init__(self, contents):
        self.contents = contents

    def chunks(self, row):
        return [self.contents[row.entry.path]]


def tree(value):
    """Return rows and contents of a small image: a package, and a value in the top layer."""
    contents = {
        "/srv/big": PADDING,
        "/srv/ping": b"#!",
        "/srv/\udce4\n": b"odd",
        "/srv/value": value,
    }
    long_link = "/srv/" + "l" * 150

    def file(path, file_class=FileClass.PACKAGE, **fields):
        digest = hashlib.sha256(contents[path]).hexdigest()
        entry = Entry(
            path, EntryType.FILE, 0o755, mtime=50, size=len(contents[path]), sha256=digest, **fields
        )
        packaged = file_class is FileClass.PACKAGE
        return Row(
            entry,
            file_class,
            "deb a:amd64" if packaged else "",
            "deb a:amd64 x" if packaged else "",
        )

    xattrs = (("security.capability", CAPABILITY),)
    link = Entry(
        "/srv/ping6", EntryType.HARDLINK, 0o755, mtime=50, target="/srv/ping", xattrs=xattrs
    )
    rows = [
        Row(Entry("/srv", EntryType.DIRECTORY, 0o750, 3, 4, 60), FileClass.PACKAGE, "deb a:amd64"),
        Row(Entry(long_link, EntryType.SYMLINK, 0o777, mtime=9, target="big"), FileClass.UNOWNED),
        file("/srv/big", uid=1000, gid=2_200_000),
        file("/srv/ping", xattrs=xattrs),
        file("/srv/\udce4\n"),
        file("/srv/value", FileClass.UNOWNED),
        Row(link, FileClass.PACKAGE, "deb a:amd64"),
    ]
    return Tree.of(rows).rows, contents


def build(directory, value=b"one"):
    rows, contents = tree(value)
    image = Image(
        layers=split(rows, {"deb a:amd64": "deb a"}),
        process=ProcessConfig(cmd=("/srv/ping",), labels={"io.envlock.environment-digest": "test"}),
        platform=Platform("amd64"),
        created=86_400,
    )
    return write_layout(directory, image, Held(contents)), rows, contents


@pytest.fixture
def client():
    try:
        client = connect()
    except TargetError as error:
        unavailable("docker", str(error))
    yield client
    for name in (TAG, "envlock-test/load:v2"):
        for image in client.images.list(name):
            client.images.remove(image.id, force=True)
    client.close()


def test_the_engine_holds_exactly_the_tree(client, tmp_path):
    built, rows, contents = build(tmp_path / "out")
    loaded = load(client, tmp_path / "out", built, tag=TAG)
    assert loaded.image_id in (built.image_id, built.manifest_digest)
    assert loaded.bytes_sent > len(PADDING)
    container = client.containers.create(TAG)
    try:
        exported = io.BytesIO(b"".join(container.export()))
    finally:
        container.remove()
    with tarfile.open(fileobj=exported, encoding="utf-8") as tar:
        members = {f"/{member.name}": member for member in tar}
        found = {
            path: tar.extractfile(member).read()
            for path, member in members.items()
            if member.isreg() and path.startswith("/srv/")
        }
    assert found == contents
    for row in rows:
        entry, member = row.entry, members[row.entry.path]
        assert (member.mode & 0o7777, member.uid, member.gid, member.mtime) == (
            entry.mode,
            entry.uid,
            entry.gid,
            entry.mtime,
        ), entry.path
    for path in ("/srv/ping", "/srv/ping6"):
        attribute = members[path].pax_headers["SCHILY.xattr.security.capability"]
        assert attribute.encode("utf-8", "surrogateescape") == CAPABILITY
    assert members["/srv/ping6"].linkname == "srv/ping"


def test_layers_the_engine_has_are_not_sent(client, tmp_path):
    first, _, _ = build(tmp_path / "one")
    load(client, tmp_path / "one", first, tag=TAG)
    again = load(client, tmp_path / "one", first, tag="envlock-test/load:v2")
    second, _, _ = build(tmp_path / "two", b"two")
    update = load(client, tmp_path / "two", second, tag="envlock-test/load:v2")
    assert client.images.get("envlock-test/load:v2").id == update.image_id
    if update.image_id == second.image_id:  # the classic store; containerd's needs every layer
        assert (again.bytes_sent, again.layers_reused) == (0, 2)
        assert update.layers_reused == 1
        assert update.bytes_sent < 20_000


def test_an_image_without_a_name(client, tmp_path):
    built, _, _ = build(tmp_path / "out", os.urandom(8))
    loaded = load(client, tmp_path / "out", built)
    client.images.remove(loaded.image_id, force=True)


def test_a_refusal_of_the_engine_is_reported(client, tmp_path):
    built, _, _ = build(tmp_path / "out", os.urandom(8))
    top = blob_path(tmp_path / "out", built.layers[-1].diff_id)
    top.write_bytes(top.read_bytes().replace(b"srv/value", b"srv/valid"))
    with pytest.raises(MaterializeError, match="the Docker engine refused the image: "):
        load(client, tmp_path / "out", built, tag=TAG)
    assert not client.images.list(TAG)


def test_an_engine_that_does_not_answer(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    with pytest.raises(TargetError, match="does not answer"):
        connect()
