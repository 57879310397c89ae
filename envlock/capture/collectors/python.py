"""Python environments, found by their markers wherever they are, and what is installed in them.

An environment is a folder named site-packages or dist-packages; a virtual environment names it.
A wheel's RECORD is verified against the files, so an edited library is seen.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from envlock.capture.ownership import Claim, Claims
from envlock.capture.parse.wheel import (
    DirectUrl,
    normalize_name,
    parse_direct_url,
    parse_headers,
    parse_pyvenv,
    parse_record,
    wheel_filename,
)
from envlock.capture.redact import strip_credentials
from envlock.capture.spec import Collector
from envlock.capture.view import View
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.model.tree import EntryType

_SITE = re.compile(
    r"(?P<prefix>.*?)/lib(?:64)?/(?:python|pypy)(?P<version>3(?:\.\d+)?)t?/(?P<kind>site|dist)-packages\Z"
)
_GENERIC = frozenset({"venv", ".venv", "env", ".env", "virtualenv"})
_GENERATED = (
    "RECORD",
    "INSTALLER",
    "REQUESTED",
    "direct_url.json",
    "uv_cache.json",
    "uv_build.json",
)
_UNPUBLISHED = tuple(
    f"-linux_{machine}.whl" for machine in ("x86_64", "aarch64", "i686", "armv7l", "ppc64le")
)
_BUNDLED = "/usr/share/python-wheels"
_METADATA_LIMIT = 8 * 1024 * 1024


class Site(NamedTuple):
    """One environment: its logical name, the folder of its packages, and its prefix."""

    name: str
    folder: str
    prefix: str
    version: str
    settings: Mapping[str, str]


class Distribution(NamedTuple):
    """One installed distribution."""

    key: str
    name: str
    version: str
    info: str
    site: Site
    wheel: str
    origin: DirectUrl | None
    is_bundled: bool

    @property
    def is_published(self) -> bool:
        """True when the same wheel can be had from an index again.

        Debian bundles patched wheels for ensurepip under the names of the published ones.
        """
        is_local = self.origin is not None or self.is_bundled
        return bool(self.wheel) and not is_local and not self.wheel.endswith(_UNPUBLISHED)


def collect(view: View) -> Iterator[Record]:
    """Yield a record for each environment that holds something, and for each distribution."""
    for site in _sites(view):
        found = list(_distributions(site, view))
        if found or site.settings:
            yield Record("python", site.name, _site_facts(site))
        for distribution in found:
            yield Record("python", distribution.key, _facts(distribution, view))


def claims(view: View) -> Claims:
    """Return the files of every distribution that has a RECORD."""
    found: dict[str, Claim] = {}
    for site in _sites(view):
        for distribution in _distributions(site, view):
            found.update(_claims(distribution, view))
    return found


def _sites(view: View) -> list[Site]:
    """Return the environments, each with a name that no other has."""
    folders = [
        path
        for path in view.glob("**/site-packages", "**/dist-packages")
        if (entry := view.entry(path)) and entry.type is EntryType.DIRECTORY
    ]
    sites: dict[str, Site] = {}
    for folder in folders:
        match = _SITE.match(folder)
        if match is None:
            continue
        prefix, version = match["prefix"] or "/", match["version"]
        config = view.text(posixpath.join(prefix, "pyvenv.cfg"))
        settings = parse_pyvenv(config) if config is not None else {}
        name = base = _logical_name(prefix, match["kind"], version, is_venv=config is not None)
        parents = [part for part in prefix.split("/")[:-1] if part]
        while name in sites and parents:
            base = f"{parents.pop()}-{base}"
            name = base
        sites.setdefault(name, Site(name, folder, prefix, version, settings))
    return sorted(sites.values(), key=lambda site: sort_key(site.name))


def _logical_name(prefix: str, kind: str, version: str, *, is_venv: bool) -> str:
    """Return a name that does not say where on this machine the environment lies."""
    if not is_venv:
        place = {"/": "root", "/usr": "system", "/usr/local": "local"}.get(prefix)
        suffix = "" if kind == "dist" or place != "system" else "-site"
        return f"{place or posixpath.basename(prefix)}-{version}{suffix}"
    *_, parent, name = ["root", *(part for part in prefix.split("/") if part)]
    return parent if name in _GENERIC else name


def _site_facts(site: Site) -> dict[str, str]:
    facts = {
        "version": site.settings.get("version_info")
        or site.settings.get("version")
        or site.version,
        "implementation": site.settings.get("implementation", "cpython").lower(),
        "system-site-packages": site.settings.get("include-system-site-packages", ""),
    }
    return {name: value for name, value in facts.items() if value}


def _distributions(site: Site, view: View) -> Iterator[Distribution]:
    seen: dict[str, str] = {}
    bundled = frozenset(view.names(_BUNDLED))
    prefix = f"{site.folder}/"
    for name in view.names(site.folder):
        if not name.endswith((".dist-info", ".egg-info")):
            continue
        info = prefix + name
        text = None
        for member in ("/METADATA", "/PKG-INFO", ""):
            entry = view.entry(info + member)
            if entry is not None and entry.type is EntryType.FILE:
                text = view.text(info + member, _METADATA_LIMIT)
                break
        headers = parse_headers(text or "")
        if not headers.get("name") or not headers.get("version"):
            view.gap(info, "no metadata with a name and a version")
            continue
        key = f"{site.name}/{normalize_name(headers['name'][0])}"
        version = headers["version"][0]
        if key in seen:
            if seen[key] != version:
                view.gap(info, "a second version of a distribution")
            continue
        seen[key] = version
        wheel = parse_headers(view.text(f"{info}/WHEEL") or "")
        origin = view.text(f"{info}/direct_url.json")
        stem = name.removesuffix(".dist-info").partition("-")[0]
        file = wheel_filename(stem, version, wheel)
        yield Distribution(
            key=key,
            name=headers["name"][0],
            version=version,
            info=info,
            site=site,
            wheel=file,
            origin=parse_direct_url(origin) if origin is not None else None,
            is_bundled=file in bundled,
        )


def _facts(distribution: Distribution, view: View) -> dict[str, str]:
    facts = {"version": distribution.version}
    if distribution.wheel:
        facts["artifact"] = distribution.wheel
    origin = distribution.origin
    if origin is not None:
        facts["origin"] = _origin(origin)
        facts["revision"] = origin.revision
        facts["sha256"] = origin.sha256
        facts["editable"] = "true" if origin.is_editable else ""
    edited, missing = _verify(distribution, view)
    if edited:
        facts["edited"] = _digest(edited)
        facts["edited-files"] = str(len(edited))
    if missing:
        facts["missing-files"] = str(missing)
    return {name: value for name, value in facts.items() if value}


def _origin(origin: DirectUrl) -> str:
    """Return the origin without credentials; a folder of this machine is only called that."""
    return "local" if origin.url.startswith("file:") else strip_credentials(origin.url)


def _verify(distribution: Distribution, view: View) -> tuple[list[tuple[str, str]], int]:
    """Return (path, digest) of the files that are not as RECORD says, and how many are gone."""
    edited = []
    missing = 0
    for path, recorded, sha256 in _recorded(distribution, view):
        if not sha256 or recorded.endswith(".pyc"):
            continue
        entry = view.entry(path)
        if entry is None:
            missing += 1
        elif entry.sha256 and entry.sha256 != sha256:
            edited.append((recorded, entry.sha256))
    return edited, missing


def _digest(edited: Iterable[tuple[str, str]]) -> str:
    lines = sorted(
        f"{path}\0{sha256}\n".encode("utf-8", "surrogateescape") for path, sha256 in edited
    )
    return f"sha256:{hashlib.sha256(b''.join(lines)).hexdigest()}"


def _recorded(distribution: Distribution, view: View) -> Iterator[tuple[str, str, str]]:
    """Yield (absolute path, path as recorded, SHA-256) of the files of a distribution."""
    text = view.text(f"{distribution.info}/RECORD", _METADATA_LIMIT)
    folder = distribution.site.folder
    for path, sha256 in parse_record(text or ""):
        yield posixpath.normpath(posixpath.join(folder, path)), path, sha256


def _claims(distribution: Distribution, view: View) -> Iterator[tuple[str, Claim]]:
    owner = f"python {distribution.key}"
    for path, recorded, sha256 in _recorded(distribution, view):
        inside = not recorded.startswith(("../", "/"))
        generated = posixpath.basename(recorded) in _GENERATED and posixpath.dirname(
            recorded
        ).endswith(".dist-info")
        source = ""
        if distribution.is_published and inside and sha256 and not generated:
            source = f"wheel {distribution.key} {recorded}"
        # Scripts outside the folder are made by the installer or moved from the wheel's data.
        digest = f"sha256:{sha256}" if sha256 and not generated else ""
        yield path, Claim(owner=owner, digest=digest, source=source)


COLLECTOR = Collector(
    name="python",
    sections=("python",),
    reads=(
        "**/pyvenv.cfg",
        "**/*.dist-info/METADATA",
        "**/*.dist-info/WHEEL",
        "**/*.dist-info/RECORD",
        "**/*.dist-info/direct_url.json",
        "**/*.egg-info",
        "**/*.egg-info/*",
    ),
    collect=collect,
    claims=claims,
    needs_scan=True,
    sources=(
        "packaging.python.org, Recording installed projects",
        "packaging.python.org, Binary distribution format",
        "PEP 405",
        "PEP 610",
    ),
)
