"""Tar streams, image layers, and truncated streams."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import socket
import tarfile
import threading
from contextlib import closing

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from envlock.errors import TargetError
from envlock.model.text import from_bytes
from envlock.model.tree import EntryType
from envlock.targets.base import ScanPlan
from envlock.targets.kinds import open_target
from envlock.targets.stream.oci import OciTarget
from envlock.targets.stream.tar_reader import members
from tests.targets.conftest import layout_of

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def archive(files, form=tarfile.PAX_FORMAT):
    """Return a tar of (name, content) or of ready-made TarInfo values."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, errors="surrogateescape") as tar:
        for item in files:
            info = item if isinstance(item, tarfile.TarInfo) else tarfile.TarInfo(item[0])
            content = b"" if isinstance(item, tarfile.TarInfo) else item[1]
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def read(raw, step=7):
    chunks = (raw[at : at + step] for at in range(0, len(raw), step))
    return {entry.path: (entry, b"".join(content)) for entry, content in members(chunks)}


names = st.binary(min_size=1, max_size=300).map(from_bytes).filter(
    lambda name: "\0" not in name
    and not {"", ".", ".."} & set(name.split("/"))
    and not name.endswith("/")
)  # fmt: skip


@pytest.mark.parametrize("form", FORMATS[1:], ids=["gnu", "pax"])
@given(files=st.dictionaries(names, st.binary(max_size=600), max_size=4), step=st.integers(1, 999))
def test_archives_of_tarfile_are_read(form, files, step):
    found = read(archive(files.items(), form), step)
    assert {path: content for path, (_, content) in found.items()} == {
        f"/{name}": content for name, content in files.items()
    }


@given(st.binary(max_size=2000))
def test_arbitrary_bytes_raise_only_target_errors(raw):
    with contextlib.suppress(TargetError):
        read(raw)


@given(st.data())
def test_a_truncated_archive_raises(data):
    raw = archive([("a", b"x" * 700), ("b", b"y")])
    end = len(raw.rstrip(b"\0")) + 1
    cut = data.draw(st.integers(0, end - 1))
    with pytest.raises(TargetError, match="damaged"):
        read(raw[:cut])


def test_numbers_beyond_octal_and_times_before_1970():
    info = tarfile.TarInfo("x")
    info.uid, info.mtime = 5_000_000, -1.5
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        entry, _ = read(archive([info], form))["/x"]
        assert entry.uid == 5_000_000
        assert entry.mtime in (-2, -1)


def test_a_member_outside_of_the_archive_raises():
    with pytest.raises(TargetError, match="outside of the archive"):
        read(archive([("../x", b"")]))


@pytest.mark.parametrize("size", [b"\xff" * 12, b"77777777777\0"], ids=["negative", "enormous"])
def test_a_member_of_impossible_size_raises(size):
    header = bytearray(archive([("srv/file", b"x")], tarfile.USTAR_FORMAT))
    header[124:136] = size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    with pytest.raises(TargetError, match="damaged"):
        read(bytes(header))


@pytest.mark.parametrize("name", ["index.json", "manifest", "config"])
def test_deeply_nested_json_raises(tmp_path, name):
    layout = layout_of(tmp_path / "image", [archive([("srv/file", b"x")])])
    deep = b"[" * 200_000
    if name == "index.json":
        (layout / name).write_bytes(deep)
    else:
        digest = hashlib.sha256(deep).hexdigest()
        (layout / "blobs/sha256" / digest).write_bytes(deep)
        index = json.loads((layout / "index.json").read_bytes())
        described = index["manifests"][0]
        if name == "config":
            old = layout / "blobs/sha256" / described["digest"].removeprefix("sha256:")
            manifest = json.loads(old.read_bytes())
            manifest["config"]["digest"] = f"sha256:{digest}"
            raw = json.dumps(manifest).encode()
            digest = hashlib.sha256(raw).hexdigest()
            (layout / "blobs/sha256" / digest).write_bytes(raw)
        described["digest"] = f"sha256:{digest}"
        (layout / "index.json").write_text(json.dumps(index))
    with pytest.raises(TargetError, match="not JSON"), closing(open_target(f"oci:{layout}")) as it:
        list(it.scan(ScanPlan()))
        it.process()


