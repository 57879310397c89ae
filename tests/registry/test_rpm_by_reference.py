"""A root of rpm packages travels by reference, and is rebuilt by who has the packages."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.packages import build_rpm, install
from tests.registry.debian import mirror
from tests.registry.machines import built, by_value
from tests.rpm_repository import make_repository

BIG = """\
Name: big
Version: 1
Release: 1
Summary: a large file
License: MIT
%description
big
%install
mkdir -p %{buildroot}/usr/share/big
seq 400000 > %{buildroot}/usr/share/big/numbers
%files
/usr/share/big
"""
OTHERS = ["/etc/group", "/etc/passwd", "/usr/bin/sh"]
"""What of the root is in no package, but for the database: accounts, and a shell, which says for
which machine it is."""
DATABASE = "/var/lib/rpm/"


@pytest.fixture
def packages(rpms: list[Path], tmp_path: Path) -> list[Path]:
    """Return packages, one of them with a large file."""
    return [*rpms, *build_rpm(tmp_path, BIG)]


@pytest.fixture
def root(packages: list[Path], tmp_path: Path) -> Path:
    root = install(tmp_path / "root", packages)
    shutil.copy2("/bin/sh", root / "usr/bin/sh", follow_symlinks=True)
    (root / "bin").symlink_to("usr/bin")
    return root


@pytest.fixture
def folder(packages: list[Path], tmp_path: Path) -> Path:
    """Return a folder with these packages under other names."""
    folder = tmp_path / "folder/of/any"
    folder.mkdir(parents=True)
    for number, path in enumerate(packages):
        shutil.copy(path, folder / f"{number}.download")
    return tmp_path / "folder"


def test_it_is_rebuilt_from_the_packages_that_a_capture_kept(
    root: Path, folder: Path, there: Callable[[str], Cli]
) -> None:
    one = there("one")
    (one.folder / "envlock.toml").write_text(f'[materialize]\nwheels = ["{folder}"]\n')
    said = one("capture", f"dir:{root}", "--name", "prod", "--vendor").err
    assert f"{one.folder}/.envlock/packages: 4 packages" in said
    kept = sorted(path.name for path in (one.folder / ".envlock/packages").glob("*.rpm"))
    assert kept == [
        "big-1-1.x86_64.rpm",
        "kernel-core-5.14.1-1.x86_64.rpm",
        "kernel-core-5.14.2-1.x86_64.rpm",
        "shop-1.2.3-4.x86_64.rpm",
    ]
    assert [path for path in by_value(one, "rpm") if not path.startswith(DATABASE)] == OTHERS
    (one.folder / "envlock.toml").unlink()
    digest = built(one, "prod")
    assert "EQUAL" in one("verify", "prod", "oci:image").out
    one("bundle", "prod", "-o", "thin.bundle", "--thin")
    one("bundle", "prod", "-o", "whole.bundle", "--offline")

    two = there("two")
    two("unbundle", one.folder / "thin.bundle", "-o", "locks/prod.lock")
    refused = two("materialize", "prod", "-o", "image", "--offline", status=5).err
    assert "rpm shop.x86_64 2:1.2.3-4: in no source" in refused
    assert "rpm kernel-core.x86_64 5.14.1-1: in no source" in refused
    assert "asked for rpm: envlock's cache" in refused
    (two.folder / "envlock.toml").write_text(f'[locks]\nvendor = "{folder}"\n')
    assert built(two, "prod") == digest

    three = there("three")
    three("unbundle", one.folder / "whole.bundle", "-o", "locks/prod.lock")
    assert built(three, "prod") == digest


def test_without_the_packages_it_travels_by_value(
    root: Path, folder: Path, there: Callable[[str], Cli]
) -> None:
    one = there("one")
    one("capture", f"dir:{root}", "--name", "prod")
    assert "/usr/share/big/numbers" in by_value(one, "rpm")
    assert built(one, "prod")
    (one.folder / "locks/prod.lock").rename(one.folder / "before.lock")
    (one.folder / "envlock.toml").write_text(f'[materialize]\nwheels = ["{folder}"]\n')
    one("capture", f"dir:{root}", "--name", "prod", "--full")
    assert "/usr/share/big/numbers" not in by_value(one, "rpm")
    assert "EQUAL" in one("diff", "before.lock", "prod").out


def test_what_was_edited_travels_by_value(
    root: Path, folder: Path, there: Callable[[str], Cli]
) -> None:
    one = there("one")
    (root / "usr/bin/edited").write_text("something else\n")
    (root / "etc/shop/edited.conf").write_text("edited=2\n")
    (one.folder / "envlock.toml").write_text(f'[materialize]\nwheels = ["{folder}"]\n')
    one("capture", f"dir:{root}", "--name", "prod")
    kept = [path for path in by_value(one, "rpm") if not path.startswith(DATABASE)]
    assert kept == sorted([*OTHERS, "/usr/bin/edited", "/etc/shop/edited.conf"])
    assert built(one, "prod")
    assert "EQUAL" in one("verify", "prod", "oci:image").out


@pytest.fixture
def served(packages: list[Path], root: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Return the URL of a repository and its folder; dnf has installed the root from it.

    One package was installed from a file, and the repository has it no less.
    """
    folder = tmp_path / "repository"
    make_repository(folder / "1/x86_64", packages)
    with mirror(folder) as (url, _):
        (root / "etc/os-release").write_text("ID=test\nVERSION_ID=1\n")
        (root / "etc/yum.repos.d").mkdir()
        (root / "etc/yum.repos.d/shop.repo").write_text(
            f"[shop]\nname=shop\nbaseurl={url}/$releasever/$basearch\n"
            "[off]\nname=off\nbaseurl=http://off.example.org/\nenabled=0\n"
        )
        state = root / "usr/lib/sysimage/libdnf5"
        state.mkdir(parents=True)
        labels = ("shop.x86_64", "big.x86_64", "kernel-core.x86_64")
        marks = (f'"{label}" = {{reason = "User"}}\n' for label in labels)
        (state / "packages.toml").write_text("[packages]\n" + "".join(marks))
        origins = {
            "shop-2:1.2.3-4.x86_64": "shop",
            "big-1-1.x86_64": "shop",
            "kernel-core-5.14.1-1.x86_64": "@commandline",
            "kernel-core-5.14.2-1.x86_64": "off",
        }
        lines = (f'"{nevra}" = {{from_repo = "{name}"}}\n' for nevra, name in origins.items())
        (state / "nevras.toml").write_text("[nevras]\n" + "".join(lines))
        yield url, folder / "1/x86_64"


