"""A directory with all that a walk was told of the names in it, made into entries when asked."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping

from envlock.model.stat import StatKey
from envlock.model.tree import FORMAT_BITS, TYPE_OF_FORMAT, Entry, EntryType
from envlock.target.walking import Columns, Listing, unpack

_DEVICES = frozenset({EntryType.CHAR, EntryType.BLOCK})


class Folder:
    """One directory of a walk.

    `path` is that below the root (``""`` for the root), `packed` what is known of its names in the
    bytes of `envlock.target.walking.unpack`, `signature` the digest of that, `newest` the newest
    time in it in nanoseconds.  `hidden` are names that are not to be recorded.
    """

    __slots__ = ("_columns", "_hidden", "_listing", "_names", "_places", "path")

    def __init__(self, listing: Listing, hidden: Collection[str] = ()) -> None:
        self._listing = listing
        self._hidden = hidden
        self._names: list[str] = []
        self._columns: Columns = ()
        self._places: dict[str, int] | None = None
        self.path = listing.path

    @property
    def packed(self) -> bytes:
        """What is known of its names."""
        return self._listing.packed

    @property
    def signature(self) -> bytes:
        """The digest of that."""
        return self._listing.signature

    @property
    def newest(self) -> int:
        """The newest time in it, in nanoseconds."""
        return self._listing.newest

    @property
    def size(self) -> int:
        """Bytes of its files, each name for itself."""
        if not self._hidden:
            return self._listing.size
        return sum(entry.size for entry in self.entries())

    def names(self) -> list[str]:
        """Return the names in it."""
        names, _ = unpack(self._listing.packed)
        return [name for name in names if name not in self._hidden] if self._hidden else names

    def seen(self) -> Iterator[tuple[str, EntryType, int]]:
        """Yield name, type and permission bits of each."""
        names, columns = unpack(self._listing.packed)
        for name, mode in zip(names, columns[0] if columns else (), strict=True):
            if name not in self._hidden:
                yield name, TYPE_OF_FORMAT[mode & FORMAT_BITS], mode & 0o7777

    def entry(self, name: str) -> Entry | None:
        """Return the entry of a name without digests, or None when it is not there."""
        if self._places is None:
            self._names, self._columns = unpack(self._listing.packed)
            places = {name: at for at, name in enumerate(self._names)}
            self._places = {n: at for n, at in places.items() if n not in self._hidden}
        at = self._places.get(name)
        return None if at is None else self._entry(self._names, self._columns, at)

    def entries(self, known: Mapping[str, Entry] | None = None) -> Iterator[Entry]:
        """Yield the entry of every name: that which is known of its path, or one made anew."""
        names, columns = unpack(self._listing.packed)
        known = known or {}
        for at, name in enumerate(names):
            if name not in self._hidden:
                entry = known.get(f"{self.path}/{name}")
                yield entry or self._entry(names, columns, at)

    def read(self) -> Iterator[StatKey]:
        """Yield the key of each file that is to be read and has no other name."""
        linked = frozenset(self._listing.linked)
        return self._keys([at for at in self._listing.read if at not in linked])

    def linked(self) -> Iterator[tuple[StatKey, bool]]:
        """Yield the key of each file that has other names, and whether it is to be read."""
        read = frozenset(key.path for key in self._keys(self._listing.read))
        for key in self._keys(self._listing.linked):
            yield key, key.path in read

    def _keys(self, places: list[int]) -> Iterator[StatKey]:
        if not places:
            return
        names, (_, inodes, sizes, mtimes, ctimes, _) = unpack(self._listing.packed)
        others = self._listing.others
        is_alike = len(others) == 1
        for at in places:
            if names[at] not in self._hidden:
                path, device = f"{self.path}/{names[at]}", others[0 if is_alike else at][2]
                yield StatKey(path, device, inodes[at], sizes[at], mtimes[at], ctimes[at])

    def _entry(self, names: list[str], columns: Columns, at: int) -> Entry:
        _, _, _, _, others, targets, xattrs, *_ = self._listing
        modes, _, sizes, mtimes, *_ = columns
        name, mode = names[at], modes[at]
        uid, gid, _, number = others[0 if len(others) == 1 else at]
        kind = TYPE_OF_FORMAT[mode & FORMAT_BITS]
        return Entry(
            f"{self.path}/{name}",
            kind,
            mode & 0o7777,
            uid,
            gid,
            mtimes[at] // 10**9,
            sizes[at] if kind is EntryType.FILE else 0,
            targets.get(name, ""),
            (os.major(number), os.minor(number)) if kind in _DEVICES else None,
            xattrs.get(name, ()),
        )
