"""Python environments and the distributions installed in them.

An environment is found by its directory of packages, whatever its name.  Files are compared with
the RECORD of their distribution, so edited libraries are noticed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover import python_envs, python_faults
from envlock.capture.discover.edited_files import edited_facts
from envlock.capture.discover.extension_modules import ExtensionModules
from envlock.capture.discover.loader_paths import LOADER_READS
from envlock.capture.discover.package_folders import claim_parents
from envlock.capture.discover.python_envs import PythonEnv
from envlock.capture.discover.python_scripts import script_faults
from envlock.capture.discover.python_startup import STARTUP_MODULES, startup_facts
from envlock.capture.files.ownership import Claim, Claims
from envlock.capture.obstacle import NOT_A_FOLDER
from envlock.formats.python import (
    DirectUrl,
    Recorded,
    data_member,
    normalize_name,
    parse_direct_url,
    parse_egg_name,
    parse_headers,
    parse_record,
    wheel_filename,
)
from envlock.model.record import Record
from envlock.model.tree import EntryType
from envlock.secrets.urls import LOCAL, clean_facts, clean_origin

_GENERATED = (
    "RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json",
)  # fmt: skip
_UNPUBLISHED = tuple(
    f"-linux_{machine}.whl" for machine in ("x86_64", "aarch64", "i686", "armv7l", "ppc64le")
)
_UNCERTAIN = ("-any.whl", *_UNPUBLISHED)
_REBUILDERS = frozenset({"conda", "rpm", "debian"})
"""Installers that rebuild packages from source under the file names of published wheels."""
_DPKG_STATUS = "/var/lib/dpkg/status"
_ENSUREPIP_WHEELS = "/usr/share/python-wheels"
_METADATA_LIMIT = 8 * 1024 * 1024
_SMALL = 1024 * 1024
_METADATA_SUFFIXES = (".dist-info", ".egg-info", ".egg", ".egg-link")
_EDITABLE = DirectUrl("directory", "file:", is_editable=True)


class Distribution(NamedTuple):
    """An installed distribution; `info` is the path of its metadata, `folder` its directory.

    `requires` are its requirements, `others` the versions that further metadata of it state.
    """

    key: str
    name: str
    version: str
    info: str
    folder: str
    wheel: str
    origin: DirectUrl | None
    installer: str
    is_bundled: bool
    requires: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def is_published(self) -> bool:
        """True when the same wheel can be downloaded from an index.

        Debian's patched wheels for ensurepip have the names of published ones but differ.
        """
        return self.may_be_published and not self.wheel.endswith(_UNPUBLISHED)

    @property
    def may_be_published(self) -> bool:
        """True when nothing says that the wheel was made or changed elsewhere than in an index."""
        is_local = self.origin is not None or self.is_bundled or self.installer in _REBUILDERS
        return bool(self.wheel) and not is_local


class _Metadata(NamedTuple):
    """The metadata of a distribution; `name` and `version` from its file name are fallbacks."""

    info: str
    text: str | None
    name: str = ""
    version: str = ""
    origin: DirectUrl | None = None


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each environment that is not empty, and for each distribution."""
    found = {
        env.name: (env, _distributions(env, context))
        for env in python_envs.find_python_envs(context)
    }
    visible = python_faults.visible_distributions(
        {name: (env, [(d.name, d.version) for d in each]) for name, (env, each) in found.items()}
    )
    modules = ExtensionModules(context)
    for name, (env, distributions) in found.items():
        if distributions or env.settings or env.is_interpreter:
            yield Record("python", name, _env_facts(env, context))
        shared = python_faults.overlaps(
            ((d.key, d.folder, _record(d, context)) for d in distributions), context
        )
        for distribution in distributions:
            facts = _facts(distribution, context)
            facts |= _faults(distribution, env, visible[name], context)
            if _is_built_here(distribution):
                paths = (path for path, _, _ in _recorded(distribution, context) if ".so" in path)
                facts["missing"], facts["lacking"] = modules.lacks(paths)
            facts["overlaps"] = " ".join(sorted(shared.get(distribution.key, ())))
            yield Record("python", distribution.key, clean_facts(facts))


