"""ROCm installations below /opt and the versions of their libraries."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.model.record import Record
from envlock.model.tree import EntryType

_ROOT = "/opt"
_DEFAULT = "/opt/rocm"
_VERSION_FILES = (".info/version", ".info/version-rocm", ".info/version-dev", "version")
_VERSION = re.compile(r"(\d+(?:\.\d+)+(?:-\d+)?)")
_LIBRARIES = {
    "libamdhip64": "hip",
    "libhsa-runtime64": "hsa-runtime",
    "libMIOpen": "miopen",
    "librccl": "rccl",
    "librocblas": "rocblas",
    "libhipblaslt": "hipblaslt",
}
_LIBRARY = re.compile(r"([\w-]+)\.so\.(\d+(?:\.\d+){2,})\Z")


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each installation (``toolkit:FOLDER``) and library (``hip:FOLDER``)."""
    default = context.resolve(_DEFAULT) if context.exists(_DEFAULT) else ""
    for name in context.names(_ROOT):
        root = f"{_ROOT}/{name}"
        entry = context.stat(root) if name.startswith("rocm") else None
        if entry is None or entry.type is not EntryType.DIRECTORY:
            continue
        version = next(filter(None, (_version(context, f"{root}/{f}") for f in _VERSION_FILES)), "")
        if version:
            facts = {
                "version": version,
                "default": "true" if context.resolve(root) == default else "",
            }
            yield Record(
                "rocm", f"toolkit:{root}", {name: text for name, text in facts.items() if text}
            )
        found = {}
        for file in context.names(f"{root}/lib"):
            match = _LIBRARY.match(file)
            if match and match[1] in _LIBRARIES:
                found[_LIBRARIES[match[1]]] = match[2]
        for component, number in sorted(found.items()):
            yield Record("rocm", f"{component}:{root}", {"version": number})


def _version(context: Context, path: str) -> str:
    text = context.text(path, 4096)
    match = _VERSION.match((text or "").strip())
    if text is not None and match is None:
        context.gap(path, "states no version")
    return match[1] if match else ""


COLLECTOR = Collector(
    name="rocm",
    sections=("rocm",),
    reads=(*(f"{_ROOT}/*/{name}" for name in _VERSION_FILES),),
    collect=collect,
    sources=("ROCm installation guide, .info/version",),
)
