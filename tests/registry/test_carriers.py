"""A lock is carried to a machine that never saw the environment, and rebuilt there."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from envlock.errors import EnvlockError, StoreError
from envlock.registry.client import Repository
from envlock.store.bundle import Bundle
from envlock.store.manifests import DELTA_TYPE, PACKED_TREE_TYPE, parse_manifest
from tests.conftest import Cli
from tests.registry.machines import built


def test_a_bundle_is_rebuilt_elsewhere(
    root: Path, there: Callable[[str], Cli], tmp_path: Path
) -> None:
    envlock = there("one")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    said = envlock("bundle", "prod", "-o", str(tmp_path / "prod.bundle")).out
    assert "by value, unowned: 303 files" in said
    digest = built(envlock, "prod")
    envlock = there("two")
    envlock("unbundle", str(tmp_path / "prod.bundle"))
    assert built(envlock, "prod") == digest


def test_the_same_lock_gives_the_same_bundle(root: Path, there: Callable[[str], Cli]) -> None:
    envlock = there("one")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    for name in ("a", "b"):
        envlock("bundle", "prod", "-o", name)
    assert (envlock.folder / "a").read_bytes() == (envlock.folder / "b").read_bytes()
    with tarfile.open(envlock.folder / "a") as archive:
        assert archive.getnames()[-1] == "index.json"


def test_a_lock_is_pushed_pulled_compared_and_rebuilt_elsewhere(
    root: Path, registry: str, there: Callable[[str], Cli]
) -> None:
    reference = f"oci://{registry}/carriers/envs:prod"
    envlock = there("one")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    digest = built(envlock, "prod")
    first = envlock("push", "prod", reference, "--yes", "--json").json
    again = envlock("push", "prod", reference, "--json").json
    assert first["blobs"]["uploaded"] > 3
    assert again["sent_bytes"] == 0
    assert again["manifest_digest"] == first["manifest_digest"]
    envlock = there("two")
    pulled = envlock("pull", reference, "--json").json
    assert pulled["new_objects"] == 303
    assert envlock("diff", reference, "prod").out.startswith("EQUAL")
    assert built(envlock, "prod") == digest
    envlock = there("three")
    assert built(envlock, reference) == digest


def test_a_change_moves_little(root: Path, registry: str, there: Callable[[str], Cli]) -> None:
    place = f"oci://{registry}/carriers/changes"
    envlock = there("one")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    first = envlock("push", "prod", f"{place}:one", "--yes", "--json").json
    (root / "usr/local/share/data/007.txt").write_text("changed\n")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    lock = (envlock.folder / "locks/prod.lock").read_bytes()
    second = envlock("push", "prod", f"{place}:two", "--json").json
    assert second["blobs"] == {"present": first["blobs"]["uploaded"] - 1, "uploaded": 2}
    assert second["sent_bytes"] < len(lock) + 1000
    whole = envlock("push", "prod", f"{place}:whole", "--whole", "--json").json
    assert whole["manifest_digest"] != second["manifest_digest"]
    other = there("two")
    assert other("pull", f"{place}:two", "-o", "x.lock", "--json").json["new_objects"] == 303
    assert (other.folder / "x.lock").read_bytes() == lock
    again = other("push", "x.lock", f"{place}:two", "--yes", "--json").json
    assert (again["manifest_digest"], again["sent_bytes"]) == (second["manifest_digest"], 0)


def test_a_version_that_is_gone_is_sent_whole(
    root: Path,
    registry: str,
    there: Callable[[str], Cli],
    repository: Callable[..., Repository],
) -> None:
    place = f"oci://{registry}/carriers/gone"
    envlock = there("one")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    sent = envlock("push", "prod", f"{place}:one", "--yes", "--json").json
    opened = repository(repository="carriers/gone")
    layers = parse_manifest(opened.manifest("one").content, "one")
    tree = next(layer for layer in layers if layer.media_type == PACKED_TREE_TYPE)
    assert opened.call("DELETE", f"blobs/{tree.digest}", actions="delete").status == 202
    (root / "usr/local/share/data/007.txt").write_text("changed\n")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    assert envlock("push", "prod", f"{place}:two", "--json").json["blobs"]["present"] < 9
    layers = parse_manifest(opened.manifest("two").content, "two")
    assert DELTA_TYPE not in {layer.media_type for layer in layers}
    assert len(layers) >= sent["blobs"]["uploaded"] - 3
    assert there("two")("pull", f"{place}:two", "--json").json["new_objects"] == 303


def test_the_first_push_to_a_host_is_shown_and_must_be_confirmed(
    root: Path, registry: str, there: Callable[[str], Cli]
) -> None:
    envlock = there("one")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    refused = envlock("push", "prod", f"oci://{registry}/carriers/asked:prod", status=None)
    assert refused.status == 2
    assert "by value, unowned: 303 files" in refused.err
    assert "hint: add --yes" in refused.err


@pytest.mark.plants_secrets("in a lock, which is refused")
def test_a_secret_never_travels(root: Path, registry: str, there: Callable[[str], Cli]) -> None:
    envlock = there("one")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    lock = envlock.folder / "locks/prod.lock"
    planted = "ghp_" + "a1B2c3D4" * 4 + "e5F6"
    text = lock.read_text().replace('id = "test"', f'id = "{planted}"')
    assert planted in text
    lock.write_text(text)
    for arguments in (["bundle", "prod", "-o", "x"], ["push", "prod", f"oci://{registry}/s:x"]):
        refused = envlock(*arguments, status=6)
        assert planted not in refused.err
    assert not (envlock.folder / "x").exists()


def test_a_damaged_bundle_changes_nothing(root: Path, there: Callable[[str], Cli]) -> None:
    envlock = there("one")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    envlock("bundle", "prod", "-o", "prod.bundle")
    path = envlock.folder / "prod.bundle"
    sound = path.read_bytes()
    whole = read_all(path)
    found = 0
    for place in range(0, len(sound), 401):
        flipped = bytearray(sound)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        try:
            assert read_all(path) == whole  # a byte of padding, or of a header that says nothing
        except EnvlockError:
            found += 1
    assert found > 200
    for size in (0, 100, 1000, len(sound) // 2, sound.index(b"index.json")):
        path.write_bytes(sound[:size])
        with pytest.raises(StoreError):
            read_all(path)


def read_all(path: Path) -> dict[str, bytes]:
    """Return the content of every layer of a bundle."""
    with Bundle(path) as bundle:
        layers = parse_manifest(bundle.manifest(), bundle.name)
        return {each.digest: b"".join(bundle.blob(each.digest, each.size)) for each in layers}


def test_what_is_no_lock_is_told(envlock: Cli, registry: str, tmp_path: Path) -> None:
    (tmp_path / "no.bundle").write_bytes(b"nothing of the kind" * 100)
    ran = envlock("unbundle", str(tmp_path / "no.bundle"), status=4)
    assert "not a bundle of envlock" in ran.err
    ran = envlock("pull", f"oci://{registry}/nothing:here", status=4)
    assert "there is no here" in ran.err
    ran = envlock("pull", "oci://anna:hunter2@host/x", status=2)
    assert "hunter2" not in ran.err
