"""By what a package of Arch is known, and whether a repository has it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from envlock.capture.context import Context
from envlock.capture.discover.rpm_packages import Published
from envlock.formats.pacman import LARGEST_MTREE, Fields, File
from envlock.formats.system.repositories import parse_pacman_repositories

CONFIGURATION = "/etc/pacman.conf"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~^:_-]{0,250}")
_UNCHECKED = frozenset({"", "none"})


def mtree_digest(folder: str, context: Context) -> str:
    """Return the SHA-256 in hex of the ``mtree`` in a folder of pacman's database, if it is there.

    It is a member of the package, as it is, and has the digests of all its files.
    """
    raw = context.read(f"{folder}/mtree", LARGEST_MTREE)
    return hashlib.sha256(raw).hexdigest() if raw else ""


class Publishers:
    """Tells which packages a repository has, so that they can be had again.

    pacman notes how it validated a package.  It does so with what a repository states of it; what
    somebody built and installed from a file is mostly not validated, and may exist nowhere else.
    """

    def __init__(self, context: Context) -> None:
        text = context.text(CONFIGURATION) or ""
        self._repositories = {name for name, _ in parse_pacman_repositories(text)}

    def of(self, fields: Fields, mtree: str, files: Sequence[File]) -> Published:
        """Return how to refer to a package; nothing if its files must travel by value."""
        name, version, arch, origin = (
            next(iter(fields.get(field, ())), "")
            for field in ("NAME", "VERSION", "ARCH", "INSTALLED_DB")
        )
        regular = [file for file in files if file.kind == "file"]
        is_proved = mtree and all(file.digest.startswith("sha256:") for file in regular)
        if not is_proved or not all(map(_PLAIN.fullmatch, (name, version, arch))):
            return Published()
        is_checked = not _UNCHECKED.issuperset(fields.get("VALIDATION", ()))
        is_known = origin in self._repositories if origin else bool(self._repositories)
        if is_checked and is_known:
            return Published(source=f"pacman {name}")
        return Published(artifact=f"pacman {name} {version} {arch} {mtree}")
