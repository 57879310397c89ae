"""dpkg's database: status, file lists, checksums, diversions, overrides.

Sources: dpkg(1), deb-control(5), dpkg-divert(1), dpkg-statoverride(1), deb-md5sums(5),
update-alternatives(1), and dpkg's lib/dpkg/dump.c and dbmodify.c for what it writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from envlock.formats.debian.deb822 import Stanza, parse_stanzas, strange_line
from envlock.formats.debian.relations import Relations, parse_relations

INSTALLED = "install ok installed"
_MANDATORY = ("status", "maintainer", "architecture", "version", "description")
"""Fields that dpkg writes of every package, in this order among others."""
_PACKAGE = re.compile(r"^Package:", re.MULTILINE | re.IGNORECASE)


class Package(NamedTuple):
    """One package of the status file.

    `depends` are its dependencies and `provides` what it provides, as the status file states them.
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
    depends: str = ""
    provides: str = ""

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


class Database(NamedTuple):
    """What a status file states.

    `packages` are those that are installed, at least in part, or were: every state but
    *not-installed*, in which dpkg keeps a selection alone.  `gone` are (name, architecture) of
    those, the latter empty where none is stated.  `damages` say in words what cannot be relied on.
    """

    packages: tuple[Package, ...]
    gone: tuple[tuple[str, str], ...] = ()
    damages: tuple[str, ...] = ()


def parse_status(text: str, *, is_control: bool = False) -> Database:
    """Parse a status file: stanzas that dpkg ends with an empty line each.

    `is_control`: it is the control file of one package, as in ``status.d``, which ends with a
    description and may have no last line break.
    """
    text, rest = _without_cut(text, is_control=is_control)
    damages = []
    line = strange_line(text)
    if line:
        damages.append(f"line {line} is not part of a package")
    if rest is not None:
        damages.append(f"ends in the middle of {rest or 'a package'}")
    stanzas = list(parse_stanzas(text))
    packages, gone, named = [], [], 0
    for stanza in stanzas:
        name = stanza.get("package", "")
        named += bool(name)
        if name and stanza.get("status", "").endswith(" not-installed"):
            gone.append((name, stanza.get("architecture", "")))
        elif name and stanza.get("version"):
            packages.append(_package(stanza))
        else:
            missing = "version" if name else "name"
            damages.append(f"{name or 'a package'} has no {missing}")
    if len(_PACKAGE.findall(text)) > named + len(damages):
        damages.append("a package begins in the middle of another")
    if not stanzas and rest is None:
        damages.append("holds no package")
    return Database(tuple(packages), tuple(gone), tuple(damages))


def _without_cut(text: str, *, is_control: bool) -> tuple[str, str | None]:
    """Return the text without its last stanza, and the name in that, when it is cut; else None.

    Without the empty line that dpkg writes last, a stanza must have the fields that all others
    have.
    """
    if text.endswith("\n\n") or not text:
        return text, None
    before, blank, rest = text.rpartition("\n\n")
    last = next(parse_stanzas(rest), {})
    if is_control and "description" in last:
        return text, None
    others = list(parse_stanzas(before)) if text.endswith("\n") else []
    usual = {name for name in _MANDATORY if others and all(name in other for other in others)}
    if text.endswith("\n") and usual <= last.keys():
        return text, None
    return before + blank, last.get("package", "")


def with_journal(packages: Iterable[Package], journal: Iterable[Database]) -> list[Package]:
    """Return the packages after the notes of dpkg's journal, the oldest first.

    dpkg notes each change there and writes the status file at the end; a note states a package
    anew, and replaces another architecture unless the package may have several.
    """
    found: dict[tuple[str, str], Package] = {}
    for package in packages:
        found.setdefault((package.name, package.arch), package)
    for note in journal:
        for name, arch in note.gone:
            for key in [key for key in found if key[0] == name and arch in ("", key[1])]:
                del found[key]
        for package in note.packages:
            for key in [key for key in found if key[0] == package.name]:
                if key[1] != package.arch and not (package.is_same and found[key].is_same):
                    del found[key]
            found[package.name, package.arch] = package
    return list(found.values())


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
        depends=",".join(filter(None, (stanza.get("pre-depends"), stanza.get("depends")))),
        provides=stanza.get("provides", ""),
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
    """A group of alternatives: its mode (``auto`` or ``manual``) and its generic link.

    `choices` maps each program to the targets that its choice gives to the links that follow, by
    their names.
    """

    mode: str
    link: str
    choices: Mapping[str, Mapping[str, str]]


def parse_alternative(text: str) -> Alternative | None:
    """Return a group of update-alternatives(1), of dpkg or of chkconfig; None when malformed.

    The two write the same form: the mode, the link, name and link of each one that follows, an
    empty line; then for each choice its program, its priority, and the targets of those links.
    """
    lines = text.split("\n")
    if len(lines) < 2 or lines[0] not in ("auto", "manual") or not lines[1].startswith("/"):
        return None
    end = next((at for at in range(2, len(lines), 2) if not lines[at]), len(lines))
    followers = lines[2:end:2]
    choices: dict[str, dict[str, str]] = {}
    size = 2 + len(followers)
    for at in range(end + 1, len(lines) - size + 1, size):
        if lines[at].startswith("/"):
            choices[lines[at]] = dict(zip(followers, lines[at + 2 : at + size], strict=True))
    return Alternative(lines[0], lines[1], choices)
