"""npm packages come from the cache of the real npm, then from its registry."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from envlock.materialize.artifacts.kinds.npm import package
from envlock.materialize.artifacts.sources.base import SourceRequest, UnreachableSourceError
from envlock.materialize.artifacts.sources.npm import NpmCache, NpmRegistry, sources
from envlock.model.lock import Lock
from tests.conftest import unavailable
from tests.npm_registry import npm_home, serving
from tests.unit.materialize.packages import integrity, tgz_bytes

PLAIN = tgz_bytes({"package.json": b'{"name": "plain", "version": "1.2.3"}'})
SCOPED = tgz_bytes({"package.json": b'{"name": "@x/scoped", "version": "2.0.0-rc.1+b"}'})
A = package("plain", "1.2.3", integrity(PLAIN))
B = package("@x/scoped", "2.0.0-rc.1+b", integrity(SCOPED))
GONE = package("plain", "9.9.9", integrity(b"gone"))
OTHER = package("@x/gone", "1.0.0", integrity(b"gone, too"))
TARBALLS = {("plain", "1.2.3"): PLAIN, ("@x/scoped", "2.0.0-rc.1+b"): SCOPED}


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Return the only registry that npm asks."""
    if shutil.which("npm") is None:
        unavailable("npm", "it is not installed")
    with serving(TARBALLS) as server:
        for name, value in npm_home(tmp_path / "home", server.url).items():
            monkeypatch.setenv(name, value)
        yield server


def test_tarballs_are_downloaded_by_their_addresses_alone(registry, into):
    found = NpmRegistry().fetch([A, B], into, print)
    assert {each: path.read_bytes() for each, path in found.items()} == {A: PLAIN, B: SCOPED}
    assert all(path.is_relative_to(into) for path in found.values())
    assert all(path.endswith(".tgz") for path in registry.asked)


def test_one_that_the_registry_lacks_does_not_hold_up_the_others(registry, into):
    said = []
    found = NpmRegistry().fetch([GONE, A, OTHER, B], into, said.append)
    assert found.keys() == {A, B}
    assert any("plain@9.9.9" in line for line in said)


def test_npm_is_never_called_without_packages(registry, into, tmp_path, monkeypatch):
    """Where one is refused, npm may have fetched all the others meanwhile."""
    own = tmp_path / "bin/npm"
    own.parent.mkdir()
    own.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\nexec {shutil.which("npm")} "$@"\n')
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{own.parent}:{os.environ['PATH']}")
    NpmRegistry().fetch([A, GONE, B], into, print)
    NpmRegistry().fetch([A, GONE, B], into, print)
    calls = [line for line in (tmp_path / "calls").read_text().splitlines() if " add " in line]
    assert calls
    assert all(line.partition(" -- ")[2] for line in calls)


def test_a_registry_with_addresses_of_its_own_is_asked_by_name(registry, into):
    del registry.answers["/plain/-/plain-1.2.3.tgz"]
    document = registry.answers["/plain"][1].replace(b"/plain/-/", b"/download/")
    registry.answers["/plain"] = ("application/json", document)
    registry.answers["/download/plain-1.2.3.tgz"] = ("application/octet-stream", PLAIN)
    found = NpmRegistry().fetch([A], into, print)
    assert found[A].read_bytes() == PLAIN


def test_without_an_answer_the_registry_is_unreachable(registry, into, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    with pytest.raises(UnreachableSourceError, match="ECONNREFUSED"):
        NpmRegistry().fetch([A, B], into, print)


def test_what_npm_has_in_its_cache_is_not_copied(registry, into, tmp_path):
    assert NpmCache().fetch([A, B], into, print) == {}
    address = f"{registry.url}/plain/-/plain-1.2.3.tgz"
    subprocess.run(["npm", "cache", "add", address], check=True, capture_output=True)
    found = NpmCache().fetch([A, B], into, print)
    assert {each: path.read_bytes() for each, path in found.items()} == {A: PLAIN}
    assert found[A].is_relative_to(tmp_path / "home/cache")
    assert NpmCache(path=tmp_path / "home/cache").fetch([A], into, print) == found


def test_the_cache_is_asked_before_the_network(tmp_path):
    asked = sources(SourceRequest(Lock(sections={}), [A], tmp_path))
    assert [(each.name, each.is_local) for each in asked] == [
        ("npm's cache", True),
        ("this machine's npm", False),
    ]
