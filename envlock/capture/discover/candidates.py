"""Files of a scan that may be software: the candidates that several collectors examine."""

from __future__ import annotations

from collections.abc import Sequence
from stat import S_IFREG

from envlock.model.tree import FORMAT_BITS

_ARCHIVES = (".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst", ".zip", ".whl", ".rpm", ".deb")
_JARS = (".jar", ".war", ".ear")
_ENDS = (*_ARCHIVES, *_JARS)


def may_be_software(names: Sequence[str], modes: Sequence[int]) -> list[str]:
    """Return the names of regular files that are executable or named like a library or archive."""
    return [
        name
        for name, mode in zip(names, modes, strict=True)
        if mode & FORMAT_BITS == S_IFREG and (mode & 0o111 or ".so" in name or name.endswith(_ENDS))
    ]


def kind_of_name(name: str) -> str:
    """Return ``archive`` or ``jar`` by the extension of a file name, empty for any other."""
    if name.endswith(_JARS):
        return "jar"
    return "archive" if name.endswith(_ARCHIVES) else ""
