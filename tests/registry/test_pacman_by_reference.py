"""A root of pacman packages travels by reference, and is rebuilt by who has the packages."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.pacman_packages import build_package, install, make_repository, require_pacman
from tests.registry.debian import mirror
from tests.registry.machines import built, by_value

DATABASE = "/var/lib/pacman/"
SETTINGS = ["/etc/pacman.conf", "/etc/pacman.d/mirrorlist"]
NUMBERS = b"".join(b"%d\n" % number for number in range(50_000))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a mirror with a repository, for every test: none changes it."""
    require_pacman()
    folder = tmp_path_factory.mktemp("arch")
    shop = {
        "usr/bin/shop": b"shop\n",
        "etc/shop/edited.conf": b"edited=1\n",
        "etc/shop/kept.conf": b"kept=1\n",
        "usr/share/a folder/\u00e9": b"x\n",
        "usr/share/empty": b"",
    }
    packages = [
        build_package(folder, "shop", shop, backup=("etc/shop/edited.conf", "etc/shop/kept.conf")),
        build_package(folder, "big", {"usr/share/numbers": NUMBERS}, "2-1", ".xz"),
    ]
    make_repository(folder / "mirror/core/os/x86_64", "core", packages)
    return folder / "mirror"


@pytest.fixture
def root(repository: Path, tmp_path: Path) -> Path:
    """Return a root into which pacman installed the packages; the cache of pacman is empty."""
    root = install(tmp_path / "root", repository / "core/os/x86_64", "core", ("shop", "big"))
    shutil.rmtree(root / "var/cache")
    (root / "bin").symlink_to("usr/bin")
    shutil.copy2("/bin/true", root / "usr/bin/sh")
    return root


@pytest.fixture
def served(repository: Path, root: Path) -> Iterator[str]:
    """Return the URL of the mirror that the root has in its list of mirrors."""
    with mirror(repository) as (url, _):
        (root / "etc/pacman.conf").write_text(
            "[options]\nSigLevel = Never\n[core]\nInclude = /etc/pacman.d/mirrorlist\n"
        )
        (root / "etc/pacman.d").mkdir()
        (root / "etc/pacman.d/mirrorlist").write_text(
            "#Server = http://off.example.org/$repo/os/$arch\n"
            f"Server = {url.replace('://', '://user:hidden@')}/none/$repo\n"
            f"Server = {url}/$repo/os/$arch\n"
        )
        yield url


@pytest.mark.plants_secrets("a password in the address of a mirror")
def test_packages_of_a_repository_are_referred_to_unseen_and_downloaded_for_a_rebuild(
    served: str, root: Path, there: Callable[[str], Cli]
) -> None:
    one = there("one")
    one("capture", f"dir:{root}", "--name", "prod")
    mine = [path for path in by_value(one, "pacman") if not path.startswith(DATABASE)]
    assert mine == [*SETTINGS, "/usr/bin/sh"]
    assert "hidden" not in (one.folder / "locks/prod.lock").read_text()
    refused = one("materialize", "prod", "-o", "image", "--offline", status=5).err
    assert "pacman shop 1:1.0-2: in no source" in refused
    ran = one("materialize", "prod", "-o", "image")
    assert "2 packages fetched" in ran.err
    assert "hidden" not in ran.err
    assert "EQUAL" in one("verify", "prod", "oci:image").out
    one("bundle", "prod", "-o", "prod.bundle", "--thin")
    two = there("two")
    two("unbundle", one.folder / "prod.bundle")
    assert two("vendor", "prod").status == 0
    assert built(two, "prod") == ran.out.strip()


def test_packages_that_are_at_hand_serve_without_a_repository(
    repository: Path, root: Path, there: Callable[[str], Cli]
) -> None:
    one = there("one")
    folder = one.folder.parent / "any"
    folder.mkdir()
    for number, path in enumerate(sorted((repository / "core/os/x86_64").glob("*.pkg.tar.*"))):
        shutil.copy(path, folder / f"{number}.download")
    (root / "usr/bin/shop").write_text("something else\n")
    (root / "etc/shop/edited.conf").write_text("edited=2\n")
    (root / "etc/shop/edited.conf.pacnew").write_text("edited=1\n")
    one("capture", f"dir:{root}", "--name", "prod")
    assert "/usr/share/numbers" in by_value(one, "pacman"), "its configuration has no repository"
    assert built(one, "prod")
    (one.folder / "locks/prod.lock").rename(one.folder / "before.lock")
    (one.folder / "envlock.toml").write_text(f'[materialize]\nwheels = ["{folder}"]\n')
    one("capture", f"dir:{root}", "--name", "prod", "--full", "--vendor")
    kept = by_value(one, "pacman")
    mine = [path for path in kept if not path.startswith(DATABASE)]
    assert mine == ["/etc/shop/edited.conf", "/usr/bin/sh", "/usr/bin/shop"]
    database = {path.rpartition("/")[2] for path in kept if path not in mine}
    assert database == {"ALPM_DB_VERSION", "desc", "files"}
    assert "EQUAL" in one("diff", "before.lock", "prod").out
    digest = built(one, "prod")
    assert "EQUAL" in one("verify", "prod", "oci:image").out
    one("bundle", "prod", "-o", "whole.bundle", "--offline")
    two = there("two")
    two("unbundle", one.folder / "whole.bundle", "-o", "locks/prod.lock")
    assert built(two, "prod") == digest


def test_every_place_that_was_asked_is_told(
    served: str, root: Path, there: Callable[[str], Cli]
) -> None:
    description = next((root / "var/lib/pacman/local").glob("big-*/mtree"))
    description.write_bytes(description.read_bytes() + b"\0")
    one = there("one")
    one("capture", f"dir:{root}", "--name", "prod")
    refused = one("materialize", "prod", "-o", "image", status=5).err
    assert "pacman big 2-1: in no source" in refused
    assert "pacman shop" not in refused
    host = served.removeprefix("http://")
    assert f"{host} has no repository of pacman there" in refused
    assert f"{host} has another file than the locked one of pacman big 2-1" in refused
    assert "asked for pacman: envlock's cache, " in refused
    assert ", repository core\n" in refused
