"""References: what each lock needs from the store, so that collection keeps it.

One small text file per reference, named by a digest of its name because a name (a lock's path)
may hold any character and be of any length::

    envlock-ref 1
    name <escaped name>
    lock <sha256>          the lockfile itself, when it was given
    object <sha256>        one line each, sorted
    tree <sha256>          a tree object, with what its rows need: one line each, sorted

A reference is written last, after `Store.commit`: it never promises what is not on the disk.
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
from envlock.model.splice import kept_by
from envlock.model.text import escape, sort_key, to_bytes, unescape
from envlock.store.disk import storing, sync, write_atomic
from envlock.store.objects import Store

_HEADER = "envlock-ref 1"
_LINE = re.compile(r"(lock|object|tree) ([0-9a-f]{64})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """What the lock `name` needs; `lock` is the digest of the lockfile kept with it, or empty."""

    name: str
    objects: frozenset[str]
    lock: str = ""
    trees: frozenset[str] = frozenset()

    @property
    def named(self) -> frozenset[str]:
        """Every object that the reference names itself."""
        return self.objects | self.trees | ({self.lock} if self.lock else frozenset())


class Needs(NamedTuple):
    """Objects that a reference cannot do without, and those to keep where they are there."""

    all: frozenset[str]
    spare: frozenset[str]


def needs(store: Store, ref: Ref) -> Needs:
    """Return what a reference needs.  Raise StoreError when a tree object cannot be read."""
    everything, spare = set(ref.named), set[str]()
    for tree in ref.trees:
        blobs, pristine = kept_by(store.read(tree))
        everything |= blobs
        spare |= pristine
    return Needs(frozenset(everything), frozenset(spare - everything))


def set_ref(
    store: Store,
    name: str,
    objects: Iterable[str] = (),
    lock: bytes | None = None,
    trees: Iterable[str] = (),
) -> None:
    """Commit the store and record, atomically, that `name` needs `objects` and `trees`.

    `lock` are the bytes of the lockfile, kept as an object as well.  What rows of the tree objects
    need must have been put into the store.  Raise StoreError when an object is not there; an older
    reference of that name stands then.
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
    with storing(path):
        write_atomic(path, "".join(f"{line}\n" for line in lines).encode())


def has_ref(store: Store, name: str) -> bool:
    """True when there is such a reference."""
    return _path(store, name).is_file()


def use_ref(store: Store, name: str) -> None:
    """Note that what a reference keeps was needed now; nothing when there is no such reference."""
    with suppress(OSError):
        os.utime(_path(store, name))


def drop_ref(store: Store, name: str) -> bool:
    """Delete a reference, durably; return whether there was one."""
    path = _path(store, name)
    with storing(path):
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        sync(path.parent)
        return True


def refs(store: Store) -> list[Ref]:
    """Return every reference, by name.  Raise StoreError when one cannot be read."""
    return sorted((read_ref(path) for path in ref_files(store)), key=lambda r: sort_key(r.name))


def ref_files(store: Store) -> Iterator[Path]:
    """Yield the files of the references; unfinished ones are no references."""
    with storing(store.root):
        yield from sorted(p for p in (store.root / "refs").iterdir() if p.name[0] != ".")


def read_ref(path: Path) -> Ref:
    """Read one reference.  Raise StoreError naming the line when it is malformed."""
    with storing(path):
        lines = path.read_bytes().decode("utf-8", "replace").split("\n")
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
