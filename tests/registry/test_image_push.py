"""An image is pushed to a registry, by itself or under one tag with its lock."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from envlock.registry.uploads import MOST_REFUSALS
from tests.conftest import Cli, unavailable
from tests.registry.faults import Question, Reply, proxy
from tests.registry.machines import built


@pytest.fixture
def captured(root: Path, there: Callable[[str], Cli]) -> Cli:
    """Return a machine that has captured `root` as prod."""
    envlock = there("one")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    return envlock


def test_the_registry_has_the_digest_of_the_rebuild(captured: Cli, registry: str) -> None:
    reference = f"oci://{registry}/images/alone:1"
    digest = built(captured, "prod")
    pushed = captured("materialize", "prod", "--push", reference, "--yes", "--offline")
    assert pushed.out.strip() == digest
    assert f"{reference}@{digest}" in pushed.err
    again = captured("materialize", "prod", "--push", reference, "--offline")
    assert "(0 bytes sent)" in again.err
    assert captured("verify", "prod", reference).out.startswith("EQUAL")


def test_layers_of_another_repository_are_mounted(captured: Cli, registry: str) -> None:
    with proxy(registry) as (host, seen):
        words = ("materialize", "prod", "--offline", "--yes", "--push")
        captured(*words, f"oci://{host}/places/one:1")
        seen.clear()
        said = captured(*words, f"oci://{host}/places/two:1").err
        assert "(0 bytes sent, 2 layers from other repositories of the host)" in said
        asked = [each.path for each in seen if each.method == "POST"]
        assert all("&from=places/one" in path for path in asked)
        assert len(asked) == 2  # the configuration and the layer
        assert captured("verify", "prod", f"oci://{host}/places/two:1").out.startswith("EQUAL")
        both = captured("push", "prod", f"oci://{host}/places/three:1", "--image", "--json").json
        assert both["blobs"]["mounted"] == 2
        lock = captured("push", "prod", f"oci://{host}/places/four:1", "--json").json
        assert set(lock["blobs"]) == {"mounted"}


def test_where_nothing_is_mounted_it_is_sent(captured: Cli, registry: str) -> None:
    def refusing(question: Question, ask: Callable[[], Reply]) -> Reply:
        return Reply(401, {}, b"") if "mount=" in question.path else ask()

    with proxy(registry, refusing) as (host, seen):
        first = captured("push", "prod", f"oci://{host}/refusing/one:1", "--yes", "--json").json
        second = captured("push", "prod", f"oci://{host}/refusing/two:1", "--json").json
        assert second == first | {"reference": second["reference"]}
        assert len([each for each in seen if "mount=" in each.path]) == MOST_REFUSALS


def test_the_first_push_of_an_image_must_be_confirmed(captured: Cli, registry: str) -> None:
    words = ("materialize", "prod", "--offline", "--push", f"oci://{registry}/images/asked:1")
    refused = captured(*words, status=2)
    assert "by value, unowned: 303 files" in refused.err
    assert "hint: add --yes" in refused.err


def test_a_digest_is_no_place_to_push_to(captured: Cli, registry: str) -> None:
    reference = f"oci://{registry}/images/alone@sha256:{'0' * 64}"
    refused = captured("materialize", "prod", "--push", reference, status=2)
    assert "to a tag, not to a digest" in refused.err


@pytest.mark.plants_secrets("in a lock, which is refused")
def test_an_image_with_a_secret_is_not_pushed(captured: Cli, registry: str) -> None:
    lock = captured.folder / "locks/prod.lock"
    planted = "ghp_" + "a1B2c3D4" * 4 + "e5F6"
    lock.write_text(lock.read_text().replace('id = "test"', f'id = "{planted}"'))
    reference = f"oci://{registry}/images/secret:1"
    refused = captured("materialize", "prod", "--push", reference, "--yes", status=6)
    assert planted not in refused.err
    captured("pull", reference, status=4)


def test_one_tag_has_an_image_and_its_lock(
    captured: Cli, registry: str, there: Callable[[str], Cli]
) -> None:
    reference = f"oci://{registry}/images/both:1"
    digest = built(captured, "prod")
    words = ("push", "prod", reference, "--image", "--offline", "--json")
    first = captured(*words, "--yes").json
    assert first["image"] == digest
    assert captured(*words).json | {"sent_bytes": 0, "blobs": {}} == first | {
        "sent_bytes": 0,
        "blobs": {},
    }
    assert captured(*words).json["sent_bytes"] == 0
    envlock = there("two")
    envlock("pull", reference)
    assert (envlock.folder / "locks/1.lock").read_bytes() == (
        captured.folder / "locks/prod.lock"
    ).read_bytes()
    assert built(envlock, "1") == digest
    assert envlock("diff", reference, "1").out.startswith("EQUAL")


def test_other_tools_find_the_image_below_the_tag(captured: Cli, registry: str) -> None:
    name = f"{registry}/images/tools:1"
    digest = built(captured, "prod")
    captured("push", "prod", f"oci://{name}", "--image", "--offline", "--yes")
    argv = ["skopeo", "inspect", "--tls-verify=false", "--config", f"docker://{name}"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    except FileNotFoundError:
        unavailable("tools", "skopeo is not installed")
    layers = json.loads(done.stdout)["rootfs"]["diff_ids"]
    raw = captured.folder / "image/blobs/sha256" / digest.removeprefix("sha256:")
    assert layers == [layer["digest"] for layer in json.loads(raw.read_text())["layers"]]


def test_a_registry_of_images_only_gets_the_lock_as_one(
    captured: Cli, registry: str, there: Callable[[str], Cli]
) -> None:
    def images_only(question: Question, ask: Callable[[], Reply]) -> Reply:
        is_artifact = b"artifactType" in question.content or b"oci.empty" in question.content
        if question.method == "PUT" and "/manifests/" in question.path and is_artifact:
            return Reply(400, {}, b'{"errors": [{"code": "MANIFEST_INVALID"}]}')
        return ask()

    with proxy(registry, images_only) as (host, seen):
        reference = f"oci://{host}/images/only:1"
        said = captured("push", "prod", reference, "--yes").err
        assert f"{host} takes images only" in said
        assert "MANIFEST_INVALID" in said
        seen.clear()
        captured("push", "prod", reference)
        assert [each for each in seen if each.method in ("PUT", "POST")] == []
        envlock = there("two")
        assert envlock("diff", reference, reference).out.startswith("EQUAL")
        envlock("pull", reference)
        assert built(envlock, "1") == built(captured, "prod")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "NAME_UNKNOWN"),
        (404, "MANIFEST_BLOB_UNKNOWN"),
        (400, "DIGEST_INVALID"),
        (400, "BLOB_UPLOAD_INVALID"),
        (405, "DENIED"),
        (404, ""),
        (400, ""),
    ],
)
def test_what_is_refused_for_another_reason_is_an_error(
    captured: Cli, registry: str, status: int, code: str
) -> None:
    def refusing(question: Question, ask: Callable[[], Reply]) -> Reply:
        if question.method == "PUT" and "/manifests/" in question.path:
            told = {"errors": [{"code": code}] if code else []}
            return Reply(status, {}, json.dumps(told).encode())
        return ask()

    with proxy(registry, refusing) as (host, seen):
        said = captured("push", "prod", f"oci://{host}/other/{status}:1", "--yes", status=4).err
    assert "the manifest was not accepted" in said
    assert "images only" not in said
    assert len([each for each in seen if "/manifests/" in each.path and each.method == "PUT"]) == 1