def link(name, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.LNKTYPE, target
    return info


def directory(name):
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, 0o755
    return info


def tree(tmp_path, *layers, compress=lambda raw: raw):
    target = OciTarget.at(
        layout_of(tmp_path / "layout", [archive(layer) for layer in layers], compress)
    )
    kept = {}
    for entry in target.scan(ScanPlan(retain=lambda _path: True)):
        if entry.type is EntryType.FILE:
            kept[entry.path] = target.read(entry.path)
        elif entry.type is EntryType.HARDLINK:
            kept[entry.path] = ("link", entry.target)
    return kept


def test_whiteouts_hide_only_paths_of_lower_layers(tmp_path):
    lower = [
        directory("a"),
        ("a/x", b"1"),
        ("a/y", b"2"),
        ("ab", b"3"),
        directory("o"),
        ("o/x", b"4"),
    ]
    upper = [("a/.wh.x", b""), directory("o"), ("o/new", b"5"), ("o/.wh..wh..opq", b"")]
    assert tree(tmp_path, lower, upper) == {"/a/y": b"2", "/ab": b"3", "/o/new": b"5"}


def test_a_file_over_a_directory_hides_its_content(tmp_path):
    assert tree(tmp_path, [directory("a"), ("a/x", b"1")], [("a", b"2")]) == {"/a": b"2"}


def test_hard_links_keep_the_content_of_a_file_that_a_layer_replaces(tmp_path):
    lower = [("a", b"old"), link("b", "a"), link("c", "a")]
    assert tree(tmp_path, lower, [("a", b"new")]) == {
        "/a": b"new",
        "/b": b"old",
        "/c": ("link", "/b"),
    }


@pytest.mark.parametrize("compress", [zstandard.compress], ids=["zstd"])
def test_compressed_layers(tmp_path, compress):
    assert tree(tmp_path, [("a", b"1")], compress=compress) == {"/a": b"1"}


def test_a_blob_that_does_not_match_its_digest_raises(tmp_path):
    layout = layout_of(tmp_path / "layout", [archive([("a", b"1")])])
    for blob in (layout / "blobs/sha256").iterdir():
        raw = blob.read_bytes()
        if raw.startswith(b"a\0"):
            blob.write_bytes(raw.replace(b"1", b"2"))
    with pytest.raises(TargetError):
        list(OciTarget.at(layout).scan(ScanPlan()))


def test_an_engine_that_closes_the_connection_raises(monkeypatch):
    """A server on loopback that responds like an engine, and closes during the export."""
    part = archive([("a", b"x" * 5000)])[:2048]
    answers = {
        b"GET /version": b'{"ApiVersion":"1.41","Components":[]}',
        b"/json": b'{"Id":"c1","Name":"/web","Config":{},"Mounts":[]}',
    }

    def serve(listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while request := connection.recv(65536):
                    line = request.split(b"\r\n")[0]
                    if b"/export" in line:
                        head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"
                        connection.sendall(head + part)
                        break
                    body = next((a for key, a in answers.items() if key in line), b"")
                    status = b"200 OK" if body else b"404 Not Found"
                    kind = b"Content-Type: application/json\r\n"
                    size = b"Content-Length: %d\r\n\r\n" % len(body)
                    connection.sendall(b"HTTP/1.1 " + status + b"\r\n" + kind + size + body)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, args=(listener,), daemon=True)
    thread.start()
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{listener.getsockname()[1]}")
    try:
        target = open_target("docker:web")
        with pytest.raises(TargetError):
            list(target.scan(ScanPlan()))
        target.close()
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_a_link_has_one_mode_whatever_the_builder_wrote():
    info = tarfile.TarInfo("x")
    info.type, info.linkname, info.mode = tarfile.SYMTYPE, "y", 0o644
    entry, _ = read(archive([info]))["/x"]
    assert entry.mode == 0o777


def test_a_layer_may_name_a_file_twice_and_in_more_than_one_way(tmp_path):
    lower = [directory("a"), ("a/x", b"1"), ("a/x", b"2"), directory("b"), ("b/y", b"3")]
    upper = [("./a//./z", b"4"), ("b", b"5")]
    assert tree(tmp_path, lower, upper) == {"/a/x": b"2", "/a/z": b"4", "/b": b"5"}


def test_a_hard_link_may_lead_to_a_file_of_a_layer_below(tmp_path):
    lower = [("b", b"old"), link("c", "b")]
    linked = [link("d", "c"), link("a", "d")]
    assert tree(tmp_path, lower, linked) == {
        "/a": b"old",
        "/b": ("link", "/a"),
        "/c": ("link", "/a"),
        "/d": ("link", "/a"),
    }


def test_a_later_layer_changes_only_its_own_name_of_such_a_file(tmp_path):
    found = tree(tmp_path, [("b", b"old")], [link("c", "b")], [("b", b"new")])
    assert found == {"/b": b"new", "/c": b"old"}


def test_a_hard_link_to_nothing_raises(tmp_path):
    with pytest.raises(TargetError, match="missing file"):
        tree(tmp_path, [("b", b"1")], [link("c", "x")])


def test_the_bytes_of_a_layer_decide_and_not_its_media_type(tmp_path):
    layout = layout_of(tmp_path / "layout", [archive([("a", b"1")])], lambda raw: raw)
    index = json.loads((layout / "index.json").read_bytes())
    described = index["manifests"][0]
    old = layout / "blobs/sha256" / described["digest"].removeprefix("sha256:")
    manifest = json.loads(old.read_bytes())
    manifest["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    raw = json.dumps(manifest).encode()
    described["digest"] = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    (layout / "blobs/sha256" / hashlib.sha256(raw).hexdigest()).write_bytes(raw)
    (layout / "index.json").write_text(json.dumps(index))
    with closing(OciTarget.at(layout)) as target:
        assert "/a" in {entry.path for entry in target.scan(ScanPlan())}


def test_content_is_fetched_again_by_each_name_of_a_file(tmp_path):
    """Through a chain of links, from a layer below, and the last of several with one name."""
    lower = [
        ("b", b"old"),
        link("c", "b"),
        link("d", "c"),
        link("e", "d"),
        ("x", b"1"),
        ("x", b"2"),
    ]
    layers = [archive(layer) for layer in (lower, [link("a", "e")], [("b", b"new")])]
    with closing(OciTarget.at(layout_of(tmp_path / "layout", layers))) as target:
        list(target.scan(ScanPlan()))
        found = {}
        for path in ("/a", "/b", "/c", "/d", "/e", "/x"):
            with target.open(path) as file:
                found[path] = file.read()
    assert found == {**dict.fromkeys(("/a", "/c", "/d", "/e"), b"old"), "/b": b"new", "/x": b"2"}
