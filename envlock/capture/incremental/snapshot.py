"""The snapshot that a capture leaves in the store's cache, so that the next one is incremental.

It is valid for one target, one request and one version of envlock.  It holds the listing of every
directory, who owns each path, and what was found by searching all of them.  Records are in it as
they are in a lock, so it holds no secret that a lock would not.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from envlock.capture.files.ownership import Claim, from_plain, to_plain
from envlock.capture.files.unknown_state import Sizes
from envlock.capture.incremental.external_inputs import digest_of, external_paths
from envlock.capture.incremental.tree_patch import TreeState, tables
from envlock.capture.scan.access_log import AccessLog, with_symlinks
from envlock.capture.session import CaptureSession
from envlock.capture.setup import CaptureSetup
from envlock.capture.validity import circumstances
from envlock.model.coverage import Coverage, Gap, Status
from envlock.model.record import Facts, Record
from envlock.model.stat import RACY_NS
from envlock.store.blob_file import BlobFile, DamagedBlobFileError, is_blob_file, write_blob_file
from envlock.store.objects import Store
from envlock.targets.base import IGNORED
from envlock.targets.folder import Folder
from envlock.targets.packed_listing import SignedStat, pack, signed_stats, unpack

_LASTING = ("permission denied", "another file system", IGNORED)
"""Reasons of gaps that last as long as the path does not change; others are transient."""
_MOUNTED = "mounted here, not captured"
"""How the reason of a gap ends that lasts as long as something is mounted in a container."""
_WITHOUT_EFFECT = ("jobs", "timeout")
"""Fields of a request that do not change what is found."""
_FOLDER, _CLAIMS = "folder ", "claims "


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a capture found by searching all files; listings and claims are kept beside it.

    `signatures` are of directories, by their path below the root.  `external_inputs` are paths
    that were asked for and lie outside the scan, with a digest of what is there.  `collected` is
    the coverage of each collector.  `files` are the facts of the ``file`` records by path.
    `count` and `size` (bytes) are of all paths, `state_sizes` of unknown data by its service.
    """

    mounts: dict[str, str]
    signatures: dict[str, bytes]
    access_log: AccessLog
    external_inputs: tuple[list[str], str]
    records: list[Record]
    collected: dict[str, Coverage]
    claim_gaps: dict[str, tuple[Gap, ...]]
    gaps: tuple[Gap, ...]
    files: dict[str, Facts]
    left_out: dict[str, str]
    redacted: dict[str, str]
    count: int
    size: int
    state_sizes: Sizes
    tree: TreeState


