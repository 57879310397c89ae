"""Formats of computing centres: Spack databases, EasyBuild easyconfigs, environment modules.

Sources: Spack documentation, "Package installation database" and ``spack.database``
(``.spack-db/index.json``); EasyBuild documentation, "Writing easyconfig files" and "Installed
software"; Environment Modules, module(1), and Lmod (LOADEDMODULES, _LMFILES_).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from envlock.formats.json_values import at, items, json_or_none, members, text_at

_ASSIGNED = re.compile(
    r"^(version|versionsuffix|moduleclass)[ \t]*=[ \t]*"
    r"(?P<quote>['\"])(.*?)(?P=quote)[ \t]*(?:#.*)?$",
    re.MULTILINE,
)
_TOOLCHAIN = re.compile(r"^toolchain\s*=\s*\{([^}]*)\}", re.MULTILINE)
_PAIR = re.compile(r"['\"](name|version)['\"]\s*:\s*['\"]([^'\"]*)['\"]")
_SYSTEM = re.compile(r"^toolchain\s*=\s*SYSTEM\b", re.MULTILINE)
_MOST_SPECS = 100_000


class SpackPackage(NamedTuple):
    """An installed package in a Spack database; `path` is its directory."""

    name: str
    version: str
    hash: str
    path: str
    compiler: str
    target: str
    system: str
    namespace: str
    variants: str
    is_explicit: bool
    is_external: bool


class EasyConfig(NamedTuple):
    """An easyconfig file: `toolchain` as in the name of the module (``foss-2023a``)."""

    version: str
    suffix: str
    toolchain: str
    module_class: str


class LoadedModule(NamedTuple):
    """A loaded module and its module file."""

    name: str
    version: str
    file: str


def parse_spack(text: str) -> list[SpackPackage] | None:
    """Return the installed packages of a Spack database, or None when the text is not one."""
    document = json_or_none(text)
    if not isinstance(at(document, "database", "installs"), dict):
        return None
    found: list[SpackPackage] = []
    for key, install in members(document, "database", "installs"):
        if at(install, "installed") is True and len(found) < _MOST_SPECS:
            # Before database version 6 a spec is a member named after the package.
            spec = at(install, "spec")
            name = text_at(spec, "name")
            if not name:
                name, spec = next(iter(members(spec)), ("", None))
            version = text_at(spec, "version")
            if name and version:
                found.append(_spack_package(key, name, spec, install))
    return found


def parse_easyconfig(text: str, full_version: str) -> EasyConfig | None:
    """Return the facts of an installation from its easyconfig, or None when the text is not one.

    `full_version` is the name of the installation directory: version, toolchain and suffix.  An
    easyconfig is Python code; only assignments of literals are parsed, and nothing is evaluated.
    Computed values are taken from that name instead.
    """
    fields = {name: value for name, _, value in _ASSIGNED.findall(text)}
    toolchain = _toolchain(text)
    if not toolchain:
        return None
    tail = f"-{toolchain}" if toolchain != "system" else ""
    version, suffix = fields.get("version", ""), fields.get("versionsuffix", "")
    if not version or not f"{full_version}-".startswith((f"{version}-", f"{version}{suffix}-")):
        cut = full_version.partition(tail)[0] if tail else full_version.removesuffix(suffix)
        version = cut or full_version
    suffix = full_version.removeprefix(version).removeprefix(tail)
    return EasyConfig(version, suffix, toolchain, fields.get("moduleclass", ""))


def _toolchain(text: str) -> str:
    match = _TOOLCHAIN.search(text)
    pairs = dict(_PAIR.findall(match[1])) if match else {}
    if _SYSTEM.search(text) or pairs.get("name") in ("system", "dummy"):
        return "system"
    return "-".join(filter(None, (pairs.get("name"), pairs.get("version"))))


def loaded_modules(environ: Mapping[str, str]) -> list[LoadedModule]:
    """Return the loaded modules according to the variables of a process, in their order."""
    names = [name for name in environ.get("LOADEDMODULES", "").split(":") if name]
    files = [file for file in environ.get("_LMFILES_", "").split(":") if file]
    if len(files) != len(names):
        files = [""] * len(names)
    found = []
    for full_name, file in zip(names, files, strict=True):
        name, slash, version = full_name.rpartition("/")
        found.append(LoadedModule(*((name, version) if slash and name else (version, "")), file))
    return found


def _spack_package(key: str, name: str, spec: object, install: object) -> SpackPackage:
    compiler = (text_at(spec, "compiler", "name"), text_at(spec, "compiler", "version"))
    target = text_at(spec, "arch", "target") or text_at(spec, "arch", "target", "name")
    return SpackPackage(
        name=name,
        version=text_at(spec, "version"),
        hash=text_at(spec, "hash") or key,
        path=text_at(install, "path"),
        compiler="@".join(filter(None, compiler)),
        target=target,
        system=text_at(spec, "arch", "platform_os"),
        namespace=text_at(spec, "namespace"),
        variants=" ".join(_variants(spec)),
        is_explicit=at(install, "explicit") is True,
        is_external=bool(at(spec, "external")),
    )


def _variants(spec: object) -> Iterator[str]:
    """Yield the variants as Spack writes them: ``+shared``, ``~debug``, ``build_type=Release``."""
    for name, value in sorted(members(spec, "parameters")):
        if isinstance(value, bool):
            yield f"{'+' if value else '~'}{name}"
        elif isinstance(value, str) and value:
            yield f"{name}={text_at(spec, 'parameters', name)}"
        else:
            values = [v for v in items(value) if isinstance(v, str)]
            if values and all(value.isprintable() for value in values):
                yield f"{name}={','.join(values)}"
