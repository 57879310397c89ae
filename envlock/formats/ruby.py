"""Specifications of RubyGems and lockfiles of Bundler, parsed without evaluating Ruby.

Sources: RubyGems guides, "Specification Reference"; RubyGems ``Gem::StubSpecification`` (the line
``# stub:``) and ``Gem::BasicSpecification#full_name``; Bundler, ``LockfileParser``; Ruby's
``rbconfig.rb``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_STUB = re.compile(r"^# stub: (\S+) (\S+) (\S+) ", re.MULTILINE)
_FULL_NAME = re.compile(
    r"(?P<name>.+?)-(?P<version>\d+(?:\.[0-9A-Za-z]+)*)(?:-(?P<platform>.+))?\Z"
)
_LOCKED = re.compile(r" {4}([^\s(]+) \(([^\s)]+)\)\Z")
_CHECKSUM = re.compile(r" {2}([^\s(]+) \(([^\s)]+)\) (?:\S+,)?sha256=([0-9a-f]{64})(?:,|\Z)")
_REMOTE = re.compile(r" {2}remote: (\S+)\Z")
_SOURCE = re.compile(r"- [\"']?(https?://[!#-&(-~]+)")
_METADATA = re.compile(r"^(name|platform|  version): [\"']?([A-Za-z0-9._-]+)[\"']?$", re.MULTILINE)
_CONFIG = re.compile(r'^[ \t]*CONFIG\["(MAJOR|MINOR|TEENY)"\] = "(\d+)"', re.MULTILINE)
_ANY = "ruby"
_MOST_LOCKED = 20_000


class Gem(NamedTuple):
    """An installed gem; `platform` is empty for one that runs on all platforms."""

    name: str
    version: str
    platform: str

    @property
    def full_name(self) -> str:
        """The name of its directory."""
        return "-".join(filter(None, self))


class Lockfile(NamedTuple):
    """A Gemfile.lock: gems from gem servers (name -> versions), and versions of the tools.

    `servers` are the URLs of these, and `checksums` maps the full name of a gem -> SHA-256 in hex.
    """

    gems: Mapping[str, frozenset[str]]
    bundler: str
    ruby: str
    servers: tuple[str, ...] = ()
    checksums: Mapping[str, str] = {}


def parse_full_name(name: str) -> Gem | None:
    """Return the gem named by a directory or the stem of a specification file, or None.

    >>> parse_full_name("nokogiri-1.15.4-x86_64-linux")
    Gem(name='nokogiri', version='1.15.4', platform='x86_64-linux')
    """
    match = _FULL_NAME.match(name)
    if match is None:
        return None
    platform = match["platform"] or ""
    return Gem(match["name"], match["version"], "" if platform == _ANY else platform)


def parse_specification(stem: str, head: str) -> Gem | None:
    """Return the gem of a specification file, from its stub line or else from the file name.

    None for a file that is no specification, which RubyGems does not load.
    """
    match = _STUB.search(head)
    if match is None:
        return parse_full_name(stem) if "Gem::Specification" in head else None
    name, version, platform = match.groups()
    return Gem(name, version, "" if platform == _ANY else platform)


def parse_lockfile(text: str) -> Lockfile | None:
    """Return a Gemfile.lock, or None when the text is not one."""
    gems: dict[str, set[str]] = {}
    servers: dict[str, None] = {}
    checksums: dict[str, str] = {}
    tools = {"BUNDLED WITH": "", "RUBY VERSION": ""}
    count = 0
    is_lockfile = False
    for section, line in _lines(text):
        is_lockfile = is_lockfile or section in ("GEM", "DEPENDENCIES", "PLATFORMS")
        match = _LOCKED.match(line) if section == "GEM" else None
        if match is not None and count < _MOST_LOCKED:
            count += 1
            gems.setdefault(match[1], set()).add(match[2].partition("-")[0])
        elif section == "GEM" and (remote := _REMOTE.match(line)):
            servers[remote[1]] = None
        elif section == "CHECKSUMS" and (checksum := _CHECKSUM.match(line)):
            checksums[f"{checksum[1]}-{checksum[2]}"] = checksum[3]
        elif section in tools:
            tools[section] = tools[section] or line.strip()
    if not is_lockfile:
        return None
    ruby = tools["RUBY VERSION"].removeprefix("ruby ").partition("p")[0]
    frozen = {name: frozenset(versions) for name, versions in gems.items()}
    return Lockfile(frozen, tools["BUNDLED WITH"], ruby, tuple(servers), checksums)


def parse_sources(gemrc: str) -> tuple[str, ...]:
    r"""Return the URLs of the gem servers that a .gemrc names.

    >>> parse_sources(":sources:\n- https://gems.example.org/\n:verbose: true\n")
    ('https://gems.example.org/',)
    """
    found = []
    is_list = False
    for line in gemrc.splitlines():
        if line[:1] not in ("", " ", "-", "#"):
            is_list = line.lstrip(":").startswith("sources:")
        match = _SOURCE.match(line.strip()) if is_list else None
        if match is not None:
            found.append(match[1])
    return tuple(found)


def parse_metadata(text: str) -> Gem | None:
    """Return the gem of the ``metadata`` of a package file, or None when it names none."""
    found: dict[str, str] = {}
    for key, value in _METADATA.findall(text):
        found.setdefault(key.strip(), value)
    if "name" not in found or "version" not in found:
        return None
    platform = found.get("platform", _ANY)
    return Gem(found["name"], found["version"], "" if platform == _ANY else platform)


def parse_ruby_version(rbconfig: str) -> str:
    """Return the version of Ruby in its rbconfig.rb, or empty."""
    numbers = dict(_CONFIG.findall(rbconfig))
    parts = [numbers.get(part, "") for part in ("MAJOR", "MINOR", "TEENY")]
    return ".".join(parts) if all(parts) else ""


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield (section, line) of every line in a section."""
    section = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        if line and not line.startswith(" "):
            section = line
        elif line and section:
            yield section, line
