"""Package records, channels and history in the environments of conda, mamba and pixi.

Sources: conda documentation, "Package metadata files" and "Managing environments" (conda-meta);
CEP 22 (frozen environments); CEP 26 (names of channels and packages).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.formats.json_values import is_text, items, json_or_none, text_at

_HEX64 = re.compile(r"[0-9a-f]{64}\Z")
_HEX32 = re.compile(r"[0-9a-f]{32}\Z")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[^/]*+/?")
_NAME_END = re.compile(r"[\s=<>!~\[]")
_MOST_FILES = 500_000


class PackageFile(NamedTuple):
    """A file of a package below the prefix; `sha256` is of the installed content, if known."""

    path: str
    sha256: str


class Package(NamedTuple):
    """A record of conda-meta.

    `channel` is the channel as recorded, a name or URL.  `requested` are the specs by which a user
    requested the package, empty for a dependency.
    """

    name: str
    version: str
    build: str
    channel: str
    subdir: str
    sha256: str
    md5: str
    requested: str
    files: tuple[PackageFile, ...]


def parse_package(text: str) -> Package | None:
    """Return a package, or None when the text is not a package record."""
    document = json_or_none(text)
    name, version = text_at(document, "name"), text_at(document, "version")
    if not name or not version:
        return None
    subdir = text_at(document, "subdir")
    sha256, md5 = text_at(document, "sha256"), text_at(document, "md5")
    return Package(
        name=name,
        version=version,
        build=text_at(document, "build") or text_at(document, "build_string"),
        channel=text_at(document, "channel") or text_at(document, "schannel"),
        subdir=subdir,
        sha256=sha256 if _HEX64.match(sha256) else "",
        md5=md5 if _HEX32.match(md5) else "",
        requested=" ".join(_requested(document)),
        files=tuple(_files(document)),
    )


def channel_name(channel: str, subdir: str) -> str:
    """Return a channel without server and platform, given its name or a URL without credentials.

    A mirror of a channel has another server and the same packages.

    >>> channel_name("https://conda.example.org/pkgs/main/linux-64", "linux-64")
    'pkgs/main'
    >>> channel_name("conda-forge", "noarch")
    'conda-forge'
    """
    platform = f"/{subdir}" if subdir else ""
    return _SCHEME.sub("", channel.rstrip("/").removesuffix(platform), count=1).strip("/")


def parse_specs(history: str) -> dict[str, str]:
    """Return name -> requested spec, according to ``conda-meta/history``.

    Each ``# update specs:`` sets specs by name and each ``# remove specs:`` removes some.

    >>> parse_specs("# update specs: ['numpy=1.26']")
    {'numpy': 'numpy=1.26'}
    """
    specs: dict[str, str] = {}
    for line in history.split("\n"):
        word, _, rest = line.removeprefix("#").strip().partition(" specs: ")
        for spec in _listed(rest) if word in ("update", "remove") else ():
            plain = spec.rpartition("::")[2]
            name = _NAME_END.split(plain, maxsplit=1)[0].lower()
            specs.pop(name, None)
            if word == "update" and name:
                specs[name] = plain
    return specs


def notes_packages(history: str) -> bool:
    r"""True when ``conda-meta/history`` notes a package that was installed and not removed since.

    >>> notes_packages("+defaults::numpy-1.26-0"), notes_packages("+a-1-0\n-a-1-0")
    (True, False)
    """
    noted: set[str] = set()
    for line in history.split("\n"):
        if line[:1] == "+":
            noted.add(line[1:].strip())
        elif line[:1] == "-":
            noted.discard(line[1:].strip())
    return bool(noted)


def _listed(text: str) -> Iterator[str]:
    """Yield the items of a Python list of strings; older versions wrote no quotes."""
    quoted = re.findall(r"'([^']*)'|\"([^\"]*)\"", text)
    if quoted:
        yield from ((one or other).strip() for one, other in quoted)
    else:
        yield from filter(None, (spec.strip() for spec in text.strip("[] ").split(",")))


def _requested(document: object) -> list[str]:
    """Return the requested specs, sorted; newer versions record several."""
    found = {
        spec for spec in items(document, "requested_specs") if isinstance(spec, str) and spec
    } | {text_at(document, "requested_spec")}
    names = {spec.strip() for spec in found if is_text(spec)} - {"", "None"}
    return sorted(spec.rpartition("::")[2] for spec in names)


def _files(document: object) -> Iterator[PackageFile]:
    stated = {}
    for path in items(document, "paths_data", "paths"):
        sha256 = text_at(path, "sha256_in_prefix")
        if not sha256 and not text_at(path, "prefix_placeholder"):
            sha256 = text_at(path, "sha256")
        is_file = text_at(path, "path_type") in ("hardlink", "copy", "")
        if _HEX64.match(sha256) and is_file:
            stated[text_at(path, "_path")] = sha256
        else:
            stated.setdefault(text_at(path, "_path"), "")
    for name in items(document, "files"):
        if isinstance(name, str) and is_text(name):
            stated.setdefault(name, "")
    for number, (name, sha256) in enumerate(stated.items()):
        if number >= _MOST_FILES:
            return
        if name and not name.startswith("/") and ".." not in name.split("/"):
            yield PackageFile(name, sha256)
