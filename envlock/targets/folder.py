"""A directory with all that a walk tells of the names in it, made into entries when asked."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from envlock.model.stat import Hashes, StatKey
from envlock.model.tree import FORMAT_BITS, TYPE_OF_FORMAT, Entry, EntryType
from envlock.targets.local.walk_worker import Columns, OwnerStat, Xattrs, unpack, unpack_modes

_DEVICES = frozenset({EntryType.CHAR, EntryType.BLOCK})
_UNKNOWN = Hashes("")


class Listing(NamedTuple):
    """A directory as it was found: its path below the root (``""`` for the root), what is known of
    its names as `unpack` reads it, the digest of that, and the newest time in it.

    There are `total` names.  `others` has one item when it is the same for all of them.  `targets`
    are those of links, `xattrs` those that are asked for, by name.  `read` are the places (in the
    order of names) of files whose content is asked for, `linked` of those with several names;
    `size` is the sum of all files.  `failure` is the errno by which it could not be listed, or 0.
    """  # noqa: D205

    path: str
    packed: bytes
    signature: bytes
    newest: int
    total: int
    others: list[OwnerStat]
    targets: dict[str, str]
    xattrs: dict[str, Xattrs]
    read: list[int]
    linked: list[int]
    size: int
    failure: int


class Folder:
    """One directory of a walk.

    `path` is that below the root (``""`` for the root), `packed` what is known of its names in the
    bytes of `envlock.targets.local.walk_worker.unpack`, `signature` the digest of that, `newest`
    the newest time in it in nanoseconds.  `hidden` are names that are not to be recorded.
    """

    __slots__ = ("_hidden", "_listing", "_opened", "_places", "path")

    def __init__(self, listing: Listing, hidden: Collection[str] = ()) -> None:
        self._listing = listing
        self._hidden = hidden
        self._opened: tuple[list[str], Columns] | None = None
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
        return sum(entry.size for entry in self.entries({}))

    def __len__(self) -> int:
        return self._listing.total - len(self._hidden)

    def modes(self) -> tuple[list[str], Sequence[int]]:
        """Return the names in it, and the mode of each with its type."""
        names, modes = unpack_modes(self._listing.packed)
        if not self._hidden:
            return names, modes
        shown = [(n, m) for n, m in zip(names, modes, strict=True) if n not in self._hidden]
        return [name for name, _ in shown], [mode for _, mode in shown]

    def entry(self, name: str) -> Entry | None:
        """Return the entry of a name without digests, or None when it is not there."""
        if self._places is None:
            names, _ = self._open()
            places = {name: at for at, name in enumerate(names)}
            self._places = {n: at for n, at in places.items() if n not in self._hidden}
        at = self._places.get(name)
        return None if at is None else self.entry_at(at)

    def link_target(self, name: str) -> str | None:
        """Return the target of a symbolic link, None for any other name."""
        return None if name in self._hidden else self._listing.targets.get(name)

    def entries(self, known: Mapping[str, Entry]) -> Iterator[Entry]:
        """Yield the entry of every name: that which is known of its path, or one made anew."""
        names, _ = self._open()
        for at, name in enumerate(names):
            if name not in self._hidden:
                yield known.get(f"{self.path}/{name}") or self.entry_at(at)

    def files_to_read(self) -> Iterator[tuple[int, StatKey]]:
        """Yield place and key of each file that is to be read and has no other name."""
        read = self._listing.read
        if read and self._listing.linked:
            linked = frozenset(self._listing.linked)
            read = [at for at in read if at not in linked]
        return self._keys(read)

    def hard_links(self) -> Iterator[tuple[int, StatKey, bool]]:
        """Yield place and key of each file with other names, and whether it is to be read."""
        read = frozenset(self._listing.read) if self._listing.linked else frozenset()
        for at, key in self._keys(self._listing.linked):
            yield at, key, at in read

    def entry_at(self, place: int, size: int | None = None, hashes: Hashes = _UNKNOWN) -> Entry:
        """Return the entry of the name at a place, with the size and digests of what was read."""
        _, _, _, _, _, others, targets, xattrs, *_ = self._listing
        names, (modes, _, sizes, mtimes, *_) = self._open()
        name, mode = names[place], modes[place]
        uid, gid, _, number = others[0 if len(others) == 1 else place]
        kind = TYPE_OF_FORMAT[mode & FORMAT_BITS]
        if size is None:
            size = sizes[place] if kind is EntryType.FILE else 0
        return Entry(
            f"{self.path}/{name}",
            kind,
            mode & 0o7777,
            uid,
            gid,
            mtimes[place] // 10**9,
            size,
            targets.get(name, ""),
            (os.major(number), os.minor(number)) if kind in _DEVICES else None,
            xattrs.get(name, ()),
            *hashes,
        )

    def _keys(self, places: list[int]) -> Iterator[tuple[int, StatKey]]:
        if not places:
            return
        names, (_, inodes, sizes, mtimes, ctimes, _) = self._open()
        others = self._listing.others
        is_alike = len(others) == 1
        for at in places:
            if names[at] not in self._hidden:
                path, device = f"{self.path}/{names[at]}", others[0 if is_alike else at][2]
                yield at, StatKey(path, device, inodes[at], sizes[at], mtimes[at], ctimes[at])

    def _open(self) -> tuple[list[str], Columns]:
        if self._opened is None:
            self._opened = unpack(self._listing.packed)
        return self._opened
