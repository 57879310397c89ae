"""The `file` section: configuration that somebody changed, and files the user asked to hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from envlock.capture.ownership import Claims
from envlock.model.glob import compile_globs
from envlock.model.record import Facts, Record
from envlock.model.tree import Entry, EntryType, FileClass, Row

_ALWAYS = frozenset({FileClass.CONFFILE_MODIFIED, FileClass.PACKAGE_MODIFIED})
_CONFIG_ROOT = "/etc/"


def file_records(
    rows: Iterable[Row], claims: Claims, index: Mapping[str, Entry], globs: tuple[str, ...]
) -> Iterator[Record]:
    """Yield a record for each changed packaged file, each unowned file below /etc and each
    file that `globs` name.

    Facts: ``sha256``, ``mode``, ``owner`` (``uid:gid``), ``class``, and ``target`` for a link.
    A configuration file that its package lists and that is gone has only
    ``class = "conffile-missing"``.
    """  # noqa: D205
    declared = compile_globs(globs).match
    for row in rows:
        entry, kind = row.entry, row.file_class
        if entry.type not in (EntryType.FILE, EntryType.SYMLINK, EntryType.HARDLINK):
            continue
        unowned_config = kind is FileClass.UNOWNED and entry.path.startswith(_CONFIG_ROOT)
        if kind in _ALWAYS or unowned_config or declared(entry.path):
            yield Record("file", entry.path, _facts(row))
    for path, claim in claims.items():
        if claim.conffile and path not in index:
            yield Record("file", path, {"class": "conffile-missing"})


def _facts(row: Row) -> Facts:
    entry = row.entry
    facts = {
        "class": row.file_class.value,
        "mode": f"{entry.mode:04o}",
        "owner": f"{entry.uid}:{entry.gid}",
    }
    if entry.sha256:
        facts["sha256"] = entry.sha256
    if entry.target:
        facts["target"] = entry.target
    return facts
