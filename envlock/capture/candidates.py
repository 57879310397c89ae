"""Which paths of a scan may be software: what several collectors look through, picked out once."""

from __future__ import annotations

from envlock.model.tree import EntryType

_FILES = (EntryType.FILE, EntryType.HARDLINK)
_ARCHIVES = (".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst", ".zip", ".whl", ".rpm", ".deb")
_JARS = (".jar", ".war", ".ear")


def may_be_software(path: str, kind: EntryType, mode: int) -> bool:
    """True for a file that is executable, or called like a library or an archive."""
    if kind not in _FILES:
        return False
    if mode & 0o111:
        return True
    name = path[path.rfind("/") + 1 :]
    return ".so" in name or name.endswith((*_ARCHIVES, *_JARS))


def kind_of_name(name: str) -> str:
    """Return ``archive`` or ``jar`` for a file that is one by its name, else nothing."""
    if name.endswith(_JARS):
        return "jar"
    return "archive" if name.endswith(_ARCHIVES) else ""
