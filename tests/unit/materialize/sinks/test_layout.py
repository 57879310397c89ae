"""The image layout and the archive: their content, and that they are written atomically."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from envlock.errors import MaterializeError, StoreError
from envlock.materialize.image.description import Image, Platform
from envlock.materialize.image.kept_layers import KeptLayers
from envlock.materialize.image.layers import Layer
from envlock.materialize.image.oci import blob_path, recipe_of
from envlock.materialize.sinks.archive import ArchiveSink, archive_chunks, full_name, write_archive
from envlock.materialize.sinks.layout import Known, known_layers, write_layout
from envlock.model.process import ProcessConfig
from envlock.model.tree import Entry, EntryType, FileClass, Row
from envlock.store.objects import Store


class Held:
    """Contents by path; records what was read."""

    def __init__(self, contents):
        self.contents = contents
        self.asked = []

    def chunks(self, row):
        self.asked.append(row.entry.path)
        return [self.contents[row.entry.path]]


class Failing:
    """Contents that fail after the first file."""

    def chunks(self, row):
        if row.entry.path != "/base":
            raise MaterializeError("the content read is not the content locked", where="/top")
        return [b"base"]


def file(path, content):
    digest = hashlib.sha256(content).hexdigest()
    entry = Entry(path, EntryType.FILE, 0o644, 0, 0, 60, len(content), sha256=digest)
    return Row(entry, FileClass.PACKAGE)


def image(top=b"top", **process):
    return Image(
        layers=(
            Layer(name="deb base", packages=("deb base",), rows=(file("/base", b"base"),)),
            Layer(name="top", packages=(), rows=(file("/top", top),)),
        ),
        process=ProcessConfig(**process),
        platform=Platform("arm64", "v8"),
        created=86_400,
    )


CONTENTS = {"/base": b"base", "/top": b"top"}


def write(directory, value=None, contents=None, **options):
    return write_layout(directory, value or image(), contents or Held(CONTENTS), **options)


def snapshot(directory):
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_every_document(tmp_path):
    value = image(
        cmd=("sh",),
        environ={"B": "2", "A": "1"},
        ports=("80/tcp",),
        volumes=("/d",),
        user="web",
        workdir="/srv",
        labels={"k": "v"},
        stop_signal="SIGINT",
        entrypoint=("/e",),
    )
    built = write(tmp_path / "out", value, tag="v1")
    layers = [json.loads(json.dumps(layer.diff_id)) for layer in built.layers]
    config = json.loads(blob_path(tmp_path / "out", built.config_digest).read_bytes())
    assert config == {
        "architecture": "arm64",
        "os": "linux",
        "variant": "v8",
        "created": "1970-01-02T00:00:00Z",
        "config": {
            "Cmd": ["sh"],
            "Entrypoint": ["/e"],
            "Env": ["A=1", "B=2"],
            "ExposedPorts": {"80/tcp": {}},
            "Labels": {"k": "v"},
            "StopSignal": "SIGINT",
            "User": "web",
            "Volumes": {"/d": {}},
            "WorkingDir": "/srv",
        },
        "history": [
            {"created": "1970-01-02T00:00:00Z", "created_by": "envlock: deb base"},
            {"created": "1970-01-02T00:00:00Z", "created_by": "envlock: top"},
        ],
        "rootfs": {"type": "layers", "diff_ids": layers},
    }
    manifest = json.loads(blob_path(tmp_path / "out", built.manifest_digest).read_bytes())
    assert [layer["digest"] for layer in manifest["layers"]] == layers
    assert {layer["mediaType"] for layer in manifest["layers"]} == {
        "application/vnd.oci.image.layer.v1.tar"
    }
    index = json.loads((tmp_path / "out/index.json").read_bytes())
    assert index["manifests"][0]["digest"] == built.manifest_digest
    assert index["manifests"][0]["platform"] == {
        "architecture": "arm64",
        "os": "linux",
        "variant": "v8",
    }
    assert index["manifests"][0]["annotations"] == {"org.opencontainers.image.ref.name": "v1"}
    for path in (tmp_path / "out/blobs/sha256").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert built.image_id == built.config_digest
    assert [layer.packages for layer in built.layers] == [("deb base",), ()]
    assert [layer.size for layer in built.layers] == [512 + 512 + 1024] * 2


def test_no_other_files_are_left_in_or_beside_the_layout(tmp_path):
    write(tmp_path / "out")
    write(tmp_path / "out", image(b"new"), Held({**CONTENTS, "/top": b"new"}))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len(list((tmp_path / "out/blobs/sha256").iterdir())) == 4
    write(tmp_path / "other", image(b"new"), Held({**CONTENTS, "/top": b"new"}))
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "other")


def test_a_failed_build_leaves_nothing(tmp_path):
    with pytest.raises(MaterializeError, match="content locked"):
        write(tmp_path / "out", contents=Failing())
    assert list(tmp_path.iterdir()) == []


def test_a_failed_rebuild_leaves_the_layout_as_it_was(tmp_path):
    write(tmp_path / "out")
    before = snapshot(tmp_path / "out")
    with pytest.raises(MaterializeError, match="content locked"):
        write(tmp_path / "out", image(b"new"), Failing())
    assert before.items() <= snapshot(tmp_path / "out").items()
    assert snapshot(tmp_path / "out")["index.json"] == before["index.json"]


def test_an_empty_directory_is_used_any_other_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.tex").write_text("precious")
    with pytest.raises(MaterializeError, match="neither empty nor an image layout"):
        write(tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.tex"]


def test_a_layout_of_another_tool_is_refused(tmp_path):
    write(tmp_path / "out")
    index = json.loads((tmp_path / "out/index.json").read_bytes())
    del index["annotations"]
    (tmp_path / "out/index.json").write_text(json.dumps(index))
    with pytest.raises(MaterializeError, match="neither empty nor an image layout"):
        write(tmp_path / "out")


def test_a_directory_that_cannot_be_written_is_a_store_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write the image"):
        write(tmp_path / "file/out")


def test_known_layers_are_copied(tmp_path):
    first = write(tmp_path / "one")
    value = image(b"new")
    contents = Held({**CONTENTS, "/top": b"new"})
    known = known_layers(value.layers, tmp_path / "one")
    second = write(tmp_path / "two", value, contents, known=known)
    assert contents.asked == ["/top"]
    assert second.layers[0] == first.layers[0]
    assert second == write(tmp_path / "fresh", value, Held({**CONTENTS, "/top": b"new"}))


@pytest.mark.parametrize("name", ["one", "two"])
def test_a_damaged_layer_is_built_again(tmp_path, name):
    first = write(tmp_path / "one")
    for layer in first.layers:
        path = blob_path(tmp_path / "one", layer.diff_id)
        path.write_bytes(path.read_bytes().replace(b"base", b"evil").replace(b"top\0", b"pot\0"))
    known = known_layers(image().layers, tmp_path / "one")
    assert len(known.files) == 2
    assert write(tmp_path / name, known=known) == first
    for layer in first.layers:
        content = blob_path(tmp_path / name, layer.diff_id).read_bytes()
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == layer.diff_id


@pytest.mark.parametrize("is_there", [True, False])
def test_a_layer_that_is_kept_serves_where_that_of_the_output_is_damaged(tmp_path, is_there):
    with Store.open(tmp_path / "store") as store:
        layers = KeptLayers(store)
        first = write(tmp_path / "one", known=Known(kept=layers))
        (recipe,) = layers.among([recipe_of(image().layers[0])])
        path = blob_path(tmp_path / "one", first.layers[0].diff_id)
        raw = path.read_bytes()
        path.unlink()
        path.write_bytes(raw.replace(b"base", b"evil"))
        contents = Held(CONTENTS)
        known = known_layers(image().layers, tmp_path / "one", layers)
        if not is_there:  # another process has no room for it any more
            layers.discard(recipe)
        assert write(tmp_path / "one", None, contents, known=known) == first
        assert ("/base" in contents.asked) is not is_there
        assert path.read_bytes() == raw
        assert [*layers.among([recipe])] == [recipe]


def test_a_false_claim_about_a_layer_is_noticed(tmp_path):
    honest = write(tmp_path / "honest")
    forged = image()
    evil = hashlib.sha256(b"evil").hexdigest()
    row = forged.layers[0].rows[0]
    changed = row._replace(entry=row.entry._replace(sha256=evil))
    layers = (Layer(name="deb base", packages=(), rows=(changed,)), forged.layers[1])
    built = write(
        tmp_path / "forged", replace(forged, layers=layers), Held({**CONTENTS, "/base": b"evil"})
    )
    claimed = {
        recipe_of(image().layers[0]): [blob_path(tmp_path / "forged", built.layers[0].diff_id)]
    }
    assert write(tmp_path / "out", known=Known(claimed)) == honest


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b"not json"])
def test_a_damaged_index_is_no_layout(tmp_path, damage):
    write(tmp_path / "out")
    (tmp_path / "out/index.json").write_bytes(damage)
    assert known_layers(image().layers, tmp_path / "out") == Known({})
    assert known_layers(image().layers, tmp_path / "absent") == Known({})
    with pytest.raises(MaterializeError, match="not an image layout of envlock"):
        list(archive_chunks(tmp_path / "out"))


def test_the_archive_is_an_oci_layout_and_a_docker_archive(tmp_path):
    built = write(tmp_path / "out")
    write_archive(tmp_path / "image.tar", tmp_path / "out", tag="example.org/team/web:v2")
    with tarfile.open(tmp_path / "image.tar") as archive:
        names = archive.getnames()
        manifest = json.load(archive.extractfile("manifest.json"))
        index = json.load(archive.extractfile("index.json"))
        for entry in manifest[0]["Layers"]:
            content = archive.extractfile(entry).read()
            assert hashlib.sha256(content).hexdigest() == entry.removeprefix("blobs/sha256/")
        assert {member.mtime for member in archive} == {86_400}
    assert names == sorted(names)
    assert manifest[0]["RepoTags"] == ["example.org/team/web:v2"]
    assert manifest[0]["Config"] == built.config_digest.replace("sha256:", "blobs/sha256/")
    assert index["manifests"][0]["annotations"] == {
        "io.containerd.image.name": "example.org/team/web:v2",
        "org.opencontainers.image.ref.name": "v2",
    }


def test_zeros_take_no_room_in_layout_and_archive(tmp_path):
    zeros = bytes(64 << 20)
    layers = (Layer(name="top", packages=(), rows=(file("/zeros", zeros),)),)
    write(tmp_path / "out", replace(image(), layers=layers), Held({"/zeros": zeros}))
    write_archive(tmp_path / "image.tar", tmp_path / "out")
    for path in (tmp_path / "image.tar", *(tmp_path / "out/blobs/sha256").iterdir()):
        assert path.stat().st_blocks * 512 < 1 << 20
    assert (tmp_path / "image.tar").stat().st_size > len(zeros)
    with tarfile.open(tmp_path / "image.tar") as archive:
        for member in archive:
            if member.name.startswith("blobs/sha256/") and member.isreg():
                content = archive.extractfile(member).read()
                assert hashlib.sha256(content).hexdigest() == Path(member.name).name


def test_the_sink_writes_the_archive(tmp_path):
    built = write(tmp_path / "out")
    assert ArchiveSink(path=tmp_path / "a.tar", tag="web").deliver(tmp_path / "out", built) == ""
    write_archive(tmp_path / "b.tar", tmp_path / "out", tag="web")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_omitted_layers_are_named_but_not_in_the_archive(tmp_path):
    built = write(tmp_path / "out")
    base = built.layers[0].diff_id.replace("sha256:", "blobs/sha256/")
    path = tmp_path / "partial.tar"
    path.write_bytes(b"".join(archive_chunks(tmp_path / "out", omit=[built.layers[0].diff_id])))
    with tarfile.open(path) as archive:
        assert base not in archive.getnames()
        manifest = json.load(archive.extractfile("manifest.json"))
    assert manifest[0]["Layers"][0] == base
    assert manifest[0]["RepoTags"] is None


def test_an_archive_that_cannot_be_written_leaves_nothing(tmp_path):
    write(tmp_path / "out")
    with pytest.raises(StoreError, match="cannot write the archive"):
        write_archive(tmp_path / "absent/image.tar", tmp_path / "out")


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("web", "docker.io/library/web:latest"),
        ("team/web:v1", "docker.io/team/web:v1"),
        ("localhost/web", "localhost/web:latest"),
        ("example.org:5000/web", "example.org:5000/web:latest"),
    ],
)
def test_names_in_full(tag, name):
    assert full_name(tag) == name


@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "UMASK": "077"},
        {"PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "UMASK": "000"},
    ],
)
def test_the_same_bytes_whatever_surrounds_the_build(tmp_path, surroundings):
    write(tmp_path / "here")
    write_archive(tmp_path / "here.tar", tmp_path / "here", tag="web")
    subprocess.run(
        [sys.executable, __file__, str(tmp_path / "there")],
        env={**os.environ, **surroundings},
        check=True,
        cwd="/",
    )
    assert snapshot(tmp_path / "there") == snapshot(tmp_path / "here")
    assert (tmp_path / "there.tar").read_bytes() == (tmp_path / "here.tar").read_bytes()


if __name__ == "__main__":
    os.umask(int(os.environ["UMASK"], 8))
    out = Path(sys.argv[1])
    write(out)
    write_archive(out.with_suffix(".tar"), out, tag="web")
