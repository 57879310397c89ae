"""A conda environment travels by reference, and is rebuilt by who has the packages."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envlock.lockfile.reader import parse_lock
from envlock.model.tree import EntryType, Row
from envlock.store.objects import Store
from envlock.workflow import require_tree
from tests import conda_packages
from tests.conftest import Cli
from tests.registry.debian import mirror
from tests.registry.faults import Question

PREFIX = "/opt/env"
SITE = f"{PREFIX}/lib/python3.11/site-packages"
OTHERS = [f"{PREFIX}/CACHEDIR.TAG", f"{PREFIX}/bin/pure", "/usr/bin/sh"]
"""What is in no package: what the installer writes, and a shell, which names the architecture."""
PLACED = [
    f"{PREFIX}/bin/perl-tool",
    f"{PREFIX}/bin/pure-script",
    f"{PREFIX}/bin/tool",
    f"{PREFIX}/lib/libtool.so",
    f"{PREFIX}/lib/pkgconfig/tool.pc",
]
"""What has the prefix in it."""


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    folder = tmp_path / "channel"
    conda_packages.build(folder, "python", conda_packages.PYTHON, version="3.11.9")
    conda_packages.build(folder, "tool", conda_packages.TOOL, suffix="tar.bz2")
    conda_packages.build(folder, "pure", conda_packages.PURE, entry_points=["pure = pure:main"])
    return folder


@pytest.fixture
def served(channel: Path) -> Iterator[tuple[str, list[Question]]]:
    with mirror(channel) as found:
        yield found


@pytest.fixture
def environment(channel: Path, served: tuple[str, list[Question]], tmp_path: Path) -> Path:
    """Return a root with an environment that rattler installed from a channel."""
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    shutil.copy2("/bin/sh", root / "usr/bin/sh", follow_symlinks=True)
    (root / "bin").symlink_to("usr/bin")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    packages = [path for path in channel.rglob("*") if path.is_file()]
    # A channel with a password: it must be in nothing that envlock writes.
    url = served[0].replace("http://", "http://anna:hunter2-of-the-channel@")
    conda_packages.install(packages, root / "opt/env", PREFIX, url, scratch)
    served[1].clear()
    return root


@pytest.fixture
def cache(channel: Path, tmp_path: Path) -> Path:
    """Return a cache of conda with the packages."""
    folder = tmp_path / "pkgs"
    folder.mkdir()
    for path in channel.rglob("*"):
        if path.is_file():
            shutil.copy(path, folder)
    return folder


def rows(envlock: Cli) -> list[Row]:
    """Return the rows of the files of the lock `prod` that are not empty."""
    lock = parse_lock((envlock.folder / "locks/prod.lock").read_bytes(), "prod")
    with Store.open(envlock.folder.parent / "data/envlock") as store:
        tree = require_tree(lock, store)
    return [row for row in tree.rows if row.entry.type is EntryType.FILE and row.entry.size]


def by_value(envlock: Cli) -> list[str]:
    """Return the paths whose content travels by value, without the records of the installer."""
    paths = (row.entry.path for row in rows(envlock) if not row.source.startswith("conda "))
    return [path for path in paths if "/conda-meta/" not in path]


def carried(one: Cli, two: Cli) -> Cli:
    """Return the machine `two` with the bundle that `one` made."""
    two("unbundle", one.folder / "prod.bundle", "-o", "locks/prod.lock")
    return two


def bundled(one: Cli, *more: str) -> str:
    """Bundle the lock without packages, and rebuild it; return the digest of the image."""
    one("bundle", "prod", "--thin", "-o", "prod.bundle")
    return built(one, *more)


def built(envlock: Cli, *more: str) -> str:
    return envlock("materialize", "prod", "-o", "image", "-q", *more).out.strip()


def test_what_a_channel_has_is_referred_to_unseen_and_downloaded_from_it(
    environment: Path,
    served: tuple[str, list[Question]],
    there: Callable[[str], Cli],
) -> None:
    one = there("one")
    one("capture", f"dir:{environment}", "--name", "prod")
    assert served[1] == [], "a capture asks nobody"
    assert by_value(one) == sorted([*OTHERS, *PLACED])
    assert f'url = "{served[0]}/linux-64"' in (one.folder / "locks/prod.lock").read_text()
    digest = bundled(one)
    two = carried(one, there("two"))
    assert built(two) == digest
    assert "EQUAL" in two("verify", "prod", "oci:image").out
    three = carried(one, there("three"))
    refused = three("materialize", "prod", "-o", "image", "--offline", status=5).err
    assert "conda linux-64/tool-1.0-h_0.tar.bz2: in no source" in refused


def test_files_with_the_prefix_are_taken_from_packages_at_hand(
    environment: Path,
    cache: Path,
    served: tuple[str, list[Question]],
    there: Callable[[str], Cli],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONDA_PKGS_DIRS", str(cache))
    one = there("one")
    one("capture", f"dir:{environment}", "--name", "prod", "--vendor")
    assert by_value(one) == OTHERS
    sources = {row.entry.path: row.source for row in rows(one)}
    assert sources[f"{PREFIX}/bin/tool"] == "conda opt/tool conda-prefix/1 bin/tool"
    assert sources[f"{SITE}/pure/__init__.py"].startswith("conda opt/pure ")
    digest = bundled(one, "--offline")
    kept = sorted(path.name for path in (one.folder / ".envlock/packages").iterdir())
    assert kept[1:] == ["pure-1.0-h_0.conda", "python-3.11.9-h_0.conda", "tool-1.0-h_0.tar.bz2"]
    assert built(carried(one, there("two")), "--offline") == digest
    assert served[1] == []
    monkeypatch.delenv("CONDA_PKGS_DIRS")
    assert built(carried(one, there("three"))) == digest
    assert len(served[1]) == 3


def test_a_capture_downloads_what_no_cache_has(
    environment: Path, served: tuple[str, list[Question]], there: Callable[[str], Cli]
) -> None:
    one = there("one")
    one("capture", f"dir:{environment}", "--name", "prod", "--fetch")
    assert by_value(one) == OTHERS
    digest = bundled(one)
    assert built(carried(one, there("two"))) == digest


def test_what_was_changed_travels_by_value_and_is_told(
    environment: Path, cache: Path, there: Callable[[str], Cli], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDA_PKGS_DIRS", str(cache))
    one = there("one")
    one("capture", f"dir:{environment}", "--name", "prod")
    (one.folder / "locks/prod.lock").rename(one.folder / "before.lock")
    changed = [f"{PREFIX}/bin/tool", f"{PREFIX}/share/tool/a file.txt"]
    for path in changed:
        with (environment / path[1:]).open("a") as file:
            file.write("changed\n")
    one("capture", f"dir:{environment}", "--name", "prod", "--full")
    assert by_value(one) == sorted([*OTHERS, *changed])
    told = one("diff", "before.lock", "prod", status=1).out
    assert all(path in told for path in changed)
    assert built(one, "--offline")


def test_other_packages_of_that_name_are_not_used(
    environment: Path, channel: Path, there: Callable[[str], Cli]
) -> None:
    one = there("one")
    one("capture", f"dir:{environment}", "--name", "prod")
    other = {**conda_packages.TOOL, "bin/plain": b"#!/bin/sh\necho evil\n"}
    conda_packages.build(channel, "tool", other, suffix="tar.bz2")
    refused = one("materialize", "prod", "-o", "image", status=5).err
    assert "conda linux-64/tool-1.0-h_0.tar.bz2 is another file than the locked one" in refused
    assert "hunter2" not in refused