def test_packages_of_a_repository_are_referred_to_unseen_and_downloaded_for_a_rebuild(
    served: tuple[str, Path], root: Path, there: Callable[[str], Cli]
) -> None:
    one = there("one")
    one("capture", f"dir:{root}", "--name", "prod")
    mine = ("/var/lib/rpm/", "/usr/lib/sysimage/", "/etc/os-release", "/etc/yum.repos.d/")
    kept = [path for path in by_value(one, "rpm") if not path.startswith(mine)]
    files = ["/boot/vmlinuz-1", "/boot/vmlinuz-2"]
    assert kept == sorted([*OTHERS, *files]), "these kernels may be in no repository"
    refused = one("materialize", "prod", "-o", "image", "--offline", status=5).err
    assert "rpm big.x86_64 1-1: in no source" in refused
    ran = one("materialize", "prod", "-o", "image")
    assert "2 packages fetched" in ran.err
    assert "EQUAL" in one("verify", "prod", "oci:image").out
    one("bundle", "prod", "-o", "prod.bundle", "--thin")
    two = there("two")
    two("unbundle", one.folder / "prod.bundle")
    assert two("vendor", "prod").status == 0
    assert built(two, "prod") == ran.out.strip()


def test_every_place_that_was_asked_is_told(
    served: tuple[str, Path], root: Path, there: Callable[[str], Cli]
) -> None:
    url, folder = served
    one = there("one")
    one("capture", f"dir:{root}", "--name", "prod")
    (folder / "Packages/big-1-1.x86_64.rpm").write_bytes(
        (folder / "Packages/shop-1.2.3-4.x86_64.rpm").read_bytes()
    )
    refused = one("materialize", "prod", "-o", "image", status=5).err
    assert "rpm big.x86_64 1-1: in no source" in refused
    assert "rpm shop" not in refused
    assert "asked for rpm: envlock's cache, repository shop" in refused
    assert "has another file than the locked one of rpm big.x86_64 1-1" in refused
    shutil.rmtree(folder / "repodata")
    refused = one("materialize", "prod", "-o", "image", status=5).err
    assert f"{url.removeprefix('http://')} has no repository of rpm there" in refused
    assert "envlock vendor" in refused
