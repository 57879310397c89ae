"""Packages of Arch from the cache of pacman, and from repositories on loopback."""

from __future__ import annotations

from contextlib import closing

import pytest

from envlock.errors import SourceError
from envlock.materialize.artifacts.kinds.pacman import PacmanPackage
from envlock.materialize.artifacts.sources.archive import address
from envlock.materialize.artifacts.sources.base import SourceRequest, UnreachableSourceError
from envlock.materialize.artifacts.sources.download import Downloads
from envlock.materialize.artifacts.sources.mirrors import MOST_MIRRORS
from envlock.materialize.artifacts.sources.pacman import (
    LARGEST_DESCRIPTION,
    PacmanRepository,
    caches,
    listed_files,
    repositories,
)
from envlock.materialize.artifacts.verify import digest_of
from envlock.model.lock import Lock
from tests.pacman_packages import build_package, make_repository, require_pacman
from tests.registry.conftest import free_port
from tests.registry.debian import mirror
from tests.unit.materialize.packages import tar_bytes

MISSING = PacmanPackage("missing", "1-1", "any", "missing", "0" * 64)


@pytest.fixture
def downloads():
    with closing(Downloads(rate=1e6)) as found:
        yield found


@pytest.fixture(scope="module")
def arch(tmp_path_factory):
    """Return a folder of a mirror, and the package in its repository."""
    require_pacman()
    folder = tmp_path_factory.mktemp("arch")
    path = build_package(folder, "shop", {"usr/bin/shop": b"shop\n"})
    make_repository(folder / "mirror/core", "core", [path])
    mtree = digest_of(path, "pacman-mtree").partition(":")[2]
    return folder / "mirror", PacmanPackage("shop", "1:1.0-2", "x86_64", "shop", mtree)


def asked(addresses, wanted, downloads, tmp_path):
    """Return what a repository has of packages, and what it says."""
    said = []
    source = PacmanRepository(
        name="x", database="core", addresses=tuple(addresses), downloads=downloads
    )
    return source.fetch(wanted, tmp_path, said.append), said


def test_mirrors_of_arch_are_asked_in_turn(arch, downloads, tmp_path):
    folder, shop = arch
    other = shop._replace(version="9-9")
    with mirror(folder) as (url, seen):
        found, said = asked(
            [f"{url}/none", f"{url}/core"], [shop, other, MISSING], downloads, tmp_path
        )
        assert list(found) == [shop]
        assert digest_of(found[shop], "pacman-mtree") == shop.proofs[0]
        assert said == [f"{url.removeprefix('http://')} has no repository of pacman there"]
        seen.clear()
        with pytest.raises(SourceError, match="has no repository of pacman there"):
            asked([f"{url}/{n}" for n in range(MOST_MIRRORS + 3)], [shop], downloads, tmp_path)
        assert len(seen) == MOST_MIRRORS
        with pytest.raises(SourceError, match=f"has another file than the locked one of {shop}"):
            asked([f"{url}/core"], [shop._replace(mtree="f" * 64)], downloads, tmp_path)
    with pytest.raises(UnreachableSourceError):
        asked([f"http://127.0.0.1:{free_port()}"], [shop], downloads, tmp_path)
    with pytest.raises(SourceError, match=r"no mirror of it was in pacman\.conf"):
        asked([], [shop], downloads, tmp_path)
    assert asked([f"{url}/core"], [], downloads, tmp_path) == (
        {},
        [],
    ), "nothing is asked for nothing"


@pytest.mark.parametrize("content", [b"", b"x" * 600, b"\x1f\x8b\x08" + bytes(99)])
def test_a_damaged_database_is_told(arch, downloads, tmp_path, content):
    (tmp_path / "core.db").write_bytes(content)
    with (
        mirror(tmp_path) as (url, _),
        pytest.raises(SourceError, match=r"the index of 127\.0\.0\.1:[0-9]+ cannot be read"),
    ):
        asked([url], [arch[1]], downloads, tmp_path)


def test_a_description_of_the_largest_size_and_above():
    fields = b"%NAME%\na\n\n%VERSION%\n1-1\n\n%ARCH%\nany\n\n%FILENAME%\na.pkg\n\n"
    key = ("a", "1-1", "any")
    for size, found in ((LARGEST_DESCRIPTION, {key: "a.pkg"}), (LARGEST_DESCRIPTION + 1, {})):
        raw = tar_bytes({"a-1-1/desc": fields.ljust(size, b"\n")})
        assert dict(listed_files([raw], [key])) == found


def test_the_repositories_of_a_lock_are_asked_by_their_mirrors_then_the_settings(downloads):
    sections = {
        "repository": {
            "pacman core": {"mirrors": "https://a.example.org/$repo/os/$arch"},
            "pacman own": {"url": "https://own.example.org https://two.example.org/$repo/"},
            "rpm other": {"url": "https://rpm.example.org"},
        }
    }
    mirrors = ("https://m.example.org/$repo/os/$arch", "https://not.example.org/rpm")
    wanted = [MISSING, MISSING._replace(arch="aarch64")]
    request = SourceRequest(Lock(sections=sections), wanted, None, mirrors)
    found = {each.name: each.addresses for each in repositories(request, downloads)}
    assert found == {
        "repository core": (
            "https://a.example.org/core/os/aarch64",
            "https://m.example.org/core/os/aarch64",
        ),
        "repository own": (
            "https://own.example.org",
            "https://two.example.org/own",
            "https://m.example.org/own/os/aarch64",
        ),
    }


def test_the_cache_of_pacman_has_its_packages(arch, tmp_path):
    folder, shop = arch
    (source,) = caches(folder / "core")
    assert list(source.fetch([shop, MISSING], tmp_path, pytest.fail)) == [shop]
    assert caches(tmp_path / "none") == []


def test_an_archive_of_arch_is_addressed_by_the_first_letter():
    template = "https://archive.example.org/packages/{letter}/{name}/{filename}"
    assert address(template, MISSING._replace(version="1:1-1")) == (
        "https://archive.example.org/packages/m/missing/missing-1%3A1-1-any.pkg.tar.zst"
    )
