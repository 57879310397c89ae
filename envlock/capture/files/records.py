"""Records of the `file` section: changed, missing, and explicitly listed files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from envlock.capture.files.ownership import Claims
from envlock.capture.files.verification import deviations
from envlock.model.glob import compile_globs
from envlock.model.record import Facts, Record
from envlock.model.tree import REDACTED, Entry, EntryType, FileClass, Row

_ALWAYS = frozenset({FileClass.CONFFILE_MODIFIED, FileClass.PACKAGE_MODIFIED})
_CONTENTS = frozenset({EntryType.FILE, EntryType.SYMLINK, EntryType.HARDLINK})
_CONFIG_ROOT = "/etc/"
_VOLATILE = ("/dev/", "/proc/", "/run/", "/sys/", "/tmp/", "/var/tmp/")  # noqa: S108  in a target
"""Directories of the running system, where a missing or different path means nothing."""
_OFTEN_STRIPPED = (
    "/usr/share/doc/",
    "/usr/share/gtk-doc/",
    "/usr/share/info/",
    "/usr/share/licenses/",
    "/usr/share/locale/",
    "/usr/share/man/",
)
"""What images are often stripped of after installation; comparing trees still shows it."""


def file_records(
    rows: Iterable[Row], claims: Claims, index: Mapping[str, Entry], globs: tuple[str, ...]
) -> Iterator[Record]:
    """Yield the records of files that exist.

    Recorded are modified packaged files, unowned files below /etc, paths whose mode, owner or
    capabilities differ from their package, and files that match `globs`.

    Facts: ``sha256``, ``mode``, ``owner`` (``uid:gid``), ``class``, ``target`` for a link, and
    those of `envlock.capture.files.verification.deviations`.
    """
    is_declared = compile_globs(globs).match
    root = index.get("/")
    with_owners = root is None or root.uid == 0
    for row in rows:
        entry, kind = row.entry, row.file_class
        is_recorded = is_reported(row, is_declared)
        other: Facts = {}
        if kind.is_significant and not f"{entry.path}/".startswith(_VOLATILE):
            other = deviations(entry, claims.get(entry.path), with_owners=with_owners)
        if other or (is_recorded and entry.type in _CONTENTS):
            yield Record("file", entry.path, {**_facts(row), **other})


def is_reported(row: Row, is_declared: Callable[[str], object]) -> bool:
    """True when a path has a record for its class or because the user asked for it."""
    path, kind = row.entry.path, row.file_class
    is_own_config = kind is FileClass.UNOWNED and path.startswith(_CONFIG_ROOT)
    return kind in _ALWAYS or is_own_config or bool(is_declared(path))


def missing_records(
    claims: Claims,
    index: Collection[str],
    unseen: Collection[str],
    is_ignored: Callable[[str], bool],
) -> Iterator[Record]:
    """Yield a record for each path that its package requires and that does not exist.

    Its one fact is ``class``: ``conffile-missing`` or ``package-missing``.  A missing directory
    stands for everything below it.  Documentation and translations are left out, and so are ignored
    paths and those in or below `unseen`, the paths that could not be read.
    """
    missing = {
        path: claim
        for path, claim in claims.items()
        if claim.required
        and path not in index
        and not path.startswith((*_VOLATILE, *_OFTEN_STRIPPED))
        and not _is_in(path, unseen)
        and not is_ignored(path)
    }
    for path, claim in missing.items():
        if claim.conffile:
            yield Record("file", path, {"class": "conffile-missing"})
        elif path.rpartition("/")[0] not in missing:
            yield Record("file", path, {"class": "package-missing"})


def _is_in(path: str, folders: Collection[str]) -> bool:
    """True when the path or a directory above it is among `folders`."""
    while path:
        if path in folders:
            return True
        path = path.rpartition("/")[0]
    return "/" in folders


def _facts(row: Row) -> Facts:
    entry = row.entry
    facts = {
        "class": row.file_class.value,
        "mode": f"{entry.mode:04o}",
        "owner": f"{entry.uid}:{entry.gid}",
    }
    if entry.sha256:
        facts["sha256"] = entry.sha256
    if row.source.startswith(REDACTED):
        facts["redacted"] = "true"
    if entry.target:
        facts["target"] = entry.target
    return facts
