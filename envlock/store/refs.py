"""References: the objects that each lock needs, which garbage collection keeps.

Each is a small text file, named by a digest of the reference's name, because that name (the path
of a lock) may have any length and any character::

    envlock-ref 1
    name <escaped name>
    lock <sha256>          the lockfile itself, if it was given
    object <sha256>        one line each, sorted
    tree <sha256>          a tree object; its rows need objects too: one line each, sorted

A reference is written last, after `Store.commit`, so every object that it names is on the disk.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from envlock.errors import StoreError
from envlock.model.splice import kept_digests
from envlock.model.text import escape, sort_key, to_bytes, unescape
from envlock.reading import read_file
from envlock.store.disk import store_errors
from envlock.store.objects import Store
from envlock.writing import replacing

_HEADER = "envlock-ref 1"
_LIMIT = 256 << 20
_LINE = re.compile(r"(lock|object|tree) ([0-9a-f]{64})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """The objects that the lock `name` needs; `lock` is the digest of its file, or empty."""

    name: str
    objects: frozenset[str]
    lock: str = ""
    trees: frozenset[str] = frozenset()

    @property
    def named(self) -> frozenset[str]:
        """Return every object that the reference itself names."""
        return self.objects | self.trees | ({self.lock} if self.lock else frozenset())


class Needs(NamedTuple):
    """The objects that a reference requires, and those to keep if they exist."""

    required: frozenset[str]
    optional: frozenset[str]


def needs(store: Store, ref: Ref) -> Needs:
    """Return the objects that a reference needs, including those of the rows of its trees.

    Raise StoreError when a tree object cannot be read.
    """
    required, optional = set(ref.named), set[str]()
    for tree in ref.trees:
        blobs, pristine = kept_digests(store.read(tree))
        required |= blobs
        optional |= pristine
    return Needs(frozenset(required), frozenset(optional - required))


def set_ref(
    store: Store,
    name: str,
    objects: Iterable[str] = (),
    lock: bytes | None = None,
    trees: Iterable[str] = (),
) -> None:
    """Commit the store and record, atomically, that `name` needs `objects` and `trees`.

    `lock` are the bytes of the lockfile, which are stored as well.  The content that the rows of
    the trees need must already be in the store.  Raise StoreError when an object is missing; then
    an older reference of that name stays.
    """
    needed = {"object": frozenset(objects), "tree": frozenset(trees)}
    for sha256 in sorted(frozenset().union(*needed.values())):
        if not store.has(sha256):
            raise StoreError(
                f"{name} needs an object that the store lacks", where=f"sha256:{sha256}"
            )
    lines = [_HEADER, f"name {escape(name)}"]
    if lock is not None:
        lines.append(f"lock {store.put(lock)}")
    lines += [f"{kind} {sha256}" for kind, digests in needed.items() for sha256 in sorted(digests)]
    store.commit()
    path = _path(store, name)
    with store_errors(path), replacing(path, mode=0o600) as stream:
        stream.write("".join(f"{line}\n" for line in lines).encode())


def has_ref(store: Store, name: str) -> bool:
    """True when there is a reference of that name."""
    return _path(store, name).is_file()


def use_ref(store: Store, name: str) -> None:
    """Record that a reference was used now; do nothing when there is none of that name."""
    with suppress(OSError):
        os.utime(_path(store, name))


def delete_ref(store: Store, name: str) -> None:
    """Delete the reference of that name; do nothing when there is none."""
    path = _path(store, name)
    with store_errors(path):
        path.unlink(missing_ok=True)


def refs(store: Store) -> list[Ref]:
    """Return every reference, sorted by name.  Raise StoreError when one cannot be read."""
    return sorted((read_ref(path) for path in ref_files(store)), key=lambda r: sort_key(r.name))


def ref_files(store: Store) -> Iterator[Path]:
    """Yield the files of the references, without unfinished ones."""
    with store_errors(store.root):
        yield from sorted(p for p in (store.root / "refs").iterdir() if p.name[0] != ".")


def read_ref(path: Path) -> Ref:
    """Read one reference.  Raise StoreError with the line number when it is malformed."""
    with store_errors(path):
        lines = read_file(path, _LIMIT).decode("utf-8", "replace").split("\n")
    if lines[0] != _HEADER or lines[-1] or len(lines) < 3 or not lines[1].startswith("name "):
        raise _malformed(path, 1)
    try:
        name = unescape(lines[1].removeprefix("name "))
    except ValueError as error:
        raise _malformed(path, 2) from error
    found: dict[str, set[str]] = {"lock": set(), "object": set(), "tree": set()}
    for number, line in enumerate(lines[2:-1], 3):
        match = _LINE.match(line)
        if match is None:
            raise _malformed(path, number)
        found[match[1]].add(match[2])
    return Ref(
        name=name,
        objects=frozenset(found["object"]),
        lock="".join(found["lock"]),
        trees=frozenset(found["tree"]),
    )


def _path(store: Store, name: str) -> Path:
    return store.root / "refs" / hashlib.sha256(to_bytes(name)).hexdigest()[:32]


def _malformed(path: Path, line: int) -> StoreError:
    return StoreError(
        "a reference of the store is damaged",
        where=f"{path}:{line}",
        hint="delete that file and capture the environment again",
    )
