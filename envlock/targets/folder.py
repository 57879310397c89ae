"""A directory of a walk: all that was read of the names in it, made into entries on demand."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from envlock.model.stat import Hashes, StatKey
from envlock.model.tree import FORMAT_BITS, TYPE_OF_FORMAT, Entry, EntryType
from envlock.targets.packed_listing import (
    Columns,
    OwnerStat,
    Xattrs,
    pack,
    signed_stats,
    unpack,
    unpack_modes,
)

_DEVICES = frozenset({EntryType.CHAR, EntryType.BLOCK})
_UNKNOWN = Hashes("")


class Listing(NamedTuple):
    """What a walk read of one directory.

    `path` is below the root (``""`` for the root).  `packed` are the names and their stats as
    `unpack` reads them, `signature` is the digest of that, and `newest` the newest time in it in
    nanoseconds.  There are `total` names.

    `owners` has one item per name, or a single one that is the same for all.  `targets` are those
    of symbolic links, `xattrs` the extended attributes of selected files, both by name.  `to_read`
    and `linked` are positions in the order of names: of the files whose content is wanted, and of
    those with several names.  `size` is the sum of all files in bytes.  `failure` is the errno
    when the directory cannot be listed, else 0.
    """

    path: str
    packed: bytes
    signature: bytes
    newest: int
    total: int
    owners: list[OwnerStat]
    targets: dict[str, str]
    xattrs: dict[str, Xattrs]
    to_read: list[int]
    linked: list[int]
    size: int
    failure: int


class Folder:
    """One directory of a walk, without its `hidden` names, which are not recorded.

    `path` is below the root (``""`` for the root).
    """

    __slots__ = ("_hidden", "_listing", "_positions", "_unpacked", "path")

    def __init__(self, listing: Listing, hidden: Collection[str] = ()) -> None:
        self._listing = listing
        self._hidden = hidden
        self._unpacked: tuple[list[str], Columns] | None = None
        self._positions: dict[str, int] | None = None
        self.path = listing.path

    @property
    def packed(self) -> bytes:
        """Its names and their stats, in the format of `unpack`."""
        return self._listing.packed

    @property
    def signature(self) -> bytes:
        """The digest of `packed`."""
        return self._listing.signature

    @property
    def newest(self) -> int:
        """The newest time in `packed`, in nanoseconds."""
        return self._listing.newest

    @property
    def size(self) -> int:
        """The sum of the sizes of its files in bytes; hard links count again."""
        if not self._hidden:
            return self._listing.size
        return sum(entry.size for entry in self.entries({}))

    def __len__(self) -> int:
        return self._listing.total - len(self._hidden)

    def as_exported(self, times: Mapping[str, int], xattrs: tuple[str, ...]) -> Folder:
        """Return it as an engine exports it: without sockets.

        `times` replaces the mtime of names, in seconds; only attributes that begin with one of
        `xattrs` stay.  The signature stays: it is of what is there.
        """
        names, modes = unpack_modes(self._listing.packed)
        kept = [at for at, mode in enumerate(modes) if not stat.S_ISSOCK(mode)]
        attributes = {
            name: found
            for name, pairs in self._listing.xattrs.items()
            if (found := tuple(pair for pair in pairs if pair[0].startswith(xattrs)))
        }
        listing = self._listing._replace(xattrs=attributes)
        if times or len(kept) < len(names):
            listing = _selected(listing, kept, times)
        return Folder(listing, {*self._hidden} & {names[at] for at in kept})

    def modes(self) -> tuple[list[str], Sequence[int]]:
        """Return the names in it, and the mode of each with its type bits."""
        names, modes = unpack_modes(self._listing.packed)
        if not self._hidden:
            return names, modes
        shown = [(n, m) for n, m in zip(names, modes, strict=True) if n not in self._hidden]
        return [name for name, _ in shown], [mode for _, mode in shown]

    def entry(self, name: str) -> Entry | None:
        """Return the entry of a name without digests, None when there is no such name."""
        if self._positions is None:
            names, _ = self._unpack()
            positions = {name: at for at, name in enumerate(names)}
            self._positions = {n: at for n, at in positions.items() if n not in self._hidden}
        at = self._positions.get(name)
        return None if at is None else self.entry_at(at)

    def link_target(self, name: str) -> str | None:
        """Return the target of a symbolic link, None for any other name."""
        return None if name in self._hidden else self._listing.targets.get(name)

    def entries(self, known: Mapping[str, Entry]) -> Iterator[Entry]:
        """Yield the entry of every name: from `known` by its path, else without digests."""
        names, _ = self._unpack()
        for at, name in enumerate(names):
            if name not in self._hidden:
                yield known.get(f"{self.path}/{name}") or self.entry_at(at)

    def files_to_read(self) -> Iterator[tuple[int, StatKey]]:
        """Yield position and key of each file that is to be read and has no other name."""
        to_read = self._listing.to_read
        if to_read and self._listing.linked:
            linked = frozenset(self._listing.linked)
            to_read = [at for at in to_read if at not in linked]
        return self._keys(to_read)

    def hard_links(self) -> Iterator[tuple[int, StatKey, bool]]:
        """Yield position and key of each file with other names, and whether it is to be read."""
        to_read = frozenset(self._listing.to_read) if self._listing.linked else frozenset()
        for at, key in self._keys(self._listing.linked):
            yield at, key, at in to_read

    def entry_at(self, at: int, size: int | None = None, hashes: Hashes = _UNKNOWN) -> Entry:
        """Return the entry of the name at a position, with the size and digests that were read."""
        _, _, _, _, _, owners, targets, xattrs, *_ = self._listing
        names, (modes, _, sizes, mtimes, *_) = self._unpack()
        name, mode = names[at], modes[at]
        uid, gid, _, number = owners[0 if len(owners) == 1 else at]
        kind = TYPE_OF_FORMAT[mode & FORMAT_BITS]
        if size is None:
            size = sizes[at] if kind is EntryType.FILE else 0
        return Entry(
            f"{self.path}/{name}",
            kind,
            mode & 0o7777,
            uid,
            gid,
            mtimes[at] // 10**9,
            size,
            targets.get(name, ""),
            (os.major(number), os.minor(number)) if kind in _DEVICES else None,
            xattrs.get(name, ()),
            *hashes,
        )

    def _keys(self, positions: list[int]) -> Iterator[tuple[int, StatKey]]:
        if not positions:
            return
        names, (_, inodes, sizes, mtimes, ctimes, _) = self._unpack()
        owners = self._listing.owners
        is_shared = len(owners) == 1
        for at in positions:
            if names[at] not in self._hidden:
                path, device = f"{self.path}/{names[at]}", owners[0 if is_shared else at][2]
                yield at, StatKey(path, device, inodes[at], sizes[at], mtimes[at], ctimes[at])

    def _unpack(self) -> tuple[list[str], Columns]:
        if self._unpacked is None:
            self._unpacked = unpack(self._listing.packed)
        return self._unpacked


def _selected(listing: Listing, kept: Sequence[int], times: Mapping[str, int]) -> Listing:
    """Return the names at some positions of a listing, some with other times in seconds."""
    names, columns = unpack(listing.packed)
    stats = []
    for at, found in enumerate(signed_stats(columns)):
        mode, inode, size, mtime, ctime, links = found
        if names[at] in times:
            mtime = times[names[at]] * 10**9
        stats.append((mode, inode, size, mtime, ctime, links))
    new = {at: position for position, at in enumerate(kept)}
    owners = listing.owners
    return listing._replace(
        packed=pack([names[at] for at in kept], [stats[at] for at in kept]),
        total=len(kept),
        owners=owners if len(owners) == 1 else [owners[at] for at in kept],
        to_read=[new[at] for at in listing.to_read if at in new],
        linked=[new[at] for at in listing.linked if at in new],
    )