class Snapshot:
    """The snapshot of one setup: what the last capture left, and what this one will leave."""

    def __init__(self, setup: CaptureSetup, store: Store) -> None:
        self._store = store
        self._path = store.snapshot_path(f"{setup.target.reference} {setup.request.depth}")
        self._key = _key(setup)
        self._settled_before = setup.tuning.clock() - RACY_NS
        self._file: BlobFile | None = None
        self._folders: dict[str, bytes] = {}
        self._claims: dict[str, bytes] = {}
        self._signatures: dict[str, bytes] = {}

    @property
    def is_there(self) -> bool:
        """True when there is a snapshot to load, as far as a cheap check can tell."""
        return is_blob_file(self._path, self._key)

    def load(self) -> Findings | None:
        """Return what the last capture found, or None without a valid snapshot."""
        self._file = BlobFile.open(self._path, self._key)
        return _unpacked(self._file.value) if self._file else None

    def folder(self, path: str) -> bytes | None:
        """Return the listing of a directory in the snapshot, or None."""
        return self.blob(f"{_FOLDER}{path}")

    def claims(self, paths: Iterable[str]) -> dict[str, Claim]:
        """Return the claims on `paths`, for those that a package owns."""
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
        """Return a blob of the snapshot, or None.  Raise DamagedBlobFileError."""
        return self._file.blob(name) if self._file else None

    def record_folder(self, folder: Folder) -> None:
        """Record a directory's listing; what changed a moment ago will count as changed again."""
        packed, signature = folder.packed, folder.signature
        if folder.newest >= self._settled_before:
            names, columns = unpack(packed)
            packed = pack(names, [self._settled(facts) for facts in signed_stats(columns)])
            signature = b""
        self._folders[f"{_FOLDER}{folder.path}"] = packed
        self._signatures[folder.path] = signature

    def _settled(self, facts: SignedStat) -> SignedStat:
        """Return what is known of a name, with an impossible time if it changed a moment ago."""
        mode, inode, size, mtime, ctime, links = facts
        is_young = max(mtime, ctime) >= self._settled_before
        return mode, inode, size, mtime, 0 if is_young else ctime, links

    def _record_claims(self, claims: Mapping[str, Claim]) -> None:
        """Record who owns each path."""
        by_folder: dict[str, dict[str, Any]] = {}
        for path, claim in claims.items():
            at = path.rfind("/")
            by_folder.setdefault(path[:at], {})[path[at + 1 :]] = to_plain(claim)
        self._claims = {
            f"{_CLAIMS}{folder}": marshal.dumps(found) for folder, found in by_folder.items()
        }

    def save_full(
        self,
        session: CaptureSession,
        mounts: dict[str, str],
        scanned: list[Record],
        files: Iterable[Record],
        tree: TreeState,
    ) -> None:
        """Write what a full capture found.

        `mounts` are those below the root when it began, `scanned` the records of the collectors
        that search the scan, `files` those of single paths.
        """
        if not (is_lasting(session) and session.access_log.is_complete):
            return
        self._file = None  # nothing in it is valid any more
        access_log = with_symlinks(session.access_log, session.index)
        paths = external_paths(access_log, mounts)
        self._record_claims(session.claims)
        self.save_delta(
            Findings(
                mounts=mounts,
                signatures={},
                access_log=access_log,
                external_inputs=(paths, digest_of(paths, session.setup.target)),
                records=scanned,
                collected=session.collected,
                claim_gaps=session.claim_gaps,
                gaps=tuple(session.scan_gaps),
                files={record.key: record.facts for record in files if record.section == "file"},
                left_out=session.gate.left_out,
                redacted=session.gate.redacted,
                count=len(session.index),
                size=session.index.size(),
                state_sizes=session.state.sizes,
                tree=tree,
            )
        )

    def save_delta(self, found: Findings) -> None:
        """Write what was found; listings and claims that were not recorded again are kept."""
        found = replace(found, signatures=found.signatures | self._signatures)
        blobs: dict[str, bytes] = {}
        tree = TreeState()
        if self._file is not None:
            known = self._file.value
            tree = TreeState(*known["tree"])
            gone = (f"{_FOLDER}{path}" for path in known["signatures"].keys() - found.signatures)
            try:
                blobs = self._file.blobs({*gone, *self._folders, *self._claims})
            except DamagedBlobFileError:
                return
        blobs |= self._folders | self._claims
        if found.tree.address != tree.address:
            blobs |= tables(self._store.read(found.tree.address), self._store.holds)
        write_blob_file(self._path, self._key, _packed(found), blobs)


def is_lasting(session: CaptureSession) -> bool:
    """True when all that was found depends on the files alone: the next time it is the same."""
    return (
        session.is_repeatable
        and session.gate.is_repeatable
        and all(
            gap.reason.startswith(_LASTING) or gap.reason.endswith(_MOUNTED)
            for gap in session.scan_gaps
        )
    )


def _key(setup: CaptureSetup) -> str:
    """Return a digest of everything that must be the same for a snapshot to be valid."""
    target = setup.target
    names = [collector.name for collector in (*setup.collectors, *setup.claimants)]
    of_target = (target.reference, sorted(target.capabilities))
    return circumstances(setup.request, names, *of_target, but_not=_WITHOUT_EFFECT)


def _packed(found: Findings) -> dict[str, Any]:
    value = {each.name: getattr(found, each.name) for each in fields(found)}
    value["tree"] = tuple(found.tree)
    access_log = found.access_log
    return value | {
        "access_log": (
            access_log.paths,
            access_log.folders,
            access_log.patterns,
            access_log.picks,
            access_log.below,
        ),
        "records": [tuple(record) for record in found.records],
        "collected": {
            name: (str(cover.status), _plain(cover.gaps)) for name, cover in found.collected.items()
        },
        "claim_gaps": {name: _plain(gaps) for name, gaps in found.claim_gaps.items()},
        "gaps": _plain(found.gaps),
    }


def _unpacked(value: dict[str, Any]) -> Findings:
    access_log = AccessLog()
    (
        access_log.paths,
        access_log.folders,
        access_log.patterns,
        access_log.picks,
        access_log.below,
    ) = value["access_log"]
    changed = {
        "access_log": access_log,
        "records": [Record(*record) for record in value["records"]],
        "collected": {
            name: Coverage(Status(status), _gaps(gaps))
            for name, (status, gaps) in value["collected"].items()
        },
        "claim_gaps": {name: _gaps(gaps) for name, gaps in value["claim_gaps"].items()},
        "gaps": _gaps(value["gaps"]),
        "tree": TreeState(*value["tree"]),
    }
    return Findings(**(value | changed))


def _plain(gaps: Iterable[Gap]) -> list[tuple[str, str]]:
    return [(gap.where, gap.reason) for gap in gaps]


def _gaps(plain: Iterable[tuple[str, str]]) -> tuple[Gap, ...]:
    return tuple(Gap(*gap) for gap in plain)
