"""Metadata of Python distributions, virtual environments and interpreters.

Sources: the packaging specifications "Core metadata", "Recording installed projects" (RECORD,
INSTALLER, REQUESTED), "Direct URL", "Binary distribution format" (WHEEL, file names), and PEP 405
(pyvenv.cfg).
"""

from __future__ import annotations

import base64
import binascii
import csv
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from envlock.formats.json_values import at, json_or_none, text_at

_NAME = re.compile(r"[-_.]+")
_UNSAFE = re.compile(r"[^\w.+]+", re.ASCII)
_EGG = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-py[0-9].*)?\.egg\Z")
_RELEASE_LEVEL = {"final": "", "alpha": "a", "beta": "b", "candidate": "rc", "rc": "rc"}
_VERSION_INFO = re.compile(r"(\d+\.\d+\.\d+)\.(final|alpha|beta|candidate|rc)\.(\d+)\Z")
_PATCH_LEVEL = re.compile(r'^#define\s+PY_VERSION\s+"([^"]+)"', re.MULTILINE)


class Recorded(NamedTuple):
    """A line of RECORD: the path as written, and the SHA-256 in hex, if any."""

    path: str
    sha256: str


class DirectUrl(NamedTuple):
    """The origin of a distribution that was not installed from an index.

    `kind` is ``archive``, ``vcs`` or ``directory``; `revision` the commit of a repository,
    `sha256` the digest of an archive.  `is_gone`: it is known that nothing is there.
    """

    kind: str
    url: str
    is_editable: bool = False
    revision: str = ""
    sha256: str = ""
    is_gone: bool = False


def normalize_name(name: str) -> str:
    """Return the normalized name of a distribution, by which indexes compare names.

    >>> normalize_name("Django_Foo.bar")
    'django-foo-bar'
    """
    return _NAME.sub("-", name).lower()


def parse_headers(text: str) -> dict[str, list[str]]:
    """Return header -> values of METADATA, PKG-INFO or WHEEL, header names in lower case."""
    headers: dict[str, list[str]] = {}
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line:
            break
        name, colon, value = line.partition(":")
        if colon and name.strip() == name:
            headers.setdefault(name.lower(), []).append(value.strip())
    return headers


@lru_cache(maxsize=1024)
def parse_record(text: str) -> tuple[Recorded, ...]:
    """Return the files of a RECORD; malformed lines are skipped.

    Cached, since claims and the search for edited files both need it.
    """
    return tuple(_recorded(text))


def _recorded(text: str) -> Iterator[Recorded]:
    try:
        for row in csv.reader(text.splitlines()):
            if row and row[0]:
                yield Recorded(row[0], _sha256(row[1]) if len(row) > 1 else "")
    except csv.Error:
        return


def _sha256(field: str) -> str:
    algorithm, _, value = field.partition("=")
    if algorithm != "sha256":
        return ""
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except (binascii.Error, ValueError):
        return ""


def wheel_filename(name: str, version: str, wheel: dict[str, list[str]]) -> str:
    """Return the file name of the installed wheel, given its WHEEL headers; empty without tags.

    Tags are compressed as in the file name: the alternatives of each part, joined by dots.
    """
    tags = [tag.split("-") for tag in wheel.get("tag", ()) if tag.count("-") == 2]
    if not tags:
        return ""
    # Tags have the same order in WHEEL as in the file name (compressed tag sets, PEP 425).
    parts = [".".join(dict.fromkeys(tag[part] for tag in tags)) for part in range(3)]
    build = f"-{wheel['build'][0]}" if wheel.get("build") else ""
    stem = f"{_UNSAFE.sub('_', name)}-{_UNSAFE.sub('_', version)}"
    return f"{stem}{build}-{'-'.join(parts)}.whl"


def data_member(path: str, project: str, info: str) -> str:
    """Return the member of a wheel that was installed at `path`, below the environment's directory.

    It lies in the ``.data`` directory, in that of scripts, headers or other data.  `info` is the
    name of the ``.dist-info`` directory.

    >>> data_member("bin/uv", "uv", "uv-0.4.0.dist-info")
    'uv-0.4.0.data/scripts/uv'
    >>> data_member("include/site/python3.11/greenlet/greenlet.h", "greenlet", "g-1.dist-info")
    'g-1.data/headers/greenlet.h'
    """
    data = f"{info.removesuffix('.dist-info')}.data"
    first, _, rest = path.partition("/")
    if first == "bin":
        return f"{data}/scripts/{rest}"
    if first == "include":
        return f"{data}/headers/{rest.partition(f'/{project}/')[2] or rest}"
    return f"{data}/data/{path}"


def parse_direct_url(text: str) -> DirectUrl | None:
    """Return the origin in a direct_url.json, or None when it is malformed."""
    document = json_or_none(text)
    url = text_at(document, "url")
    if not url:
        return None
    vcs = text_at(document, "vcs_info", "vcs")
    if vcs:
        return DirectUrl("vcs", f"{vcs}+{url}", revision=text_at(document, "vcs_info", "commit_id"))
    if at(document, "archive_info") is not None:
        sha256 = text_at(document, "archive_info", "hashes", "sha256")
        old = text_at(document, "archive_info", "hash").partition("sha256=")[2]
        return DirectUrl("archive", url, sha256=sha256 or old)
    return DirectUrl("directory", url, is_editable=at(document, "dir_info", "editable") is True)


def parse_pyvenv(text: str) -> dict[str, str]:
    """Return the settings of a pyvenv.cfg, keys in lower case."""
    pairs = (line.partition("=") for line in text.split("\n"))
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}


def parse_version_info(text: str) -> str:
    """Return the version, given ``sys.version_info`` joined by dots, as virtualenv writes it.

    >>> parse_version_info("3.13.0.candidate.2"), parse_version_info("3.12.4")
    ('3.13.0rc2', '3.12.4')
    """
    match = _VERSION_INFO.match(text)
    if match is None:
        return text
    release, level, serial = match.groups()
    return f"{release}{_RELEASE_LEVEL[level]}{serial}" if level != "final" else release


def parse_patch_level(text: str) -> str:
    """Return the version of an interpreter in its header patchlevel.h, or empty."""
    match = _PATCH_LEVEL.search(text)
    return match[1].rstrip("+") if match else ""


def parse_egg_name(name: str) -> tuple[str, str]:
    """Return name and version in the file name of an egg, both empty for any other name."""
    match = _EGG.match(name)
    return (match["name"], match["version"]) if match else ("", "")


class Startup(NamedTuple):
    """The effects of a ``.pth`` file when the interpreter starts (Python's `site` module)."""

    paths: tuple[str, ...]
    code: tuple[str, ...]


def parse_pth(text: str) -> Startup:
    """Return the paths that a ``.pth`` file adds and the lines that it executes."""
    lines = [line.rstrip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    code = tuple(line for line in lines if line.startswith(("import ", "import\t")))
    return Startup(tuple(line for line in lines if line not in code), code)
