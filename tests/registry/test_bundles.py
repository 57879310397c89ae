"""Bundles with packages, without, with an image, and with what changed since an earlier one."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envlock.store.bundle import write_bundle
from envlock.store.manifests import PACKAGE_TYPE
from envlock.store.objects import Store
from envlock.store.shipment import Blob, Extent, pack_shipment
from tests.conftest import Cli, unavailable
from tests.registry.debian import make_repository, make_root, mirror
from tests.registry.machines import built


@pytest.fixture
def captured(tmp_path: Path, there: Callable[[str], Cli]) -> Iterator[Cli]:
    """Return a machine with the lock of a root whose packages a mirror has."""
    if shutil.which("apt-get") is None:
        unavailable("apt", "it is not installed")
    with mirror(make_repository(tmp_path / "repository")) as (url, _):
        root = make_root(tmp_path / "root", url)
        (root / "etc/value").write_text("one\n")
        one = there("one")
        one("capture", f"dir:{root}", "--name", "prod", "-q")
        yield one


def built_without_a_network(envlock: Cli) -> str:
    """Rebuild the lock in a network namespace that has nothing but itself."""
    alone = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        unavailable("namespaces", "this machine makes no network namespace")
    argv = [*alone, sys.executable, "-m", "envlock", "materialize", "prod", "-o", "image", "-q"]
    done = subprocess.run(argv, cwd=envlock.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_full_bundle_is_rebuilt_without_a_network(
    captured: Cli, tmp_path: Path, there: Callable[[str], Cli]
) -> None:
    bundle = tmp_path / "prod.bundle"
    said = captured("bundle", "prod", "-o", bundle).out
    assert "packages, as published: 2 files" in said
    digest = built(captured, "prod")
    shutil.rmtree(tmp_path / "repository")
    two = there("two")
    assert f"{two.folder}/.envlock/packages: 2 packages" in two("unbundle", bundle).err
    assert built_without_a_network(two) == digest
    assert "(0 new)" in two("unbundle", bundle).err


def test_a_thin_bundle_has_no_packages(
    captured: Cli, tmp_path: Path, there: Callable[[str], Cli]
) -> None:
    done = captured("bundle", "prod", "-o", "thin", "--thin", "--json").json
    assert done["packages"] == 0
    two = there("two")
    two("unbundle", captured.folder / "thin")
    two("materialize", "thin", "-o", "image", "--offline", status=5)
    assert two("materialize", "thin", "-o", "image", "--json").json["fetched"] == 2


def test_a_full_bundle_is_complete_or_not_written(captured: Cli, tmp_path: Path) -> None:
    (tmp_path / "repository/data.deb").unlink()
    said = captured("bundle", "prod", "-o", "x", status=5).err
    assert "1 package cannot be had" in said
    assert "--thin leaves packages out" in said
    assert not (captured.folder / "x").exists()


def test_since_a_bundle_only_what_changed_travels(
    captured: Cli, tmp_path: Path, there: Callable[[str], Cli]
) -> None:
    captured("bundle", "prod", "-o", "full")
    shutil.copy(captured.folder / "locks/prod.lock", captured.folder / "old.lock")
    (tmp_path / "root/etc/value").write_text("two\n")
    captured("capture", f"dir:{tmp_path / 'root'}", "--name", "prod", "-q")
    done = captured("bundle", "prod", "-o", "more", "--since", "full", "--json").json
    assert (done["packages"], done["objects"]) == (0, 1)
    captured("bundle", "prod", "-o", "same", "--since", "old.lock")
    assert (captured.folder / "same").read_bytes() == (captured.folder / "more").read_bytes()
    digest = built(captured, "prod")
    alone = there("alone")
    refused = alone("unbundle", captured.folder / "more", status=4).err
    assert "made --since another one, take that first" in refused
    both = there("both")
    both("unbundle", captured.folder / "full")
    both("unbundle", captured.folder / "more", "-o", "locks/prod.lock")
    assert built_without_a_network(both) == digest


@pytest.mark.parametrize("name", ["../../evil", "/evil", "..", "", "a/b", ".hidden", "x\n"])
def test_names_of_packages_lead_nowhere_else(
    name: str, root: Path, tmp_path: Path, envlock: Cli
) -> None:
    envlock("capture", f"dir:{root}", "--only", "os", "-o", "os.lock", "-q")
    raw = (envlock.folder / "os.lock").read_bytes()
    content = b"a package"
    sha256 = hashlib.sha256(content).hexdigest()
    package = Blob.of(PACKAGE_TYPE, content)._replace(name=name)
    with Store.open(tmp_path / "store") as store:
        shipment = pack_shipment(raw, "", store, {}, Extent([package]))
    write_bundle(envlock.folder / "os.bundle", shipment, "os")
    envlock("unbundle", "os.bundle", "-q")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in written if path.read_bytes() == content] == [
        envlock.folder / ".envlock/packages" / sha256
    ]


def test_an_image_in_a_bundle_can_be_run_by_other_tools(
    captured: Cli, tmp_path: Path, there: Callable[[str], Cli]
) -> None:
    done = captured("bundle", "prod", "-o", "prod.bundle", "--image", "--json").json
    digest = built(captured, "prod")
    assert done["image"] == digest
    if shutil.which("skopeo") is None:
        unavailable("image tools", "skopeo is not installed")
    source = f"oci-archive:{captured.folder}/prod.bundle:prod-image"
    argv = ["skopeo", "inspect", source]
    shown = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert json.loads(shown.stdout)["Digest"] == digest
    two = there("two")
    two("unbundle", captured.folder / "prod.bundle")
    assert built_without_a_network(two) == digest
