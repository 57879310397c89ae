"""What one capture of a machine leaves so that the next need not make everything anew.

It holds for one target, one request and one version of envlock, and says of every directory how it
looked, of every path whose it is, and what was found by looking through all of them.  Records are
in it as they are in a lock, so it knows no secret that a lock would not.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import envlock
from envlock.capture.files.ownership import Claim, from_plain, to_plain
from envlock.capture.incremental.external_inputs import digest_of, outside
from envlock.capture.incremental.tree_patch import TreeState, tables
from envlock.capture.scan.access_log import AccessLog, with_trails
from envlock.capture.session import Run
from envlock.model.coverage import Coverage, Gap, Status
from envlock.model.record import Facts, Record
from envlock.model.stat import RACY_NS
from envlock.store.blob_file import BlobFile, DamagedBlobFileError, is_blob_file, write_blob_file
from envlock.store.objects import Store
from envlock.targets.base import IGNORED
from envlock.targets.folder import Folder
from envlock.targets.local.walk_worker import Known, known_of, pack, unpack

_LASTING = ("permission denied", "another file system", IGNORED)
"""Reasons of gaps that stand as long as the path is as it was."""
_WITHOUT_EFFECT = ("jobs", "timeout")
"""Fields of a request on which nothing that is found depends."""
_FOLDER, _CLAIMS = "folder ", "claims "


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a capture found by looking through all files, beside the directories and the claims.

    `signatures` are of the directories, by their path below the root.  `outside` are paths that
    were asked for and lie outside the scan, with a digest of what stands there.  `files` are the
    facts of the ``file`` records by path.  `count` and `size` are of all paths.
    """

    mounts: dict[str, str]
    signatures: dict[str, bytes]
    notes: AccessLog
    outside: tuple[list[str], str]
    records: list[Record]
    covered: dict[str, Coverage]
    claim_gaps: dict[str, tuple[Gap, ...]]
    gaps: tuple[Gap, ...]
    files: dict[str, Facts]
    left_out: dict[str, str]
    count: int
    size: int
    tree: TreeState