def claims(context: Context) -> Claims:
    """Return a claim for each file in the RECORD of a distribution, and for their directories."""
    found: dict[str, Claim] = {}
    for env in python_envs.find_python_envs(context):
        inside: dict[str, Claim] = {}
        for distribution in _distributions(env, context):
            inside.update(_claims(distribution, env, context))
        for folder in env.folders:
            claim_parents(inside, folder)
        found.update(inside)
    return found


def _env_facts(env: PythonEnv, context: Context) -> dict[str, str]:
    is_managed = context.entry(f"{env.library}/EXTERNALLY-MANAGED") is not None
    return clean_facts(
        {
            "version": env.version,
            "path": env.prefix,
            "implementation": env.implementation.lower(),
            "system-site-packages": env.settings.get("include-system-site-packages", ""),
            "free-threaded": "true" if env.is_free_threaded else "",
            "externally-managed": "true" if is_managed else "",
            "managed-by": env.manager,
            "interpreter": python_faults.interpreter_fault(env, env.prefix, context),
            "leftovers": python_faults.leftovers(env, context),
            **script_faults(env, context),
            **startup_facts(env, context),
        }
    )


def _distributions(env: PythonEnv, context: Context) -> list[Distribution]:
    """Return the distributions of an environment; of several versions of one the first counts."""
    found: dict[str, Distribution] = {}
    bundled = frozenset(context.names(_ENSUREPIP_WHEELS))
    for folder in env.folders:
        for name in context.names(folder):
            if not name.endswith(_METADATA_SUFFIXES) or name.startswith("~"):
                continue
            if name.endswith(".dist-info") and not _is_folder(f"{folder}/{name}", context):
                context.gap(f"{folder}/{name}", NOT_A_FOLDER)
                continue
            each = _distribution(env, folder, name, bundled, context)
            if each is None:
                context.gap(f"{folder}/{name}", "no metadata with a name and a version")
                continue
            known = found.setdefault(each.key, each)
            if known.version != each.version:
                others = tuple(sorted({*known.others, each.version}))
                found[each.key] = known._replace(others=others)
    return list(found.values())


def _distribution(
    env: PythonEnv, folder: str, name: str, bundled: frozenset[str], context: Context
) -> Distribution | None:
    """Return the distribution of an entry of site-packages, None without name or version."""
    found = _metadata(folder, name, context)
    headers = parse_headers(found.text or "")
    if found.text and "\n\n" not in found.text and not found.text.endswith("\n"):
        context.gap(found.info, "damaged: it ends in the middle of a header")
    if found.name and found.text is not None and "name" not in headers:
        context.gap(found.info, "states no name")
    project = headers.get("name", [found.name])[0]
    version = headers.get("version", [found.version])[0]
    is_gone = found.origin is not None and found.origin.is_gone
    if not project or not (version or is_gone):
        return None
    wheel = parse_headers(_member(found.info, "WHEEL", context))
    stem = name.removesuffix(".dist-info").partition("-")[0]
    file = wheel_filename(stem, version, wheel)
    return Distribution(
        key=f"{env.name}/{normalize_name(project)}",
        name=project,
        version=version,
        info=found.info,
        folder=folder,
        wheel=file,
        origin=found.origin,
        installer=_member(found.info, "INSTALLER", context).partition("\n")[0].strip(),
        is_bundled=file in bundled or (not bundled and _may_be_bundled(project, env, context)),
        requires=tuple(headers.get("requires-dist", ())),
    )


def _may_be_bundled(project: str, env: PythonEnv, context: Context) -> bool:
    """True for what ensurepip installed from Debian's wheels, where those are gone since."""
    is_of_system = env.settings.get("home", "").startswith("/usr/bin")
    return project in ("pip", "setuptools") and is_of_system and context.exists(_DPKG_STATUS)


