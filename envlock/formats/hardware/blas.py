"""Implementations of BLAS and LAPACK, recognised by the file names of their libraries.

Sources: Debian Wiki, DebianScience/LinearAlgebraLibraries (one directory per implementation); the
naming of each vendor's libraries.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from envlock.formats.binary.library_name import is_exact, parse_library_name

_PLAIN_BLAS = ("blas", "cblas", "lapack", "lapacke")
_BLAS = (
    ("openblas", re.compile(r"lib(?:scipy_)?openblas[\w.-]*\.so(?:\.\d+)*\Z")),
    ("mkl", re.compile(r"libmkl_rt(?:-[\w.]+)?\.so(?:\.|\Z)")),
    ("blis", re.compile(r"libblis(?:-mt)?(?:-[\w.]+)?\.so(?:\.|\Z)")),
    ("atlas", re.compile(r"lib(?:[st]?atlas|ptf77blas|f77blas)\.so(?:\.|\Z)")),
    ("nvpl", re.compile(r"libnvpl_blas\w*\.so(?:\.|\Z)")),
    ("armpl", re.compile(r"libarmpl\w*\.so(?:\.|\Z)")),
)
_OPENBLAS_VERSION = re.compile(r"-r(\d+(?:\.\d+)+)\.so\Z")


class Blas(NamedTuple):
    """An implementation of BLAS: its vendor, and the version in the file name, if any."""

    vendor: str
    version: str


def parse_blas(path: str) -> Blas | None:
    """Return the implementation that a file of this path contains, or None for other libraries.

    >>> parse_blas("/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3")
    Blas(vendor='openblas', version='')
    """
    folder, _, name = path.rpartition("/")
    for vendor, pattern in _BLAS:
        if pattern.match(name):
            match = _OPENBLAS_VERSION.search(name)
            return Blas(vendor, match[1] if match else "")
    plain = parse_library_name(name)
    if plain is None or plain.stem not in _PLAIN_BLAS:
        return None
    # Debian keeps each implementation in a directory named after it.
    kept = folder.rpartition("/")[2]
    vendor = next((vendor for vendor, _ in _BLAS if kept.startswith(vendor)), "reference")
    is_stated = vendor == "reference" and is_exact(plain.version)
    return Blas(vendor, plain.version if is_stated else "")
