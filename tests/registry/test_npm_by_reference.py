"""An application of npm travels by reference, and is rebuilt by who has nothing but the lock."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Cli, unavailable
from tests.npm_registry import NpmServer, npm_home, serving
from tests.unit.materialize.packages import tgz_bytes

BIG = bytes(range(256)) * 4000
PACKAGES = {
    ("plain", "1.2.3"): {"index.js": BIG, "bin/tool": b"#!/usr/bin/env node\n"},
    ("@x/native", "2.0.0"): {"lib/native.bin": BIG[::-1]},
}
APPLICATION = {"name": "app", "version": "1.0.0", "dependencies": dict(PACKAGES.keys())}


@pytest.fixture
def registry() -> Iterator[NpmServer]:
    if shutil.which("npm") is None:
        unavailable("npm", "it is not installed")
    tarballs = {
        (name, version): tgz_bytes(
            {"package.json": json.dumps({"name": name, "version": version}).encode(), **files}
        )
        for (name, version), files in PACKAGES.items()
    }
    with serving(tarballs) as server:
        yield server


@pytest.fixture
def machine(
    registry: NpmServer,
    there: Callable[[str], Cli],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Cli]:
    """Return a function that moves on to another machine, with a home of npm of its own."""

    def go(name: str) -> Cli:
        for variable, value in npm_home(tmp_path / name / "npm", registry.url).items():
            monkeypatch.setenv(variable, value)
        return there(name)

    return go


@pytest.fixture
def app(machine: Callable[[str], Cli], root: Path) -> Path:
    """Return the folder of an application that npm installed, in a root."""
    machine("builder")
    folder = root / "srv/app"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps(APPLICATION))
    subprocess.run(["npm", "install"], cwd=folder, check=True, capture_output=True)
    tool = folder / "node_modules/plain/copied.bin"  # what a script of the package did
    shutil.copy(folder / "node_modules/@x/native/lib/native.bin", tool)
    (folder / "node_modules/plain/made.txt").write_text("made here\n")
    return folder


def size_by_value(envlock: Cli, root: Path, *more: str) -> int:
    """Capture a root as `prod`; return how many bytes are kept by value."""
    envlock("capture", f"dir:{root}", "--name", "prod", *more)
    for line in (envlock.folder / "locks/prod.lock").read_text().splitlines():
        if line.startswith("residue"):
            return int(line.split('"')[1])
    raise AssertionError("the lock has no file tree")


def carried(envlock: Cli, other: Cli) -> Cli:
    bundle = other.folder / "prod.bundle"
    shutil.move(envlock.folder / "prod.bundle", bundle)
    other("unbundle", bundle, "-o", "prod.lock")
    return other


def test_it_is_rebuilt_where_nothing_is_known_of_it(
    app: Path, root: Path, machine: Callable[[str], Cli]
) -> None:
    envlock = machine("nobody")
    assert size_by_value(envlock, root) > 3 * len(BIG), "no cache has the packages"
    envlock = machine("builder2")
    subprocess.run(["npm", "ci"], cwd=app, check=True, capture_output=True)
    tool = app / "node_modules/plain/copied.bin"
    shutil.copy(app / "node_modules/@x/native/lib/native.bin", tool)
    without = size_by_value(envlock, root)
    envlock("bundle", "prod", "--thin", "-o", "prod.bundle")
    here = envlock("materialize", "prod", "-o", "image", "-q").out
    other = carried(envlock, machine("other"))
    ran = other("materialize", "prod.lock", "-o", "image")
    assert ran.out == here
    assert "2 packages fetched" in ran.err
    assert "EQUAL" in other("verify", "prod.lock", "oci:image").out
    assert without < 3 * len(BIG)


def test_fetch_downloads_what_no_cache_has(
    app: Path, root: Path, registry: NpmServer, machine: Callable[[str], Cli]
) -> None:
    shutil.rmtree(root / "usr/local")
    envlock = machine("cleaned")
    registry.asked.clear()
    by_value = size_by_value(envlock, root)
    assert registry.asked == [], "a capture asks no network unless it is told to"
    envlock("store", "gc")
    by_reference = size_by_value(machine("fetching"), root, "--fetch")
    assert by_value - by_reference == 2 * len(BIG) + len(b"#!/usr/bin/env node\n") + sum(
        (app / f"node_modules/{name}/package.json").stat().st_size for name, _ in PACKAGES
    )
    assert {path.rpartition("/")[2] for path in registry.asked} == {
        "plain-1.2.3.tgz",
        "native-2.0.0.tgz",
    }


def test_what_is_not_published_is_said_and_kept(
    app: Path, root: Path, registry: NpmServer, machine: Callable[[str], Cli]
) -> None:
    envlock = machine("late")
    registry.answers.clear()
    ran = envlock("capture", f"dir:{root}", "--name", "prod", "--fetch")
    assert "kept by value, since their packages cannot be had: npm " in ran.err
    assert "plain@1.2.3" in ran.err
    assert envlock("materialize", "prod", "-o", "image", "--offline").status == 0


def test_the_lock_states_the_same_whether_a_cache_had_the_packages(
    app: Path, root: Path, machine: Callable[[str], Cli]
) -> None:
    envlock = machine("nobody")
    size_by_value(envlock, root)
    (envlock.folder / "locks/prod.lock").rename(envlock.folder / "before.lock")
    machine("fetching")
    size_by_value(envlock, root, "--fetch")
    assert "EQUAL" in envlock("diff", "before.lock", "prod").out
