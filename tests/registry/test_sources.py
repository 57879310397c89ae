"""A rebuild in bad luck: mirrors that lost a version, lie, break connections, or are gone."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Cli, unavailable
from tests.registry.conftest import free_port
from tests.registry.debian import index_of, make_repository, make_root, mirror, package
from tests.registry.faults import Question, Reply
from tests.registry.machines import built


class Case(NamedTuple):
    """A machine that has a lock, without the packages, and the digest that a rebuild must have.

    `mirror` is the folder that the mirror serves.
    """

    envlock: Cli
    digest: str
    mirror: Path

    def settings(self, text: str) -> None:
        """Write the table ``[materialize]``."""
        (self.envlock.folder / "envlock.toml").write_text(f"[materialize]\n{text}\n")


@pytest.fixture
def case(tmp_path: Path, there: Callable[[str], Cli]) -> Iterator[Case]:
    """Return a machine with a lock that states the digests of its packages."""
    if shutil.which("apt-get") is None:
        unavailable("apt", "it is not installed")
    served = make_repository(tmp_path / "mirror")
    with mirror(served) as (url, _):
        root = make_root(tmp_path / "root", url)
        index_of(root, served)
        one = there("one")
        one("capture", f"dir:{root}", "--name", "prod", "-q")
        digest = one("materialize", "prod", "-o", "image", "-q").out.strip()
        one("bundle", "prod", "-o", "prod.bundle", "--thin")
        two = there("two")
        two("unbundle", one.folder / "prod.bundle")
        yield Case(two, digest, served)


def snapshots(question: Question, _ask: Callable[[], Reply]) -> Reply:
    """Answer as a snapshot service that has version 1 of the packages."""
    path = question.path.partition("?")[0].strip("/").split("/")
    if path[:2] == ["mr", "binary"] and path[3:] == ["1", "binfiles"]:
        sha1 = hashlib.sha1(package(path[2]), usedforsecurity=False).hexdigest()
        rows = [{"architecture": "all", "hash": sha1}]
        return Reply(200, {}, json.dumps({"result": rows}).encode())
    for name in ("tool", "data"):
        sha1 = hashlib.sha1(package(name), usedforsecurity=False).hexdigest()
        if path == ["file", sha1]:
            return Reply(200, {}, package(name))
    return Reply(404, {}, b"")


def test_a_version_that_vanished_is_found_in_a_snapshot_service(case: Case) -> None:
    make_repository(case.mirror, version="2")
    refused = case.envlock("materialize", "prod", "-o", "image", status=5).err
    assert "deb tool:all 1: in no source" in refused
    assert "asked for deb: envlock's cache, apt's cache, the captured apt sources" in refused
    with mirror(case.mirror, snapshots) as (url, _):
        case.settings(f'snapshots = ["{url}"]')
        done = case.envlock("materialize", "prod", "-o", "image", "--json").json
    assert (done["manifest_digest"], done["fetched"]) == (case.digest, 2)


def test_wrong_bytes_are_told_and_the_next_source_is_asked(case: Case, tmp_path: Path) -> None:
    shutil.rmtree(case.mirror)
    lies, archive = tmp_path / "lies", make_repository(tmp_path / "archive")
    lies.mkdir()
    (lies / "tool.deb").write_bytes(package("tool", "3"))
    with mirror(lies) as (lying, _), mirror(archive) as (good, _):
        case.settings(f'archives = ["{lying}/{{name}}.deb"]')
        refused = case.envlock("materialize", "prod", "-o", "image", status=5).err
        assert (
            f"{lying}/{{name}}.deb: deb tool:all 1 is another file than the locked one" in refused
        )
        case.settings(f'archives = ["{lying}/{{name}}.deb", "{good}/{{name}}.deb"]')
        done = case.envlock("materialize", "prod", "-o", "image", "--json").json
    assert (done["manifest_digest"], done["fetched"]) == (case.digest, 2)
    assert built(case.envlock, "prod") == case.digest


def test_cuts_and_refusals_of_a_service_are_outlasted(case: Case) -> None:
    shutil.rmtree(case.mirror)

    def unlucky(question: Question, ask: Callable[[], Reply]) -> Reply:
        count = len(seen)
        if count == 1:
            return Reply(429, {"Retry-After": "1"}, b"")
        found = snapshots(question, ask)
        if question.path.startswith("/file/") and "Range" not in question.headers:
            return found._replace(cut=200)
        if question.path.startswith("/file/"):
            start = int(question.headers["Range"].removeprefix("bytes=").rstrip("-"))
            size = len(found.content)
            span = {"Content-Range": f"bytes {start}-{size - 1}/{size}"}
            return Reply(206, span, found.content[start:])
        return found

    with mirror(case.mirror, unlucky) as (url, seen):
        case.settings(f'snapshots = ["{url}"]')
        done = case.envlock("materialize", "prod", "-o", "image", "--json").json
    assert (done["manifest_digest"], done["fetched"]) == (case.digest, 2)
    assert sum("Range" in question.headers for question in seen) == 2


def test_a_mirror_that_built_a_version_again_is_not_believed(case: Case) -> None:
    """Its index fits its file, so that apt has no complaint: the digest of the lock decides."""
    raw = package("tool") + b"\n"
    (case.mirror / "tool.deb").write_bytes(raw)
    stanza = (
        "Package: tool\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: x\n"
        f"Filename: ./tool.deb\nSize: {len(raw)}\nSHA256: {hashlib.sha256(raw).hexdigest()}\n"
    )
    (case.mirror / "Packages").write_text(stanza)
    refused = case.envlock("materialize", "prod", "-o", "image", status=5).err
    assert "the captured apt sources: deb tool:all 1 is another file than the locked one" in refused
    with mirror(case.mirror, snapshots) as (url, _):
        case.settings(f'snapshots = ["{url}"]')
        done = case.envlock("materialize", "prod", "-o", "image", "--json").json
    assert done["manifest_digest"] == case.digest


def test_an_interrupt_ends_apt_and_leaves_nothing(
    tmp_path: Path, there: Callable[[str], Cli]
) -> None:
    """apt waits for a mirror that does not answer when the signal comes to envlock alone."""
    if shutil.which("apt-get") is None:
        unavailable("apt", "it is not installed")
    asked = threading.Event()

    def slow(_question: Question, ask: Callable[[], Reply]) -> Reply:
        asked.set()
        return ask()._replace(delay=60)

    with mirror(make_repository(tmp_path / "mirror"), slow) as (url, _):
        envlock = there("one")
        envlock("capture", f"dir:{make_root(tmp_path / 'root', url)}", "--name", "prod", "-q")
        argv = [sys.executable, "-m", "envlock", "materialize", "prod", "-o", "image"]
        running = subprocess.Popen(argv, cwd=envlock.folder, stderr=subprocess.PIPE)
        assert asked.wait(60)
        started = time.monotonic()
        running.terminate()
        _, err = running.communicate(timeout=60)
        assert time.monotonic() - started < 9  # before it would have been ended by force
    assert running.returncode == 143
    assert b"Traceback" not in err
    artifacts = tmp_path / "one/data/envlock/cache/artifacts"
    assert list(artifacts.iterdir()) == []
    assert not (envlock.folder / "image").exists()


def test_without_a_network_one_line_says_so(tmp_path: Path, there: Callable[[str], Cli]) -> None:
    if shutil.which("apt-get") is None:
        unavailable("apt", "it is not installed")
    root = make_root(tmp_path / "root", f"http://127.0.0.1:{free_port()}")
    index_of(root, make_repository(tmp_path / "mirror"))
    envlock = there("one")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    refused = envlock("materialize", "prod", "-o", "image", "--json", status=5).err
    lines = [line for line in refused.splitlines() if "no network" in line]
    assert len(lines) == 1
    assert "packages that are not on this machine: 2 deb" in lines[0]
    assert "Could not connect" in lines[0]
    assert "tool" not in refused
