"""Which files of a scan may be software: what several collectors look through, picked out once."""

from __future__ import annotations

_ARCHIVES = (".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst", ".zip", ".whl", ".rpm", ".deb")
_JARS = (".jar", ".war", ".ear")
_ENDS = (*_ARCHIVES, *_JARS)


def may_be_software(name: str, mode: int) -> bool:
    """True for a file that is executable, or called like a library or an archive."""
    return bool(mode & 0o111) or ".so" in name or name.endswith(_ENDS)


def kind_of_name(name: str) -> str:
    """Return ``archive`` or ``jar`` for a file that is one by its name, else nothing."""
    if name.endswith(_JARS):
        return "jar"
    return "archive" if name.endswith(_ARCHIVES) else ""
