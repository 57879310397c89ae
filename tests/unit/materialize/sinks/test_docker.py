"""Loading an image into engines of different kinds; the real one is in tests/docker."""

from __future__ import annotations

import io
import tarfile
from types import SimpleNamespace

import pytest
from docker.errors import APIError, ImageNotFound

from envlock.errors import MaterializeError, TargetError
from envlock.materialize.image.description import Image, Platform
from envlock.materialize.image.layers import Layer
from envlock.materialize.sinks.docker import DockerSink, load
from envlock.materialize.sinks.layout import write_layout
from envlock.model.process import ProcessConfig
from envlock.model.tree import Entry, EntryType, FileClass, Row

OVERLAY = [["Backing Filesystem", "extfs"]]
CONTAINERD = [["driver-type", "io.containerd.snapshotter.v1"]]


class Engine:
    """A scripted engine: its images, its answers to the loads in turn, and what a load adds."""

    def __init__(self, *, name="Engine", status=OVERLAY, images=(), answers=((),), arrives=None):
        self.images_held = dict(images)
        self.answers = list(answers)
        self.arrives = arrives or {}
        self.received = []
        self.tagged = []
        self.version = lambda: {"Components": [{"Name": name}]}
        self.info = lambda: {"DriverStatus": status}
        self.api = SimpleNamespace(
            load_image=self.load_image,
            images=self.list_images,
            inspect_image=self.inspect_image,
            tag=self.tag,
        )

    def load_image(self, chunks, quiet):
        assert quiet
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            self.received.append({n for n in archive.getnames() if n.startswith("blobs/sha256/")})
        answer = self.answers.pop(0)
        if not answer:
            self.images_held.update(self.arrives)
        return iter([{"stream": "Loading"}, *answer])

    def list_images(self, filters, quiet):
        assert (filters, quiet) == ({"label": "io.envlock.environment-digest"}, True)
        return list(self.images_held)

    def inspect_image(self, name):
        if name not in self.images_held:
            raise ImageNotFound(name)
        image, layers = self.images_held[name]
        return {"Id": image, "RootFS": {"Layers": layers}}

    def tag(self, image, repository, version):
        self.tagged.append((repository, version))
        self.images_held[f"{repository}:{version}"] = self.images_held[image]


@pytest.fixture
def built(tmp_path):
    def layer(path):
        entry = Entry(path, EntryType.FILE)
        return Layer(name=path, packages=(), rows=(Row(entry, FileClass.UNOWNED),))

    image = Image(
        layers=(layer("/base"), layer("/top")),
        process=ProcessConfig(),
        platform=Platform("amd64"),
        created=0,
    )
    return write_layout(tmp_path / "out", image, None)


def blob(digest):
    return digest.replace("sha256:", "blobs/sha256/")


def test_only_layers_that_the_engine_lacks_are_sent(built, tmp_path):
    base, top = (layer.diff_id for layer in built.layers)
    engine = Engine(
        images={"sha256:older": ("sha256:older", [base, "sha256:other"])},
        arrives={"web:v1": (built.image_id, [base, top])},
    )
    loaded = load(engine, tmp_path / "out", built, tag="web:v1")
    assert (loaded.image_id, loaded.layers_reused) == (built.image_id, 1)
    assert engine.received == [{blob(top), blob(built.config_digest), blob(built.manifest_digest)}]


def test_everything_is_sent_when_the_engine_refuses_the_partial_archive(built, tmp_path):
    base, top = (layer.diff_id for layer in built.layers)
    engine = Engine(
        images={"web:v1": ("sha256:older", [base])},
        answers=[({"errorDetail": {"message": "no such file"}},), ()],
        arrives={"web:v1": (built.image_id, [base, top])},
    )
    loaded = load(engine, tmp_path / "out", built, tag="web:v1")
    assert loaded.layers_reused == 0
    assert [blob(base) in received for received in engine.received] == [False, True]


@pytest.mark.parametrize("kind", [{"name": "Podman Engine"}, {"status": CONTAINERD}])
def test_other_engines_get_everything(built, tmp_path, kind):
    base, top = (layer.diff_id for layer in built.layers)
    engine = Engine(
        images={"web:v1": (built.image_id, [base, top])},
        arrives={"web:v1": (built.manifest_digest, [base, top])},
        **kind,
    )
    loaded = load(engine, tmp_path / "out", built, tag="web:v1")
    assert (loaded.image_id, loaded.layers_reused) == (built.manifest_digest, 0)
    assert len(engine.received[0]) == 4


@pytest.mark.parametrize(
    ("tag", "tagged"),
    [
        ("", []),
        ("web", [("web", "latest")]),
        ("example.org:5000/web", [("example.org:5000/web", "latest")]),
        ("example.org:5000/web:v1", [("example.org:5000/web", "v1")]),
    ],
)
def test_an_image_that_the_engine_has_is_only_tagged(built, tmp_path, tag, tagged):
    layers = [layer.diff_id for layer in built.layers]
    engine = Engine(images={built.image_id: (built.image_id, layers)}, answers=[])
    if tag and ":" not in tag.rpartition("/")[2]:
        engine.images_held[tag] = engine.images_held[built.image_id]
    loaded = load(engine, tmp_path / "out", built, tag=tag)
    assert (loaded.bytes_sent, loaded.layers_reused) == (0, 2)
    assert engine.tagged == tagged


@pytest.mark.parametrize(
    "answer",
    [
        {"errorDetail": {"message": "write: no space left on device"}, "error": "write: no space"},
        {"error": "no space left on device"},
        {"message": "no space left on device"},
    ],
)
def test_a_refusal_is_always_reported(built, tmp_path, answer):
    with pytest.raises(MaterializeError, match="no space left on device") as caught:
        load(Engine(answers=[(answer,)]), tmp_path / "out", built)
    assert "free space" in caught.value.hint


def test_another_image_than_the_one_sent_is_an_error(built, tmp_path):
    engine = Engine(arrives={"web": ("sha256:else", [])})
    with pytest.raises(MaterializeError, match="does not hold the image that was sent"):
        load(engine, tmp_path / "out", built, tag="web")


@pytest.mark.parametrize("tag", ["web:1", ""])
def test_the_sink_says_what_it_loaded(built, tmp_path, tag):
    engine = Engine(arrives={tag or built.image_id: (built.image_id, [])})
    sink = DockerSink(tag=tag, client=lambda: engine)
    assert sink.deliver(tmp_path / "out", built) == f"loaded {tag or built.image_id}"
    assert len(engine.received) == 1


def test_an_engine_that_stops_answering(built, tmp_path):
    engine = Engine()

    def gone():
        raise APIError("server went away")

    engine.version = gone
    with pytest.raises(TargetError, match="does not answer"):
        load(engine, tmp_path / "out", built)
