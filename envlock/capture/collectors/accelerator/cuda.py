"""Installed CUDA software: toolkits, runtime libraries, cuDNN, NCCL and others, from any source.

The driver is recorded only when an image contains a copy of it, which hides the host's driver.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.libraries import (
    distribution_version,
    installed_by,
    logical_location,
    shared_libraries,
)
from envlock.formats.binary.library_name import is_exact
from envlock.formats.hardware.cuda import (
    HEADERS,
    Toolkit,
    header_version,
    parse_library,
    parse_toolkit,
    version_key,
)
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.targets.base import Capability

_DRIVER = "libcuda"
_DEFAULT = "/usr/local/cuda"
_VERSION_FILES = ("version.json", "version.txt")
_HEADER_LIMIT = 4 * 1024 * 1024


class _Found(NamedTuple):
    """A library file: its part of the component, exact version, version in the name, and owner."""

    part: str
    version: str
    soname: str
    owner: str


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each toolkit, and for each component at each location.

    Keys: ``toolkit:LOCATION``, ``cudart:LOCATION``...  Facts: ``version``, or ``soname`` where only
    that is known; ``other-versions`` at the same location; ``mixed`` where the parts of a component
    have different versions; ``source`` (deb, python, conda, file) and ``packaged-by``.
    """
    yield from _toolkits(context)
    found: dict[tuple[str, str], list[_Found]] = {}
    for entry in shared_libraries(context):
        library = parse_library(posixpath.basename(entry.path))
        if library is None:
            continue
        owner = context.owner(entry.path)
        component = library.component
        if component == _DRIVER:
            component = _driver_component(entry.path, context)
        if component:
            version = library.version if is_exact(library.version) else ""
            if not version:
                version = _stated_version(component, entry.path, owner, context)
            where = logical_location(entry.path, owner)
            found.setdefault((component, where), []).append(
                _Found(library.part, version, library.version, owner)
            )
    for (component, where), files in sorted(found.items(), key=lambda item: sort_key(item[0][1])):
        yield Record("cuda", f"{component}:{where}", _facts(files))


def _driver_component(path: str, context: Context) -> str:
    """Return the component that a driver library is part of, empty for the driver of a host."""
    if posixpath.basename(posixpath.dirname(path)) == "compat":
        return "compat"
    return "" if Capability.KERNEL in context.capabilities else _DRIVER


def _stated_version(component: str, path: str, owner: str, context: Context) -> str:
    """Return the version that a library's Python distribution or header states, or empty."""
    version = distribution_version(path, owner, context) if "/nvidia/" in path else ""
    header = HEADERS.get(component)
    if version or header is None:
        return version
    root = posixpath.dirname(posixpath.dirname(path))
    text = context.text(f"{root}/include/{header}", _HEADER_LIMIT)
    return header_version(header, text or "")


def _facts(files: list[_Found]) -> dict[str, str]:
    versions = sorted({file.version for file in files} - {""}, key=version_key, reverse=True)
    sonames = sorted({file.soname for file in files if not file.version} - {""}, key=version_key)
    main = min(sorted({file.part for file in files}), key=len)
    own = sorted({f.version for f in files if f.part == main} - {""}, key=version_key, reverse=True)
    is_mixed = own != versions
    owners = sorted({file.owner for file in files} - {""}, key=sort_key)
    facts = {
        "version": (own or versions or [""])[0],
        "soname": " ".join(sonames) if not versions else "",
        "other-versions": " ".join(versions[1:]) if not is_mixed else "",
        "mixed": " ".join(versions) if is_mixed and len(versions) > 1 else "",
        "source": installed_by(owners[0] if owners else ""),
        "packaged-by": owners[0] if len(owners) == 1 else "",
    }
    return {name: value for name, value in facts.items() if value} or {"source": "file"}


def _toolkits(context: Context) -> Iterator[Record]:
    default = context.resolve(_DEFAULT) if context.exists(_DEFAULT) else ""
    roots = {
        posixpath.dirname(path) for path in context.glob(*(f"**/cuda*/{n}" for n in _VERSION_FILES))
    }
    roots |= {posixpath.dirname(posixpath.dirname(path)) for path in context.glob("**/bin/nvcc")}
    seen = set()
    for root in sorted({context.resolve(root or "/") for root in roots}, key=sort_key):
        toolkit = _toolkit(root, context)
        owner = context.owner(f"{root.rstrip('/')}/bin/nvcc")
        is_wheel = owner.startswith("python")
        key = f"toolkit:{logical_location(f'{root}/lib/x', owner) if is_wheel else root}"
        if toolkit is None or key in seen:
            continue
        seen.add(key)
        facts = {
            "version": toolkit.version,
            "nvcc": toolkit.nvcc,
            "driver": toolkit.driver,
            "default": "true" if root == default else "",
            "source": installed_by(owner),
            "packaged-by": owner,
        }
        yield Record("cuda", key, {name: value for name, value in facts.items() if value})


def _toolkit(root: str, context: Context) -> Toolkit | None:
    base = root.rstrip("/")
    for name in _VERSION_FILES:
        path = f"{base}/{name}"
        text = context.text(path) if context.entry(path) is not None and "cuda" in root else None
        toolkit = parse_toolkit(text) if text is not None else None
        if toolkit:
            return toolkit
        if text is not None:
            context.gap(path, "states no version")
    path = f"{base}/include/cuda.h"
    header = context.text(path, _HEADER_LIMIT)
    version = header_version("cuda.h", header or "")
    if header is not None and not version:
        context.gap(path, "states no version")
    return Toolkit(version) if version else None


COLLECTOR = Collector(
    name="cuda",
    sections=("cuda",),
    reads=(
        *(f"**/cuda*/{name}" for name in _VERSION_FILES),
        "**/include/cuda.h",
        *(f"**/include/{name}" for name in HEADERS.values()),
    ),
    collect=collect,
    needs_scan=True,
    needs_owners=True,
    sources=(
        "CUDA installation guide for Linux, version.json",
        "cuda.h, cudnn_version.h, nccl.h, NvInferVersion.h",
        "CUDA compatibility, forward compatibility package",
    ),
)
