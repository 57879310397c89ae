"""Packages are kept while they can be had, and a rebuild finds them when the mirror is gone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Cli, unavailable
from tests.registry.debian import (
    PACKAGES,
    index_of,
    make_repository,
    make_root,
    mirror,
    package,
)
from tests.registry.faults import Question, Reply, proxy
from tests.registry.machines import built


@pytest.fixture(autouse=True)
def _apt() -> None:
    if shutil.which("apt-get") is None:
        unavailable("apt", "it is not installed")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Return the URL of a mirror that has the packages."""
    with mirror(make_repository(tmp_path / "repository")) as (url, _):
        yield url


def carry(envlock: Cli, there: Callable[[str], Cli], name: str) -> Cli:
    """Carry the lock without its packages to another machine; return that one."""
    bundle = envlock.folder / "prod.bundle"
    envlock("bundle", "prod", "-o", bundle, "--thin")
    other = there(name)
    other("unbundle", bundle)
    return other


def kept_by(envlock: Cli) -> list[str]:
    """Return the names of the packages in the folder of a project."""
    return sorted(path.name for path in (envlock.folder / ".envlock/packages").glob("[!.]*"))


def test_packages_that_a_capture_kept_are_found_when_the_mirror_is_gone(
    served: str, tmp_path: Path, there: Callable[[str], Cli]
) -> None:
    root = make_root(tmp_path / "root", served)
    one = there("one")
    said = one("capture", f"dir:{root}", "--name", "prod", "--vendor").err
    assert f"{one.folder}/.envlock/packages: 2 packages" in said
    assert kept_by(one) == ["data_1_all.deb", "tool_1_all.deb"]
    digest = built(one, "prod")
    two = carry(one, there, "two")
    refused = two("materialize", "prod", "-o", "image", "--offline", status=5).err
    assert "deb tool:all 1: in no source" in refused
    assert "asked for deb: envlock's cache, apt's cache" in refused
    assert "envlock vendor" in refused
    (two.folder / "envlock.toml").write_text('[locks]\nvendor = "vendor"\n')
    for number, path in enumerate(sorted((one.folder / ".envlock/packages").glob("*.deb"))):
        (two.folder / "vendor/any").mkdir(parents=True, exist_ok=True)
        shutil.copy(path, two.folder / f"vendor/any/{number}")
    assert built(two, "prod") == digest


def test_what_is_kept_is_not_written_again(
    served: str, tmp_path: Path, there: Callable[[str], Cli]
) -> None:
    root = make_root(tmp_path / "root", served)
    envlock = there("one")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    first = envlock("vendor", "prod", "--to", "kept", "--json").json
    assert (first["packages"], first["new"], first["missing"]) == (2, 2, [])
    again = envlock("vendor", "prod", "--to", "kept", "--json", "--offline").json
    assert (again["packages"], again["new"], again["bytes"]) == (2, 0, first["bytes"])


def test_packages_in_a_registry_are_found_by_every_version_of_a_lock(
    served: str, tmp_path: Path, registry: str, there: Callable[[str], Cli]
) -> None:
    root = make_root(tmp_path / "root", served)
    place = f"oci://{registry}/vendored/packages"
    one = there("one")
    (one.folder / "envlock.toml").write_text(f'[locks]\nvendor = "{place}"\n')
    one("capture", f"dir:{root}", "--name", "prod", "-q")
    refused = one("vendor", "prod", status=2).err
    assert "packages: 2 files" in refused
    assert "hint: add --yes" in refused
    size = sum((tmp_path / f"repository/{name}.deb").stat().st_size for name in PACKAGES)
    assert one("vendor", "prod", "--yes").err.endswith(f"2 packages, {size:,} bytes (2 new)\n")
    digest = built(one, "prod")
    bundle = one.folder / "prod.bundle"
    one("bundle", "prod", "-o", bundle, "--thin")
    (root / "etc/more").write_text("more\n")
    one("capture", f"dir:{root}", "--name", "prod", "-q", "--vendor")
    shutil.rmtree(tmp_path / "repository")
    two = there("two")
    two("unbundle", bundle)
    (two.folder / "envlock.toml").write_text(f'[locks]\nvendor = "{place}"\n')
    done = two("materialize", "prod", "-o", "image", "--json").json
    assert (done["manifest_digest"], done["fetched"]) == (digest, 2)


def test_what_cannot_be_had_is_told_with_every_place_and_the_rest_is_kept(
    served: str, tmp_path: Path, there: Callable[[str], Cli]
) -> None:
    root = make_root(tmp_path / "root", served)
    (tmp_path / "repository/tool.deb").unlink()
    envlock = there("one")
    said = envlock("capture", f"dir:{root}", "--name", "prod", "--vendor", status=5).err
    assert "1 package cannot be had" in said
    assert "deb tool:all 1: in no source" in said
    assert (
        "asked for deb: envlock's cache, apt's cache, the captured apt sources, this machine's apt"
    ) in said
    assert "the captured apt sources: E: Failed to fetch http" in said
    assert (envlock.folder / "locks/prod.lock").is_file()
    assert kept_by(envlock) == ["data_1_all.deb"]


