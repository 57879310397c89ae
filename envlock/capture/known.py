"""Captures of what cannot have changed, such as an image by its id, in the store's cache.

An image is named by a digest of all that is in it, so its capture is known once it was made.  It is
found by that name together with the request, the user and envlock's own files.
Records are kept as they are in a lock, so that nothing secret is in the file, nor a digest of it.
The fingerprints of variables are not kept: they are made anew with the key of each request.

The file is only a cache.  One that is damaged, or that relies on an object which the store has no
more, is as none: the environment is read anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Self

from envlock.capture.incremental.tree_patch import relied_on, tables
from envlock.capture.request import Request
from envlock.capture.result import Capture
from envlock.capture.validity import circumstances
from envlock.errors import StoreError
from envlock.model.coverage import Coverage, Gap, Status
from envlock.model.lock import Lock, tree_address
from envlock.model.record import Record
from envlock.model.scope import FAILED, SECTION, Root, roles_of
from envlock.model.tree import Tree
from envlock.store.blob_file import BlobFile, DamagedBlobFileError, write_blob_file
from envlock.store.known import forget_most, known_path, known_ref
from envlock.store.objects import Store
from envlock.store.refs import has_ref, set_ref, use_ref
from envlock.targets.base import FixedTarget, Target
from envlock.targets.recorded_scope import RecordedScope

_WITHOUT_EFFECT = ("jobs", "timeout", "value_key")
"""Fields of a request that do not change what is kept."""
_ENV, _SECRET, _FINGERPRINT = "env", "secret", "fingerprint"

Roots = Mapping[str, Root]
"""Roots of applications that were searched for, by role; none for those of the environment."""


class KnownCapture:
    """The place in a store for the capture of one target with one request."""

    def __init__(self, target: Target, request: Request, store: Store, key: str) -> None:
        self._target = target
        self._request = request
        self._store = store
        self._key = key
        self._path = known_path(store, key)

    @classmethod
    def of(cls, target: Target, request: Request, store: Store) -> Self | None:
        """Return the place, None for a target that may change."""
        fixed = target.fixed_id() if isinstance(target, FixedTarget) else ""
        if not fixed:
            return None
        key = circumstances(request, fixed, sorted(target.capabilities), but_not=_WITHOUT_EFFECT)
        return cls(target, request, store, key)

    def load(
        self, search: Callable[[Lock], Roots] | None = None
    ) -> tuple[Capture, RecordedScope | None] | None:
        """Return the capture, and what its applications need (nothing where that is not asked for).

        None when it is not known, or the store lost what it relies on.  `search` is asked for
        roots as in the capture itself.
        """
        file = BlobFile.open(self._path, self._key)
        if file is None:
            return None
        try:
            if not self._is_held(file):
                return None
            captured = self._captured(file.value)
            scopes = _scopes(file)
        except (DamagedBlobFileError, StoreError, KeyError, TypeError, ValueError):
            return None
        with suppress(OSError):
            os.utime(self._path)
        use_ref(self._store, known_ref(self._key))
        if self._request.only or SECTION in self._request.skip:
            return captured, None
        searched = Searched(search)
        if search is not None and not _has_all_roots(scopes.get(searched.name)):
            searched(captured.lock)
        scope = scopes.get(searched.name)
        return (captured, scope) if scope is not None else None

    def save(self, captured: Capture, scopes: Mapping[str, RecordedScope]) -> None:
        """Keep a capture; it must not hold yet what its applications need, which is in `scopes`.

        Nothing is kept when it depended on more than the target: a time was over, a file could not
        be read, the search for what an application needs failed.
        """
        if not captured.is_repeatable or any(map(_has_failed, scopes.values())):
            return
        address = tree_address(captured.lock)
        with suppress(StoreError):
            file = BlobFile.open(self._path, self._key)
            blobs = {}
            if address:
                set_ref(self._store, known_ref(self._key), trees=[address])
                blobs = tables(self._store.read(address), self._store.holds)
            before = _scopes(file) if file is not None else {}
            value = _plain(captured, {**before, **scopes})
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            write_blob_file(self._path, self._key, value, blobs)
            forget_most(self._store)

    def _is_held(self, file: BlobFile) -> bool:
        """True when the store has everything that the tree relies on, and a reference keeps it."""
        address = file.value["tree"]
        if not address:
            return True
        if not has_ref(self._store, known_ref(self._key)):
            return False
        self._store.read(address)  # verified
        return all(self._store.holds(*each) for each in relied_on(file.blob))

    def _captured(self, value: Mapping[str, Any]) -> Capture:
        records = [Record(*each) for each in value["records"]]
        lock = Lock.of(self._with_fingerprints(records), value["lock_coverage"])
        address = value["tree"]
        return Capture(
            lock=lock,
            make_tree=cache(lambda: Tree.from_bytes(self._store.read(address)))
            if address
            else None,
            left_out=value["left_out"],
            redacted=value["redacted"],
            coverage={name: _coverage(*each) for name, each in value["coverage"].items()},
            seconds={},
            files=value["files"],
            size=value["size"],
            is_incremental=True,
        )

    def _with_fingerprints(self, records: list[Record]) -> list[Record]:
        """Return the records, with the fingerprints that the key of the request makes."""
        key, process = self._request.value_key, self._target.process()
        if key is None or process is None:
            return records
        found = []
        for record in records:
            made = ""
            if record.section == _ENV and _SECRET in record.facts:
                made = key.fingerprint(record.key, process.environ[record.key])
            facts = {**record.facts, _FINGERPRINT: made} if made else record.facts
            found.append(record._replace(facts=facts))
        return found


class Searched:
    """A search for roots of applications that remembers what it found.

    `name` tells the roots apart; it is empty while nothing was found: those of the environment.
    """

    def __init__(self, search: Callable[[Lock], Roots] | None) -> None:
        self._search = search
        self.name = ""

    def __call__(self, lock: Lock) -> Roots:
        """Return what the search finds, by role."""
        found = self._search(lock) if self._search else {}
        self.name = "\n".join(f"{role}={root}" for role, root in sorted(found.items()))
        return found


def _has_all_roots(scope: RecordedScope | None) -> bool:
    """True when there is an application, and each was found."""
    roles = roles_of(Lock.of(scope.records)) if scope is not None else {}
    return bool(roles) and all(role.is_found for role in roles.values())


def _has_failed(scope: RecordedScope) -> bool:
    return any(gap.reason.startswith(FAILED) for gap in scope.coverage.gaps)


def _scopes(file: BlobFile) -> dict[str, RecordedScope]:
    return {name: RecordedScope.parse(each) for name, each in file.value["scopes"].items()}


def _plain(captured: Capture, scopes: Mapping[str, RecordedScope]) -> dict[str, Any]:
    return {
        "tree": tree_address(captured.lock),
        "records": [(each.section, each.key, _unkeyed(each)) for each in captured.lock.records()],
        "lock_coverage": {name: dict(facts) for name, facts in captured.lock.coverage.items()},
        "coverage": {
            name: (str(cover.status), [tuple(gap) for gap in cover.gaps])
            for name, cover in captured.coverage.items()
        },
        "left_out": dict(captured.left_out),
        "redacted": dict(captured.redacted),
        "files": captured.files,
        "size": captured.size,
        "scopes": {name: scope.document() for name, scope in scopes.items()},
    }


def _unkeyed(record: Record) -> dict[str, str]:
    is_keyed = record.section == _ENV and _SECRET in record.facts
    return {k: v for k, v in record.facts.items() if not (is_keyed and k == _FINGERPRINT)}


def _coverage(status: str, gaps: Iterable[tuple[str, str]]) -> Coverage:
    return Coverage(Status(status), tuple(Gap(*gap) for gap in gaps))
