"""BLAS and LAPACK: the implementation in use, and the copies in Python and conda packages."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.libraries import (
    installed_by,
    logical_location,
    shared_libraries,
)
from envlock.formats.hardware.blas import parse_blas
from envlock.model.record import Record
from envlock.model.text import sort_key

_SONAMES = ("libblas.so.3", "liblapack.so.3", "libcblas.so.3", "liblapacke.so.3")
_FOLDERS = ("/usr/local/lib", "/usr/lib", "/usr/lib64")


def collect(context: Context) -> Iterator[Record]:
    """Yield the library behind each soname, and each copy inside a Python or conda package.

    Keys: the soname (``libblas.so.3``), or vendor and location (``openblas:app/numpy``).  Facts:
    ``vendor``, ``version`` (if the file name contains it), ``library``, ``packaged-by``.
    """
    for soname in _SONAMES:
        path = next((path for path in _candidates(soname, context) if context.exists(path)), "")
        if path:
            yield Record("blas", soname, _facts(context.resolve(path), context))
    bundled: dict[str, dict[str, str]] = {}
    for entry in shared_libraries(context):
        blas = parse_blas(entry.path)
        owner = context.owner(entry.path)
        if blas is None or installed_by(owner) not in ("python", "conda"):
            continue
        facts = _facts(entry.path, context)
        facts["library"] = posixpath.basename(entry.path)
        known = bundled.setdefault(f"{blas.vendor}:{logical_location(entry.path, owner)}", facts)
        names = {*known["library"].split(), facts["library"]}
        known["library"] = " ".join(sorted(names, key=sort_key))
    for key, facts in sorted(bundled.items(), key=lambda item: sort_key(item[0])):
        yield Record("blas", key, facts)


def _candidates(soname: str, context: Context) -> Iterator[str]:
    """Yield the paths at which the loader may find a library, in the usual order of ldconfig(8)."""
    yield f"{_FOLDERS[0]}/{soname}"
    for name in context.names("/usr/lib"):
        if "-linux-" in name:
            yield f"/usr/lib/{name}/{soname}"
    for folder in reversed(_FOLDERS[1:]):
        yield f"{folder}/{soname}"


def _version_beside(path: str, vendor: str, context: Context) -> str:
    """Return the version in the name of the vendor's library in the same directory.

    Debian puts OpenBLAS's libblas.so.3 into the directory of libopenblasp-r0.3.21.so.
    """
    folder = posixpath.dirname(path)
    if not posixpath.basename(folder).startswith(vendor):
        return ""
    found = (parse_blas(f"{folder}/{name}") for name in context.names(folder))
    return next((blas.version for blas in found if blas and blas.version), "")


def _facts(path: str, context: Context) -> dict[str, str]:
    blas = parse_blas(path)
    facts = {
        "vendor": blas.vendor if blas else "unknown",
        "version": (blas.version or _version_beside(path, blas.vendor, context)) if blas else "",
        "library": path,
        "packaged-by": context.owner(path),
    }
    return {name: value for name, value in facts.items() if value}


COLLECTOR = Collector(
    name="blas",
    sections=("blas",),
    reads=(),
    collect=collect,
    needs_scan=True,
    needs_owners=True,
    sources=("update-alternatives(1)", "Debian Wiki, DebianScience/LinearAlgebraLibraries"),
)