def _metadata(folder: str, name: str, context: Context) -> _Metadata:
    """Return the metadata of an entry of site-packages, in any of their forms."""
    path = f"{folder}/{name}"
    if name.endswith(".egg-link"):
        source = (context.text(path, _SMALL) or "").partition("\n")[0].strip()
        return _linked(path, posixpath.normpath(posixpath.join(folder, source)), context)
    if name.endswith(".egg"):
        project, version = parse_egg_name(name)
        info = f"{path}/EGG-INFO"
        return _Metadata(info, _first(info, ("/PKG-INFO",), context), project, version)
    direct = _member(path, "direct_url.json", context)
    origin = parse_direct_url(direct)
    if direct and origin is None:
        context.gap(f"{path}/direct_url.json", "not a direct URL")
    members = ("/METADATA",) if name.endswith(".dist-info") else ("/PKG-INFO", "")
    return _Metadata(path, _first(path, members, context), origin=origin)


def _is_folder(path: str, context: Context) -> bool:
    entry = context.followed(path)
    return entry is not None and entry.type is EntryType.DIRECTORY


def _linked(path: str, source: str, context: Context) -> _Metadata:
    """Return the metadata of a project in development mode, in its source directory."""
    for name in context.names(source) if context.entry(source) else ():
        if name.endswith(".egg-info"):
            text = _first(f"{source}/{name}", ("/PKG-INFO",), context)
            return _Metadata(path, text, origin=_EDITABLE)
    if context.is_gone(source):
        name = posixpath.basename(path).removesuffix(".egg-link")
        return _Metadata(path, None, name, origin=_EDITABLE._replace(is_gone=True))
    return _Metadata(path, None)


def _first(info: str, members: Iterable[str], context: Context) -> str | None:
    for member in members:
        entry = context.followed(info + member)
        if entry is not None and entry.type in (EntryType.FILE, EntryType.HARDLINK):
            return context.text(info + member, _METADATA_LIMIT)
    return None


def _member(info: str, name: str, context: Context) -> str:
    """Return the text of a file in a ``.dist-info`` directory, empty when there is none."""
    if not info.endswith(".dist-info"):
        return ""
    return context.text(f"{info}/{name}", _METADATA_LIMIT) or ""


def _faults(
    distribution: Distribution, env: PythonEnv, installed: Mapping[str, str], context: Context
) -> dict[str, str]:
    """Return the facts that show why a distribution may not work; mostly there are none.

    What a package manager installed is left to its own requirements.
    """
    is_lost = python_faults.is_source_gone(distribution.origin, context)
    owner = context.owner(f"{distribution.info}/METADATA").partition(" ")[0]
    unmet = beyond = ""
    if owner in ("", "python") and distribution.installer not in _REBUILDERS:
        unmet, beyond = python_faults.unmet_requirements(
            distribution.requires, env.version, env.implementation.lower(), installed
        )
    return {
        "source": "missing" if is_lost else "",
        "other-versions": " ".join(distribution.others),
        "unmet": unmet,
        "beyond": beyond,
    }


def _is_built_here(distribution: Distribution) -> bool:
    """True when its compiled modules, if any, were built on a system like this one."""
    return not distribution.wheel or distribution.wheel.endswith(_UNPUBLISHED)


def _facts(distribution: Distribution, context: Context) -> dict[str, str]:
    facts = {"version": distribution.version}
    info = distribution.info
    owner = (
        context.owner(f"{info}/METADATA")
        or context.owner(f"{info}/PKG-INFO")
        or context.owner(info)
    )
    if owner and not owner.startswith("python "):
        facts["packaged-by"] = owner
    else:
        facts["artifact"] = distribution.wheel
    facts["installer"] = distribution.installer
    facts["requested"] = "true" if context.followed(f"{info}/REQUESTED") else ""
    origin = distribution.origin
    if origin is not None:
        facts["origin"] = LOCAL if origin.kind == "directory" else clean_origin(origin.url)
        facts["revision"] = origin.revision
        facts["sha256"] = origin.sha256
        facts["editable"] = "true" if origin.is_editable else ""
    facts |= edited_facts(_recorded(distribution, context), context)
    return clean_facts(facts)


