"""Packages of rpm: in the caches of this machine, and in the repositories of the captured one.

A repository is asked as dnf asks it: ``repodata/repomd.xml`` names an index of packages, and that
where each is.  Signatures are not checked, because nothing that an index says is relied on: each
package is verified against the lock.

Sources: createrepo_c, dnf.conf(5) with its variables, zypper(8).
"""

from __future__ import annotations

import lzma
import os
import re
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from urllib.parse import urljoin

import zstandard

from envlock.errors import SourceError
from envlock.formats.rpm.repodata import Listed, packages_in, parse_mirrors, parse_repomd
from envlock.materialize.artifacts.artifact import Artifact
from envlock.materialize.artifacts.decompress import decompress
from envlock.materialize.artifacts.kinds.rpm import Rpm
from envlock.materialize.artifacts.sources.base import ArtifactSource, SourceRequest, Tell
from envlock.materialize.artifacts.sources.directory import DirectorySource
from envlock.materialize.artifacts.sources.download import Downloads, host_of
from envlock.materialize.artifacts.sources.mirrors import MOST_MIRRORS, Place, from_mirrors
from envlock.materialize.artifacts.verify import sha256_of
from envlock.model.lock import Lock

_CACHES = (
    "dnf/*/packages",
    "libdnf5/*/packages",
    "yum/*/*/*/packages",
    "zypp/packages/*",
    "zypp/packages/*/*",
)
"""Where packages are below ``/var/cache`` (dnf.conf(5), yum.conf(5), zypper(8))."""
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]{0,64})\}?")
_LIST = re.compile(r"\?|(?:metalink|mirror)[^/]{0,200}\Z")
"""What an address of a list of mirrors has, and one of a repository has not."""
_SUFFIXES = (".gz", ".xz", ".zst", ".bz2")


def sources(request: SourceRequest) -> Sequence[ArtifactSource]:  # noqa: ARG001
    """Return the caches of this machine: none where nothing is kept."""
    return caches(Path("/var/cache"))


def caches(root: Path) -> list[ArtifactSource]:
    """Return the folders of packages below a directory of caches, in the order of their names."""
    folders = sorted({path for glob in _CACHES for path in root.glob(glob) if path.is_dir()})
    return [DirectorySource(name=str(path), path=path, by_content=False) for path in folders]


def repositories(request: SourceRequest, downloads: Downloads) -> Iterator[ArtifactSource]:
    """Yield the repositories that were enabled where the lock was made, then the mirrors."""
    for key, facts in sorted(request.lock.sections.get("repository", {}).items()):
        if key.startswith("rpm ") and facts.get("enabled") == "true" and facts.get("url"):
            known = _variables(request.lock, request.wanted)
            addresses = tuple(
                address for url in facts["url"].split(" ") for address in filled(url, known)
            )
            name = f"repository {key.removeprefix('rpm ')}"
            yield RpmRepository(name=name, addresses=addresses, downloads=downloads)
    for mirror in request.mirrors:
        yield RpmRepository(name=mirror, addresses=(mirror,), downloads=downloads)


def _variables(lock: Lock, wanted: Sequence[Artifact]) -> Mapping[str, Sequence[str]]:
    """Return what the variables of dnf may stand for in a lock.

    The release of a distribution is its version, or the first number of it.
    """
    version = lock.get("os").get("version", "")
    releases = [word for word in dict.fromkeys((version, version.partition(".")[0])) if word]
    found = {each.arch for each in wanted if isinstance(each, Rpm)} - {"noarch"}
    arches = sorted(arch for arch in found if arch not in ("i386", "i486", "i586", "i686"))
    return {
        "releasever": releases,
        "releasever_major": releases[-1:],
        "basearch": arches or ["x86_64"],
        "arch": arches or ["x86_64"],
    }


