"""Go programs that no package owns, and the modules they were built from.

Read from the build information in the program.  Where the main module has no version, a version
variable set by the linker flag -X is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.programs import program_names, programs
from envlock.formats.go import Build, Module, read_build
from envlock.model.record import Record
from envlock.secrets.urls import LOCAL, clean_facts, clean_origin

_UNVERSIONED = ("", "(devel)")
_SET_VERSION = re.compile(r"-X[= ]+\\?[\"']?[\w./-]+\.[vV]ersion=([\w.+~-]+)")
_LONGEST_FLAGS = 64 * 1024


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each program, and one for each module built into it."""
    found = {
        program.path: info
        for program in programs(context)
        if (info := read_build(program.elf, program.read)) is not None
    }
    for path, name in program_names(found).items():
        yield Record("go", name, _facts(path, found[path]))
        seen = set()
        for module in found[path].modules:
            key = f"{name}/{module.replaced or module.path}"
            if module.path and key not in seen:
                seen.add(key)
                yield Record("go", key, _module_facts(module, name))


def _facts(path: str, info: Build) -> dict[str, str]:
    settings = info.settings
    system = [settings.get(name, "") for name in ("GOOS", "GOARCH")]
    is_modified = settings.get("vcs.modified") == "true"
    return clean_facts(
        {
            "version": _version(info),
            "path": path,
            "package": info.package,
            "toolchain": info.toolchain,
            "integrity": info.main.integrity if info.main else "",
            "origin": _origin(info.main) if info.main else "",
            "revision": settings.get("vcs.revision", "") + ("-modified" if is_modified else ""),
            "platform": "/".join(system) if all(system) else "",
            "cgo": settings.get("CGO_ENABLED", ""),
            "tags": settings.get("-tags", ""),
        }
    )


def _version(info: Build) -> str:
    version = info.main.version if info.main else ""
    if version not in _UNVERSIONED:
        return version
    stated = _SET_VERSION.search(info.settings.get("-ldflags", "")[:_LONGEST_FLAGS])
    return stated[1] if stated else ""


def _module_facts(module: Module, program: str) -> dict[str, str]:
    return clean_facts(
        {
            "version": "" if module.version in _UNVERSIONED else module.version,
            "integrity": module.integrity,
            "origin": _origin(module),
            "packaged-by": f"go {program}",
        }
    )


def _origin(module: Module) -> str:
    """Return the module or ``local`` directory that replaces a module, empty for others."""
    if not module.replaced:
        return ""
    return clean_origin(module.path) if module.version else LOCAL


COLLECTOR = Collector(
    name="go",
    sections=("go",),
    reads=(),
    collect=collect,
    needs_scan=True,
    needs_owners=True,
    sources=("Go standard library, debug/buildinfo", "Go Modules Reference"),
)
