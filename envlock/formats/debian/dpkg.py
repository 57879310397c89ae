"""dpkg's database: status, file lists, checksums, diversions, overrides.

Sources: dpkg(1), deb-control(5), dpkg-divert(1), dpkg-statoverride(1), deb-md5sums(5),
update-alternatives(1), and dpkg's lib/dpkg/dump.c for the format it writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.formats.debian.deb822 import Stanza, parse_stanzas
from envlock.formats.debian.relations import Relations, parse_relations

INSTALLED = "install ok installed"


class Package(NamedTuple):
    """One package of the status file.

    `conffiles` maps path -> packaged MD5 in hex, without obsolete ones.  `status` is the whole
    status line, for example ``install ok installed``.
    """

    name: str
    arch: str
    version: str
    status: str
    source: str
    source_version: str
    is_same: bool
    conffiles: Mapping[str, str]
    relations: Relations

    @property
    def key(self) -> str:
        """``name:arch``: each architecture of a package counts as a package."""
        return f"{self.name}:{self.arch}"

    @property
    def has_files(self) -> bool:
        """True when the package's files are on disk, at least in part."""
        return not self.status.endswith((" not-installed", " config-files"))


class Diversion(NamedTuple):
    """`path` of other packages is installed as `diverted`; a local one has the package ``:``."""

    path: str
    diverted: str
    package: str


def parse_status(text: str) -> Iterator[Package]:
    """Yield the packages of a status file; stanzas without name or version are skipped."""
    for stanza in parse_stanzas(text):
        if stanza.get("package") and stanza.get("version"):
            yield _package(stanza)


def _package(stanza: Stanza) -> Package:
    name, version = stanza["package"], stanza["version"]
    source, _, rest = stanza.get("source", name).partition(" ")
    return Package(
        name=name,
        arch=stanza.get("architecture", "all"),
        version=version,
        status=" ".join(stanza.get("status", INSTALLED).split()),
        source=source,
        source_version=rest.strip("()") or version,
        is_same=stanza.get("multi-arch") == "same",
        conffiles=dict(_conffiles(stanza.get("conffiles", ""))),
        relations=parse_relations(stanza),
    )


def _conffiles(value: str) -> Iterator[tuple[str, str]]:
    for line in value.split("\n"):
        words = line.rsplit(" ", 2) if line.endswith((" obsolete", " remove-on-upgrade")) else ()
        if words:
            continue
        path, _, md5 = line.rpartition(" ")
        if path.startswith("/") and len(md5) == 32:
            yield path, md5


def parse_list(text: str) -> list[str]:
    """Return the paths of a ``.list`` file; the root is ``/``."""
    return ["/" if line == "/." else line for line in text.split("\n") if line[:1] == "/"]


def parse_md5sums(text: str) -> dict[str, str]:
    """Return absolute path -> MD5 in hex of a ``.md5sums`` file (deb-md5sums(5))."""
    return {
        f"/{line[34:].removeprefix('./')}": line[:32]
        for line in text.split("\n")
        if line[32:34] in ("  ", " *") and len(line) > 34
    }


def parse_diversions(text: str) -> list[Diversion]:
    """Return the diversions; the file has three lines for each."""
    lines = text.split("\n")
    return [
        Diversion(*lines[start : start + 3])
        for start in range(0, len(lines) - 2, 3)
        if lines[start].startswith("/")
    ]


class StatOverride(NamedTuple):
    """Owner, group and mode (octal text) that override those of a packaged path."""

    user: str
    group: str
    mode: str
    path: str


def parse_statoverrides(text: str) -> list[StatOverride]:
    """Return the overrides; one a line: user, group, mode, path."""
    rows = (line.split(" ", 3) for line in text.split("\n"))
    return [StatOverride(*row) for row in rows if len(row) == 4 and row[3].startswith("/")]


class Alternative(NamedTuple):
    """A group of alternatives: its mode (``auto`` or ``manual``) and its generic link."""

    mode: str
    link: str


def parse_alternative(text: str) -> Alternative | None:
    """Return the head of a file in /var/lib/dpkg/alternatives, or None when it is malformed."""
    lines = text.split("\n")
    if len(lines) < 2 or lines[0] not in ("auto", "manual") or not lines[1].startswith("/"):
        return None
    return Alternative(lines[0], lines[1])
