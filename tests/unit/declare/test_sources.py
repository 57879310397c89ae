"""Where a sandbox installs from, and what its own sources are."""

from pathlib import Path

import pytest

from envlock.config.declare_table import Declaration
from envlock.declare.sources import (
    MAX_SOURCES,
    lines_of_result,
    lines_to_install_from,
    read_sources,
)
from envlock.errors import ConfigError

OWN = """\
Types: deb
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example.org/security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://tools.example.org/apt
Suites: stable
Components: main
Enabled: yes
"""
KEY = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "


def declared(origin: str = "debian:bookworm", **more: tuple[str, ...]) -> Declaration:
    return Declaration(name="shop", origin=origin, **more)  # type: ignore[arg-type]


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(OWN)
    (tmp_path / "sources.list.d/old.sources.disabled").write_text(OWN)
    return tmp_path


def test_the_sources_of_the_machine_are_used_for_the_wanted_suites(etc: Path) -> None:
    found = lines_to_install_from(declared(), read_sources(etc), "bookworm")
    assert found == [
        f"deb {KEY}http://mirror.example.org/debian bookworm main",
        f"deb {KEY}http://mirror.example.org/debian bookworm-updates main",
        "deb http://mirror.example.org/security bookworm-security main",
    ]


def test_another_release_is_taken_from_the_same_mirrors(etc: Path) -> None:
    found = lines_to_install_from(declared("debian:trixie"), read_sources(etc), "bookworm")
    assert [line.split()[-2] for line in found] == ["trixie", "trixie-updates", "trixie-security"]


def test_declared_mirrors_replace_those_of_the_machine(etc: Path) -> None:
    mirrors = ("https://m.example.org/debian/", "https://m.example.org/debian-security")
    found = lines_to_install_from(declared(mirrors=mirrors), read_sources(etc), "bookworm")
    assert found == [
        "deb https://m.example.org/debian bookworm main",
        "deb https://m.example.org/debian bookworm-updates main",
        "deb https://m.example.org/debian-security bookworm-security main",
    ]


def test_the_result_has_the_declared_mirrors_and_never_those_of_the_machine() -> None:
    mirrors = declared(mirrors=("http://m.example.org/debian",), components=("main", "contrib"))
    assert lines_of_result(declared()) == []
    assert lines_of_result(mirrors)[0] == "deb http://m.example.org/debian bookworm main contrib"


def test_a_machine_without_such_sources_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no source of apt of this machine has ubuntu:noble"):
        lines_to_install_from(declared("ubuntu:noble"), read_sources(tmp_path), "bookworm")


def test_sources_of_the_largest_size_are_read(tmp_path: Path) -> None:
    line = "deb http://a.example.org/debian bookworm main\n#"
    path = tmp_path / "sources.list"
    path.write_text(line.ljust(MAX_SOURCES, "#"))
    assert len(read_sources(tmp_path)) == 1
    path.write_text(line.ljust(MAX_SOURCES + 1, "#"))
    assert read_sources(tmp_path) == ()
