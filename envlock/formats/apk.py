"""apk's database of installed packages, its list of requested packages, and protected paths.

Sources: apk-package(5), apk-world(5), apk-protected_paths(5), and apk-tools' src/database.c for
the fields of the installed database.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

_CONSTRAINT = re.compile(r"!?([^\s<>=~@!]+)")
_HASHES: Mapping[str, str] = {"Q1": "sha1", "Q2": "sha256"}
_BROKEN: Mapping[str, str] = {"f": "files", "s": "script", "x": "attributes", "S": "directory"}


class File(NamedTuple):
    """A path that a package owns.

    `digest` is ``sha1:<hex>`` or ``sha256:<hex>``: of the content, or of the target of a link;
    empty for a directory.
    """

    path: str
    is_directory: bool
    mode: int
    uid: str = "0"
    gid: str = "0"
    digest: str = ""


class Package(NamedTuple):
    """An installed package; `digest` is that of its control data, `broken` lists what failed.

    `depends` and `provides` are words such as ``so:libz.so.1`` and ``cmd:sh=1.2``.
    """

    name: str
    version: str
    arch: str
    source: str
    digest: str
    broken: str
    files: tuple[File, ...]
    depends: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()


class Database(NamedTuple):
    """The packages of a database; `damages` say in words what cannot be relied on."""

    packages: tuple[Package, ...]
    damages: tuple[str, ...] = ()


def parse_installed(text: str) -> Database:
    """Parse an installed database: stanzas that apk ends with an empty line each."""
    packages, damages = [], []
    stanzas = text.split("\n\n")
    is_cut = bool(text) and not text.endswith("\n")
    for number, stanza in enumerate(stanzas, start=1):
        if not stanza.strip("\n"):
            continue
        rows = stanza.strip("\n").split("\n")
        is_last = is_cut and number == len(stanzas)
        if is_last:
            rows.pop()  # its last line may be half of one
        lines = [(row[0], row[2:]) for row in rows if row[1:2] == ":"]
        package = _package(lines)
        # The files follow everything that is known of the package itself.
        if package and not (is_last and "F" not in dict(lines)):
            packages.append(package)
        if is_last:
            damages.append(f"ends in the middle of {package.name if package else 'a package'}")
        elif package is None:
            damages.append(f"package {number} has no name or no version")
        elif len(lines) < len(rows) or [field for field, _ in lines].count("P") > 1:
            damages.append(f"{package.name} has lines that are not its own")
    if not packages and not damages:
        damages.append("holds no package")
    return Database(tuple(packages), tuple(damages))


def _package(lines: Iterable[tuple[str, str]]) -> Package | None:
    """Return the package of a stanza, or None without a name or a version."""
    fields = dict(lines)
    if not fields.get("P") or not fields.get("V"):
        return None
    return Package(
        name=fields["P"],
        version=fields["V"],
        arch=fields.get("A", ""),
        source=fields.get("o", ""),
        digest=parse_checksum(fields.get("C", "")),
        broken=" ".join(_BROKEN.get(flag, flag) for flag in fields.get("f", "")),
        files=tuple(_files(lines)),
        depends=tuple(fields.get("D", "").split()),
        provides=tuple(fields.get("p", "").split()),
    )


def _files(lines: Iterable[tuple[str, str]]) -> Iterator[File]:
    """Yield directories and files, with the mode, owner and checksum in the lines after each."""
    folder, found = "", None
    for field, value in lines:
        if field in "FR":
            if found is not None:
                yield found
            if field == "F":
                folder = f"/{value}" if value else ""
                found = File(folder or "/", is_directory=True, mode=0o755)
            else:
                found = File(f"{folder}/{value}", is_directory=False, mode=0o644)
        elif found is not None:
            found = _described(found, field, value)
    if found is not None:
        yield found


def _described(file: File, field: str, value: str) -> File:
    if field == "Z":
        return file._replace(digest=parse_checksum(value))
    if field == ("M" if file.is_directory else "a"):
        uid, gid, mode, *_ = [*value.split(":"), "", ""]
        if uid.isdecimal() and gid.isdecimal() and re.fullmatch("[0-7]{1,5}", mode):
            return file._replace(uid=uid, gid=gid, mode=int(mode, 8))
    return file


def parse_checksum(text: str) -> str:
    """Return a checksum as ``ALGORITHM:<hex>``, from ``Q1``, ``Q2`` and base64, or from old hex."""
    algorithm = _HASHES.get(text[:2])
    if algorithm is None:
        known = {32: "md5", 40: "sha1", 64: "sha256"}.get(len(text))
        return f"{known}:{text}" if known and re.fullmatch("[0-9a-f]+", text) else ""
    try:
        return f"{algorithm}:{a2b_base64(text[2:]).hex()}"
    except (Base64Error, ValueError):
        return ""


def parse_world(text: str) -> dict[str, str]:
    """Return name -> constraint of the requested packages; conflicts (``!name``) are left out."""
    found = {}
    for word in text.split():
        match = _CONSTRAINT.match(word)
        if match and not word.startswith("!"):
            found[match[1]] = word
    return found


DEFAULT_PROTECTED = "+etc\n@etc/init.d\n!etc/apk\n"


class ProtectedPaths(NamedTuple):
    """Patterns of the configuration that apk does not overwrite; the last match decides."""

    patterns: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> ProtectedPaths:
        """Parse lines of ``protected_paths.d``: a sign and a path or pattern."""
        lines = (line.strip() for line in text.split("\n"))
        return cls(
            tuple((line[0], line[1:].strip("/")) for line in lines if line[:1] in "+@!-" and line)
        )

    def covers(self, path: str) -> bool:
        """True when a file at the absolute `path` is protected."""
        for sign, pattern in reversed(self.patterns):
            if fnmatchcase(path[1:], pattern) or fnmatchcase(path[1:], f"{pattern}/*"):
                return sign == "+"
        return False
