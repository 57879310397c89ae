"""File names of shared libraries: ``libNAME.so.VERSION``.

Sources: Debian Policy 8.1 and ld.so(8).  auditwheel adds eight hexadecimal digits to the names of
libraries that it bundles (``libcudart-d0da41ae.so.11.0``).
"""

from __future__ import annotations

import re
from typing import NamedTuple

_FILE = re.compile(r"lib([A-Za-z0-9_+]+?)(?:-[0-9a-f]{8})?\.so(?:\.(\d+(?:\.\d+)*))?\Z")


class LibraryName(NamedTuple):
    """The name without ``lib``, and the version behind ``.so``, empty when there is none."""

    stem: str
    version: str


def parse_library_name(name: str) -> LibraryName | None:
    """Return the parts of a library's file name, or None for any other file name.

    >>> parse_library_name("libcudart-d0da41ae.so.11.0")
    LibraryName(stem='cudart', version='11.0')
    """
    match = _FILE.match(name)
    return LibraryName(match[1], match[2] or "") if match else None


def is_exact(version: str) -> bool:
    """True for a full version; False for the one or two numbers of a soname."""
    return version.count(".") >= 2