class Snapshot:
    """The file where this is kept for a run, and what is about to be written to it."""

    def __init__(self, run: Run, store: Store, clock: Callable[[], int] = time.time_ns) -> None:
        target, request = run.target, run.request
        self._path = store.snapshot(f"{target.reference} {request.depth}")
        self._key = _key(run)
        self._settled_before = clock() - RACY_NS
        self._snapshot: BlobFile | None = None
        self._folders: dict[str, bytes] = {}
        self._claims: dict[str, bytes] = {}
        self._signatures: dict[str, bytes] = {}

    @property
    def is_there(self) -> bool:
        """True when there is something to recall, as far as that can be told at once."""
        return is_blob_file(self._path, self._key)

    def load(self) -> Found | None:
        """Return what the last capture found, or None when there is nothing that holds."""
        self._snapshot = BlobFile.open(self._path, self._key)
        return _unpacked(self._snapshot.value) if self._snapshot else None

    def folder(self, path: str) -> bytes | None:
        """Return what was known of the names in a directory, or None."""
        return self.blob(f"{_FOLDER}{path}")

    def claims(self, paths: Iterable[str]) -> dict[str, Claim]:
        """Return the claims of those of the paths that are claimed."""
        found = {}
        known: dict[str, dict[str, Any]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            if folder not in known:
                raw = self.blob(f"{_CLAIMS}{folder}")
                known[folder] = marshal.loads(raw) if raw else {}  # noqa: S302  checked
            if name in known[folder]:
                found[path] = from_plain(known[folder][name])
        return found

    def blob(self, name: str) -> bytes | None:
        """Return what was kept under a name, or None.  Raise DamagedSnapshotError."""
        return self._snapshot.blob(name) if self._snapshot else None

    def record_folder(self, folder: Folder) -> None:
        """Take a directory as it was listed; what is too young in it will count as changed."""
        packed, signature = folder.packed, folder.signature
        if folder.newest >= self._settled_before:
            names, columns = unpack(packed)
            packed = pack(names, [self._settled(facts) for facts in known_of(columns)])
            signature = b""
        self._folders[f"{_FOLDER}{folder.path}"] = packed
        self._signatures[folder.path] = signature

    def _settled(self, facts: Known) -> Known:
        """Return what is known of a name, with a time that it cannot have when it is too young."""
        mode, inode, size, mtime, ctime, links = facts
        is_young = max(mtime, ctime) >= self._settled_before
        return mode, inode, size, mtime, 0 if is_young else ctime, links

    def _claim(self, claims: Mapping[str, Claim]) -> None:
        """Take whose every path is."""
        by_folder: dict[str, dict[str, Any]] = {}
        for path, claim in claims.items():
            at = path.rfind("/")
            by_folder.setdefault(path[:at], {})[path[at + 1 :]] = to_plain(claim)
        self._claims = {
            f"{_CLAIMS}{folder}": marshal.dumps(found) for folder, found in by_folder.items()
        }

    def save_full(
        self, run: Run, scanned: list[Record], files: Iterable[Record], tree: TreeState
    ) -> None:
        """Write down what a capture of everything found.

        `scanned` are the records of the collectors that look through the scan, `files` those of
        single paths.
        """
        if not (run.is_repeatable and run.notes.is_complete):
            return
        self._snapshot = None  # nothing of it stands
        notes = with_trails(run.notes, run.index)
        beside = outside(notes, run.mounts)
        residue = run.residue
        self._claim(run.claims)
        self.save_delta(
            Found(
                mounts=run.mounts,
                signatures={},
                notes=notes,
                outside=(beside, digest_of(beside, run.target)),
                records=scanned,
                covered=run.covered,
                claim_gaps=run.claim_gaps,
                gaps=tuple(run.scan_gaps),
                files={record.key: record.facts for record in files if record.section == "file"},
                left_out=residue.left_out if residue else {},
                count=len(run.index),
                size=run.index.size(),
                tree=tree,
            ),
            run.scan_gaps,
            run.store,
        )

    def save_delta(self, found: Found, gaps: Iterable[Gap], store: Store | None) -> None:
        """Write down what was found; directories and claims that nothing new is known of stay.

        Nothing is, where one of the `gaps` that were met is of a moment.
        """
        if any(not gap.reason.startswith(_LASTING) for gap in gaps):
            return
        found = replace(found, signatures=found.signatures | self._signatures)
        blobs: dict[str, bytes] = {}
        tree = TreeState()
        if self._snapshot is not None:
            known = self._snapshot.value
            tree = TreeState(*known["tree"])
            gone = (f"{_FOLDER}{path}" for path in known["signatures"].keys() - found.signatures)
            try:
                blobs = self._snapshot.blobs({*gone, *self._folders, *self._claims})
            except DamagedBlobFileError:
                return
        blobs |= self._folders | self._claims
        if store is not None and found.tree.address != tree.address:
            blobs |= tables(store.read(found.tree.address))
        write_blob_file(self._path, self._key, _packed(found), blobs)


def _key(run: Run) -> str:
    """Return what must be the same for a memory to hold."""
    target, request = run.target, run.request
    asked = [
        (each.name, sorted(value) if isinstance(value, frozenset) else value)
        for each in fields(request)
        if each.name not in _WITHOUT_EFFECT
        for value in [getattr(request, each.name)]
    ]
    names = [collector.name for collector in (*run.collectors, *run.claimants)]
    parts = [
        envlock.__version__,
        _code(),
        sys.version,
        target.reference,
        sorted(target.capabilities),
        asked,
        names,
        os.geteuid(),
        sorted(os.getgroups()),
    ]
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _code() -> str:
    """Return what changes whenever envlock itself is changed, installed anew or not."""
    digest = hashlib.sha256()
    for parent, folders, names in os.walk(Path(envlock.__file__).parent):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            status = os.lstat(os.path.join(parent, name))
            digest.update(f"{parent}/{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _packed(found: Found) -> dict[str, Any]:
    value = {each.name: getattr(found, each.name) for each in fields(found)}
    value["tree"] = tuple(found.tree)
    notes = found.notes
    return value | {
        "notes": (notes.paths, notes.folders, notes.patterns, notes.picks, notes.below),
        "records": [tuple(record) for record in found.records],
        "covered": {
            name: (str(cover.status), _plain(cover.gaps)) for name, cover in found.covered.items()
        },
        "claim_gaps": {name: _plain(gaps) for name, gaps in found.claim_gaps.items()},
        "gaps": _plain(found.gaps),
    }


def _unpacked(value: dict[str, Any]) -> Found:
    notes = AccessLog()
    notes.paths, notes.folders, notes.patterns, notes.picks, notes.below = value["notes"]
    changed = {
        "notes": notes,
        "records": [Record(*record) for record in value["records"]],
        "covered": {
            name: Coverage(Status(status), _gaps(gaps))
            for name, (status, gaps) in value["covered"].items()
        },
        "claim_gaps": {name: _gaps(gaps) for name, gaps in value["claim_gaps"].items()},
        "gaps": _gaps(value["gaps"]),
        "tree": TreeState(*value["tree"]),
    }
    return Found(**(value | changed))


def _plain(gaps: Iterable[Gap]) -> list[tuple[str, str]]:
    return [(gap.where, gap.reason) for gap in gaps]


def _gaps(plain: Iterable[tuple[str, str]]) -> tuple[Gap, ...]:
    return tuple(Gap(*gap) for gap in plain)
