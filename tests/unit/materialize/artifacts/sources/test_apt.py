"""Debian packages are downloaded by the real apt, from a repository in a directory."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from envlock.errors import SourceError
from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.kinds.wheel import Wheel
from envlock.materialize.artifacts.sources.apt import (
    apt_lines,
    mirror_lines,
    private_apt,
    sources,
)
from envlock.materialize.artifacts.sources.base import SourceRequest, UnreachableSourceError
from envlock.model.lock import Lock
from tests.conftest import unavailable
from tests.registry.conftest import free_port
from tests.unit.materialize.packages import deb_bytes

TOOL = Deb("tool", "1:2", "amd64", "tool")
DATA = Deb("data", "1", "all", "data")
GONE = Deb("gone", "1", "all", "gone")
OLDER = DATA._replace(version="0")
WHEEL = Wheel("a", "1", "a-1-py3-none-any.whl", "3")


@pytest.fixture
def repository(tmp_path):
    """Return a flat repository with two packages, and one that only its index has."""
    if shutil.which("apt-get") is None:
        unavailable("apt", "it is not installed")
    directory = tmp_path / "repository"
    directory.mkdir()
    stanzas = []
    for deb in (TOOL, DATA, GONE):
        raw = deb_bytes({f"./usr/share/{deb.name}": b"x"})
        name = f"{deb.name}.deb"
        if deb is not GONE:
            (directory / name).write_bytes(raw)
        stanzas.append(
            f"Package: {deb.name}\nVersion: {deb.version}\nArchitecture: {deb.arch}\n"
            f"Maintainer: nobody\nDescription: x\nFilename: ./{name}\nSize: {len(raw)}\n"
            f"SHA256: {hashlib.sha256(raw).hexdigest()}\n"
        )
    (directory / "Packages").write_text("\n".join(stanzas))
    return directory


def request(tmp_path, *wanted, sections=None, mirrors=()):
    return SourceRequest(Lock(sections=sections or {}), wanted, tmp_path / "cache", mirrors)


def source(tmp_path, *lines, wanted=(TOOL, DATA)):
    return private_apt("these sources", lines, request(tmp_path, *wanted))


def test_packages_are_downloaded(repository, into, tmp_path):
    apt = source(tmp_path, f"deb file:{repository} ./")
    found = apt.fetch([TOOL, DATA, OLDER, WHEEL], into, print)
    assert found == {deb: into / deb.filename for deb in (TOOL, DATA)}
    assert found[TOOL].read_bytes() == (repository / "tool.deb").read_bytes()


def test_a_package_that_vanished_does_not_hold_up_the_others(repository, into, tmp_path):
    apt = source(tmp_path, f"deb file:{repository} ./")
    said = []
    assert apt.fetch([DATA, GONE], into, said.append) == {DATA: into / DATA.filename}
    assert len(said) == 1
    assert said[0].startswith("E: Failed to fetch file:")


def test_a_host_that_does_not_answer_is_told_as_that(into, tmp_path):
    apt = source(tmp_path, f"deb http://127.0.0.1:{free_port()}/debian stable main")
    with pytest.raises(UnreachableSourceError, match="Could not connect to 127"):
        apt.fetch([DATA], into, print)


def test_a_repository_that_fails_does_not_hold_up_the_others(repository, into, tmp_path):
    lines = [f"deb file:{tmp_path}/missing ./", f"deb file:{repository} ./"]
    assert source(tmp_path, *lines).fetch([DATA], into, print) == {DATA: into / DATA.filename}


def test_without_any_repository_the_source_fails(repository, into, tmp_path):
    apt = source(tmp_path, f"deb file:{tmp_path}/missing ./")
    with pytest.raises(SourceError, match="apt-get update failed: E: "):
        apt.fetch([DATA], into, print)


def test_without_apt_the_source_fails(into, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="apt is not installed here"):
        source(tmp_path, "deb file:/x ./").fetch([DATA], into, print)


def test_without_packages_apt_is_not_started(into, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert source(tmp_path, "deb file:/x ./").fetch([WHEEL], into, print) == {}


CAPTURED = {
    "type": "deb",
    "enabled": "true",
    "uri": "https://example.org/debian",
    "suite": "stable",
    "components": "main contrib",
}


def test_the_sources_are_asked_from_near_to_far(tmp_path):
    sections = {"apt-source": {"a": CAPTURED}}
    asked = sources(
        request(tmp_path, TOOL, sections=sections, mirrors=["https://mirror.example.org/debian"])
    )
    assert [(one.name, one.is_local) for one in asked] == [
        ("apt's cache", True),
        ("the captured apt sources", False),
        ("this machine's apt", False),
        ("https://mirror.example.org/debian", False),
    ]
    listings = sorted(path.read_text() for path in (tmp_path / "cache/apt").rglob("sources.list"))
    assert listings == [
        f"deb [trusted=yes] {url} stable main contrib\n"
        for url in ("https://example.org/debian", "https://mirror.example.org/debian")
    ]


def test_without_captured_sources_only_this_machine_is_asked(tmp_path):
    assert len(sources(request(tmp_path, TOOL))) == 2


def test_a_mirror_has_the_captured_suites(tmp_path):
    older = CAPTURED | {"uri": "http://example.org/d", "suite": "old/", "components": ""}
    lock = Lock(sections={"apt-source": {"a": CAPTURED, "b": CAPTURED, "c": older}})
    assert mirror_lines("http://m", lock) == [
        "deb http://m stable main contrib",
        "deb http://m old/",
    ]
    assert mirror_lines("http://m", Lock(sections={"os": {"": {"codename": "trixie"}}})) == [
        "deb http://m trixie main"
    ]


@pytest.mark.parametrize(
    ("arch", "wanted", "architectures"),
    [
        ("amd64", [DATA, TOOL, TOOL._replace(arch="i386")], ["amd64", "i386"]),
        ("s390x", [TOOL, TOOL._replace(arch="arm64")], ["amd64", "arm64"]),
        ("i386", [TOOL, TOOL._replace(arch="i386")], ["i386", "amd64"]),
        ("i386", [DATA], ["amd64"]),
    ],
)
def test_apt_gets_the_architectures_of_the_packages(tmp_path, arch, wanted, architectures):
    asked = request(tmp_path, *wanted, sections={"os": {"": {"arch": arch}}})
    options = private_apt("x", ["deb http://m stable main"], asked).options
    assert f"-oAPT::Architecture={architectures[0]}" in options
    prefix = "-oAPT::Architectures::="
    assert [o.removeprefix(prefix) for o in options if o.startswith(prefix)] == architectures


@pytest.mark.parametrize(
    "facts",
    [
        {"uri": "ssh://-oProxyCommand=id/debian"},
        {"uri": "copy:/root"},
        {"uri": "file:/root"},
        {"uri": "https://example.org/debian\ndeb http://example.org/evil x"},
        {"uri": "[allow-insecure=yes] https://example.org/debian"},
        {"uri": "https://example.org/[a]"},
        {"suite": "stable main\ndeb"},
        {"components": "main\nx"},
        {"type": "deb-src"},
        {"enabled": "false"},
    ],
)
def test_apt_gets_only_plain_web_sources(facts):
    def lines(facts):
        return apt_lines(Lock(sections={"apt-source": {"a": facts}}))

    assert lines(CAPTURED) == ["deb https://example.org/debian stable main contrib"]
    assert lines(CAPTURED | facts) == []