def _record(distribution: Distribution, context: Context) -> tuple[Recorded, ...]:
    if not distribution.info.endswith(".dist-info"):
        return ()
    path = f"{distribution.info}/RECORD"
    text = context.written(path, _METADATA_LIMIT)
    if text is not None and not text.strip():
        context.gap(path, "lists no files")
    return parse_record(text or "")


def _recorded(distribution: Distribution, context: Context) -> Iterator[tuple[str, str, str]]:
    """Yield (absolute path, path as recorded, SHA-256) of the files of a distribution."""
    for path, sha256 in _record(distribution, context):
        # Most paths need no normalization, and a machine has a hundred thousand of them.
        if path[0] in "./" or "/." in path or "//" in path or path[-1] == "/":
            absolute = posixpath.normpath(posixpath.join(distribution.folder, path))
        else:
            absolute = f"{distribution.folder}/{path}"
        yield absolute, path, sha256


def _claims(
    distribution: Distribution, env: PythonEnv, context: Context
) -> Iterator[tuple[str, Claim]]:
    owner = f"python {distribution.key}"
    artifact = _uncertain(distribution, env)
    for path, recorded, sha256 in _recorded(distribution, context):
        inside = not recorded.startswith(("../", "/"))
        folder, _, name = recorded.rpartition("/")
        generated = name in _GENERATED and folder.endswith(".dist-info")
        source = moved = ""
        if distribution.is_published and sha256 and not generated:
            # Files outside the directory are scripts, or moved from the data of the wheel.
            source = f"wheel {distribution.key} {recorded}" if inside else ""
            below = path.removeprefix(f"{env.prefix.rstrip('/')}/")
            member = data_member(below, distribution.name, posixpath.basename(distribution.info))
            moved = "" if inside else f"wheel {distribution.key} {member}"
        digest = f"sha256:{sha256}" if sha256 and not generated else ""
        yield path, Claim(owner=owner, digest=digest, source=source, artifact=artifact, moved=moved)


def _uncertain(distribution: Distribution, env: PythonEnv) -> str:
    """Return the wheel of a distribution that may be of an index, or built here; else nothing."""
    # PyPI takes no file name for linux_ARCH, but wheels that say it under another name.
    if not (distribution.may_be_published and distribution.wheel.endswith(_UNCERTAIN)):
        return ""
    name = normalize_name(distribution.name)
    return f"wheel {name} {distribution.version} {distribution.wheel} {env.version}"


COLLECTOR = Collector(
    name="python",
    sections=("python",),
    reads=(
        *python_envs.READS,
        *LOADER_READS,
        "**/*.dist-info/METADATA",
        "**/*.dist-info/WHEEL",
        "**/*.dist-info/RECORD",
        "**/*.dist-info/INSTALLER",
        "**/*.dist-info/direct_url.json",
        "**/*.egg-info",
        "**/*.egg-link",
        "**/PKG-INFO",
        "**/*.pth",
        *(f"**/{name}" for name in STARTUP_MODULES),
    ),
    collect=collect,
    claims=claims,
    needs_scan=True,
    needs_owners=True,
    digests=("**/site-packages/**", "**/dist-packages/**"),
    sources=(
        "packaging.python.org, Recording installed projects",
        "packaging.python.org, Binary distribution format",
        "packaging.python.org, Externally managed environments",
        "Python library reference, site",
        "setuptools, The internal structure of Python eggs",
        "PEP 405",
        "PEP 610",
    ),
)