def test_a_package_of_which_the_mirror_has_another_build_is_not_kept(
    tmp_path: Path, there: Callable[[str], Cli], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without indexes the lock states no digest, so only the files of a package show it."""
    with mirror(tmp_path / "repository") as (url, _):
        root = make_root(tmp_path / "root", url)
        monkeypatch.setitem(PACKAGES, "tool", {"usr/bin/tool": b"another build"})  # type: ignore[misc]
        make_repository(tmp_path / "repository")
        envlock = there("one")
        said = envlock("capture", f"dir:{root}", "--name", "prod", "--vendor", status=5).err
    assert "/usr/bin/tool: deb tool:all 1 does not contain it" in said
    assert kept_by(envlock) == ["data_1_all.deb"]


def test_a_package_in_no_index_is_kept_by_value_and_told_with_its_size(
    served: str, tmp_path: Path, there: Callable[[str], Cli]
) -> None:
    root = make_root(tmp_path / "root", served)
    repository = make_repository(tmp_path / "newer", version="2")
    index_of(root, repository)
    envlock = there("one")
    said = envlock("capture", f"dir:{root}", "--name", "prod", "--vendor").err
    assert (
        "kept by value, because no index of the environment has them: 2 packages, 0.0 MB: "
        "data:all, tool:all"
    ) in said
    assert built(envlock, "prod")


def test_a_registry_that_lies_and_breaks_off_gives_only_what_is_right(
    served: str, tmp_path: Path, registry: str, there: Callable[[str], Cli]
) -> None:
    """One package comes with wrong bytes and is had elsewhere, the other one is cut and resumed."""
    root = make_root(tmp_path / "root", served)
    one = there("one")
    one("capture", f"dir:{root}", "--name", "prod", "-q")
    one("vendor", "prod", "--to", f"oci://{registry}/vendored/faults:prod", "--yes", "-q")
    digest = built(one, "prod")
    assert not (one.folder / ".envlock/packages").exists()  # they went to the registry alone
    two = carry(one, there, "two")
    good = package("data")

    def unlucky(question: Question, ask: Callable[[], Reply]) -> Reply:
        reply = ask()
        if "/blobs/" not in question.path or question.method != "GET":
            return reply
        if reply.content == good:
            return reply._replace(cut=100)
        if "Range" in question.headers:
            return reply
        return reply._replace(content=reply.content[:-1] + bytes([reply.content[-1] ^ 1]))

    with proxy(registry, unlucky) as (address, seen):
        settings = f'[locks]\nvendor = "oci://{address}/vendored/faults:prod"\n'
        (two.folder / "envlock.toml").write_text(settings)
        done = two("materialize", "prod", "-o", "image", "--json").json
        assert (done["manifest_digest"], done["fetched"]) == (digest, 2)
        assert any("Range" in question.headers for question in seen)
        shutil.rmtree(two.folder.parent / "data/envlock/cache")
        shutil.rmtree(tmp_path / "repository")
        refused = two("materialize", "prod", "-o", "again", status=5).err
    assert "tool_1_all.deb: blob sha256:" in refused
    assert "does not match its digest" in refused
    assert "deb tool:all 1: in no source" in refused
    assert "deb data:all 1: in no source" not in refused


def test_a_project_may_keep_no_packages(
    served: str, tmp_path: Path, there: Callable[[str], Cli]
) -> None:
    """Then no folder of the project is searched, and a bundle's packages go into the store."""
    root = make_root(tmp_path / "root", served)
    one = there("one")
    (one.folder / "envlock.toml").write_text('[locks]\nvendor = ""\n')
    one("capture", f"dir:{root}", "--name", "prod", "-q")
    refused = one("vendor", "prod", status=2).err
    assert "no place for packages is named" in refused
    assert "--to PLACE" in refused
    one("bundle", "prod", "-o", "prod.bundle")
    digest = built(one, "prod")
    two = there("two")
    (two.folder / "envlock.toml").write_text('[locks]\nvendor = ""\n')
    two("unbundle", one.folder / "prod.bundle")
    assert built(two, "prod") == digest
    assert sorted(path.name for path in two.folder.iterdir()) == ["envlock.toml", "image", "locks"]


@pytest.mark.parametrize("setting", ["", '[locks]\nvendor = "vendor"\n'])
def test_a_folder_that_another_tool_made_is_captured(
    setting: str, root: Path, there: Callable[[str], Cli]
) -> None:
    """Composer, Bundler and Go keep code in ``vendor``: a difference in it is one."""
    envlock = there("one")
    project = root / "srv/shop"
    (project / "vendor").mkdir(parents=True)
    (project / "envlock.toml").write_text(setting)
    digests = set()
    for content in ("one", "two"):
        (project / "vendor/code.php").write_text(f"<?php echo '{content}';\n")
        argv = ("capture", f"dir:{root}", "--config", project / "envlock.toml", "--json")
        digests.add(envlock(*argv, "-o", project / "prod.lock").json["environment_digest"])
    assert len(digests) == 2


def test_a_capture_leaves_out_the_packages_that_envlock_keeps(
    served: str, tmp_path: Path, there: Callable[[str], Cli]
) -> None:
    root = make_root(tmp_path / "root", served)
    envlock = there("one")
    project = root / "srv/shop"
    project.mkdir(parents=True)
    (project / "envlock.toml").write_text("")
    argv = ("capture", f"dir:{root}", "--config", project / "envlock.toml", "--vendor", "--json")
    envlock(*argv, "-o", project / "prod.lock")  # it makes the folder
    kept = project / ".envlock/packages"
    assert (kept / "data_1_all.deb").is_file()
    digests = {envlock(*argv, "-o", project / "prod.lock").json["environment_digest"]}
    (kept / "other_1_all.deb").write_bytes(b"another")
    digests.add(envlock(*argv, "-o", project / "prod.lock").json["environment_digest"])
    assert len(digests) == 1