def filled(url: str, known: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the addresses that a URL with variables stands for, none if one is not known.

    >>> filled("https://example.org/$releasever/$basearch", {"releasever": "9", "basearch": "s"})
    ['https://example.org/9/s']
    """
    names = list(dict.fromkeys(_VARIABLE.findall(url)))
    choices = product(*(known.get(name, ()) for name in names))
    return [_with(url, dict(zip(names, choice, strict=True))) for choice in choices]


def _with(url: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values[match[1]], url)


@dataclass(frozen=True, slots=True, kw_only=True)
class RpmRepository:
    """One repository, by the addresses that it may have: of itself, or of a list of its mirrors."""

    name: str
    addresses: tuple[str, ...]
    downloads: Downloads
    is_local: bool = False

    def fetch(self, wanted: Sequence[Artifact], into: Path, tell: Tell) -> Mapping[Artifact, Path]:
        """Download the packages that its index lists into `into`.

        What fails is told, and the next mirror asked.  Raise SourceError when nothing was had and
        something failed, `UnreachableSourceError` when nothing answers.
        """
        if not self.addresses:
            raise SourceError("its address has a variable of dnf that the lock does not state")
        failures: list[SourceError] = []
        packages = [each for each in wanted if isinstance(each, Rpm)]
        place = Place(self.downloads, into, tell)
        find = partial(self._found, into=into)
        return from_mirrors(packages, self._bases(failures), find, place, failures)

    def _found(self, base: str, wanted: Sequence[Rpm], into: Path) -> Iterator[tuple[Rpm, str]]:
        """Yield the packages that a mirror lists, with their addresses.

        Raise SourceError when its index cannot be had or read.
        """
        by_version: dict[tuple[str, str, str], list[Rpm]] = defaultdict(list)
        for artifact in wanted:
            by_version[artifact.name, artifact.version, artifact.arch].append(artifact)
        for listed in self._listed(base, by_version, into):
            for artifact in by_version[listed.name, listed.evr, listed.arch]:
                yield artifact, _joined(listed.base or base, listed.href)

    def _bases(self, failures: list[SourceError]) -> Iterator[str]:
        """Yield the addresses of the repository and of its mirrors."""
        for address in self.addresses:
            if not _LIST.search(address):
                yield address.rstrip("/")
                continue
            try:
                yield from self._mirrors(address)[:MOST_MIRRORS]
            except SourceError as error:
                failures.append(error)

    def _mirrors(self, address: str) -> Sequence[str]:
        """Return the addresses that a list of mirrors names.  Raise SourceError without any."""
        raw = self.downloads.document(address)
        if raw is None:
            raise SourceError(f"{host_of(address)} has no list of mirrors there")
        try:
            mirrors = parse_mirrors(raw)
        except ValueError as error:
            raise SourceError(f"its list of mirrors is {error}") from error
        if not mirrors:
            raise SourceError(f"the list of {host_of(address)} names no mirror")
        return mirrors

    def _listed(
        self, base: str, wanted: Mapping[tuple[str, str, str], Sequence[Rpm]], into: Path
    ) -> list[Listed]:
        """Return where the wanted packages are.

        Raise SourceError when there is no repository, or its index cannot be had or read.
        """
        raw = self.downloads.document(f"{base}/repodata/repomd.xml")
        if raw is None:
            raise SourceError(f"{host_of(base)} has no repository of rpm there")
        host = host_of(base)
        try:
            index = parse_repomd(raw)
            path = Path(tempfile.mkdtemp(dir=into)) / "primary"
            there = self.downloads.file(urljoin(f"{base}/", index.href), path)
            if not there or (index.sha256 and sha256_of(path) != index.sha256):
                reason = "another file than it names" if there else "not there"
                raise SourceError(f"the index of {host} is {reason}")
            found = packages_in(
                _unpacked(path, index.href), lambda name, evr, arch: (name, evr, arch) in wanted
            )
            return list({each[:3]: each for each in found}.values())
        except _DAMAGE as error:
            raise SourceError(f"the index of {host} cannot be read: {error}") from error


def _joined(base: str, href: str) -> str:
    """Return the address of a file of a repository.  Raise SourceError for what is none."""
    try:
        return urljoin(f"{base}/", href)
    except ValueError as error:
        raise SourceError(f"its index names no address: {error}") from error


_DAMAGE = (ValueError, EOFError, OSError, lzma.LZMAError, zlib.error, zstandard.ZstdError)


def _unpacked(path: Path, href: str) -> Iterator[bytes]:
    """Yield the content of an index, as its name says it is compressed."""
    suffix = next((suffix for suffix in _SUFFIXES if href.endswith(suffix)), "")
    with path.open("rb") as stream:
        yield from decompress(suffix, stream, os.fstat(stream.fileno()).st_size)
