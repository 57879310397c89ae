"""Package records, channels and history in the environments of conda, mamba and pixi.

Sources: conda documentation, "Package metadata files" and "Managing environments" (conda-meta);
conda-build documentation, "Package specification" (info/paths.json, info/has_prefix); CEP 22
(frozen environments); CEP 26 (names of channels and packages).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.formats.json_values import is_text, items, json_or_none, text_at

_HEX64 = re.compile(r"[0-9a-f]{64}\Z")
_HEX32 = re.compile(r"[0-9a-f]{32}\Z")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[^/]*+/?")
_NAME_END = re.compile(r"[\s=<>!~\[]")
_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]*\.(?:conda|tar\.bz2)\Z")
_MOST_FILES = 500_000
_OLD_PLACEHOLDER = "/opt/anaconda1anaconda2anaconda3"
"""What files have that a package of old lists without a placeholder."""


class PackageFile(NamedTuple):
    """A file of a package below the prefix; `sha256` is of the installed content, if known.

    `is_plain`: the archive of the package has this very content.
    """

    path: str
    sha256: str
    is_plain: bool = False


class Package(NamedTuple):
    """A record of conda-meta.

    `channel` is the channel as recorded, a name or URL.  `requested` are the specs by which a user
    requested the package, empty for a dependency.  `artifact` is the file name of its archive,
    empty where it does not follow from the package, and `folder` the URL of where that was.
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
    artifact: str = ""
    folder: str = ""

    @property
    def proof(self) -> str:
        """The digest of its archive, as ``ALGORITHM:HEX``; empty where none is recorded."""
        if self.sha256:
            return f"sha256:{self.sha256}"
        return f"md5:{self.md5}" if self.md5 else ""

    @property
    def words(self) -> tuple[str, ...]:
        """What says which archive it is, empty where that is not known for sure."""
        suffix = self.artifact.removeprefix(f"{self.name}-{self.version}-{self.build}.")
        words = (self.name, self.version, self.build, self.subdir, suffix, self.proof)
        return words if self.artifact and all(words) else ()


class Placeholder(NamedTuple):
    """A path in a file of a package that is replaced by the prefix: as text, or a C string."""

    text: str
    is_binary: bool


def parse_package(text: str) -> Package | None:
    """Return a package, or None when the text is not a package record."""
    document = json_or_none(text)
    name, version = text_at(document, "name"), text_at(document, "version")
    if not name or not version:
        return None
    subdir = text_at(document, "subdir")
    sha256, md5 = text_at(document, "sha256"), text_at(document, "md5")
    build = text_at(document, "build") or text_at(document, "build_string")
    folder, _, artifact = text_at(document, "url").rpartition("/")
    is_usual = artifact in [f"{name}-{version}-{build}{end}" for end in (".conda", ".tar.bz2")]
    is_usual = is_usual and bool(_FILENAME.match(artifact))
    return Package(
        name=name,
        version=version,
        build=build,
        channel=text_at(document, "channel") or text_at(document, "schannel"),
        subdir=subdir,
        sha256=sha256 if _HEX64.match(sha256) else "",
        md5=md5 if _HEX32.match(md5) else "",
        requested=" ".join(_requested(document)),
        files=tuple(_files(document)),
        artifact=artifact if is_usual else "",
        folder=folder if is_usual else "",
    )


def parse_paths(text: str) -> Mapping[str, Placeholder]:
    """Return member -> placeholder of ``info/paths.json`` of a package."""
    found = {}
    for path in items(json_or_none(text), "paths"):
        placeholder, mode = text_at(path, "prefix_placeholder"), text_at(path, "file_mode")
        if placeholder:
            found[text_at(path, "_path")] = Placeholder(placeholder, mode == "binary")
    return found


def parse_has_prefix(text: str) -> Mapping[str, Placeholder]:
    """Return the same of ``info/has_prefix``, which older packages have.

    >>> parse_has_prefix('/old binary "bin/a b"')
    {'bin/a b': Placeholder(text='/old', is_binary=True)}
    """
    found = {}
    for line in text.splitlines():
        try:
            words = shlex.split(line)
        except ValueError:
            continue
        if len(words) == 1:
            found[words[0]] = Placeholder(_OLD_PLACEHOLDER, is_binary=False)
        elif len(words) == 3 and words[0]:
            found[words[2]] = Placeholder(words[0], words[1] == "binary")
    return found


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
    stated: dict[str, tuple[str, bool]] = {}
    for path in items(document, "paths_data", "paths"):
        sha256, packed = text_at(path, "sha256_in_prefix"), text_at(path, "sha256")
        has_placeholder = bool(text_at(path, "prefix_placeholder"))
        if not sha256 and not has_placeholder:
            sha256 = packed
        is_file = text_at(path, "path_type") in ("hardlink", "copy", "")
        if _HEX64.match(sha256) and is_file:
            stated[text_at(path, "_path")] = sha256, sha256 == packed
        else:
            stated.setdefault(text_at(path, "_path"), ("", False))
    for name in items(document, "files"):
        if isinstance(name, str) and is_text(name):
            stated.setdefault(name, ("", False))
    for number, (name, (sha256, is_plain)) in enumerate(stated.items()):
        if number >= _MOST_FILES:
            return
        if name and not name.startswith("/") and ".." not in name.split("/"):
            yield PackageFile(name, sha256, is_plain)
