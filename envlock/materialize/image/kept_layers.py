"""Layers that were built before, in the cache of a store: whole, or file by file.

A layer with files of packages is an uncompressed tar of them, so it also serves a later image that
has the same files in other layers, and no package need be kept decompressed beside it.  A layout
on the same file system has the same layers by hard links.  Below the folder::

    <recipe>.tar         the layer, see `envlock.materialize.image.oci.recipe_of`
    <recipe>.members     where its files are: SHA-256, offset and size, 48 bytes each

Whatever writes to a layer, also through a layout that shares it, changes its time of modification,
which is `SOUND_NS` here: such a layer serves no more files, and is built again.  All that is read
is verified against the digests of the lock besides.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from envlock.materialize.artifacts.artifact import Reader
from envlock.materialize.artifacts.unpacked import Member, read_member
from envlock.materialize.image.layers import Layer
from envlock.materialize.image.tar import BLOCK, header
from envlock.model.tree import EntryType, Row
from envlock.reading import read_file
from envlock.store.objects import SOUND_NS, Store
from envlock.writing import copy_with_holes, replace_by_link, replacing

KEPT_BYTES = 20 << 30
"""Room for kept layers on the disk, in bytes; those used longest ago are deleted first."""

_MEMBER = struct.Struct("<32sQQ")
_TABLE_LIMIT = 1 << 30
_FOLDER = "layers"
_BLOCK_OF_STAT = 512


class _Place(NamedTuple):
    """The file of a layer, and where in it a content is."""

    path: Path
    offset: int
    size: int


class KeptLayers:
    """The kept layers of a store.  Several threads and processes may use them.

    A layer that cannot be kept, for example on a full disk, is not; nothing is raised.
    """

    def __init__(self, store: Store, room: int = KEPT_BYTES) -> None:
        self._folder = store.cache / _FOLDER
        self._room = room

    def among(self, recipes: Iterable[str]) -> dict[str, Path]:
        """Return recipe -> file of every kept layer among `recipes`; the caller verifies it."""
        files = {recipe: self._layer(recipe) for recipe in recipes}
        return {recipe: path for recipe, path in files.items() if path.is_file()}

    def keep(self, layer: Layer, recipe: str, blob: Path) -> None:
        """Keep the verified layer in the file `blob`, by a hard link if possible.

        Only layers of packages are kept: the content of others is in the store by value.
        """
        if not layer.packages:
            return
        path = self._layer(recipe)
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            is_whole = _is_sound(path) and self._members(recipe).is_file()
            if not is_whole or _could_be_shared(path, blob):
                _link(blob, path)
                self._write_members(layer.rows, recipe)
            for file in (path, self._members(recipe)):  # its time without use starts anew
                os.utime(file, ns=(SOUND_NS, SOUND_NS))

    def has(self, path: Path) -> bool:
        """True for the file of a kept layer."""
        return path.parent == self._folder

    def discard(self, recipe: str) -> None:
        """Delete a layer that is not what it should be."""
        with suppress(OSError):
            self._layer(recipe).unlink(missing_ok=True)
            self._members(recipe).unlink(missing_ok=True)

    def find(self, sha256: str) -> Reader | None:
        """Return a reader of a content that a kept layer has, or None.

        It is read once before, so that a damaged layer is discarded and the package used instead.
        """
        place = self._places.get(bytes.fromhex(sha256))
        if place is None or not _is_sound(place.path):
            return None
        reader = read_member(place.path, Member(place.offset, place.size, sha256))
        try:
            digest = hashlib.sha256()
            for piece in reader():
                digest.update(piece)
        except OSError:
            return None
        if digest.hexdigest() != sha256:
            self.discard(place.path.stem)
            return None
        return reader

    def tidy(self, used: Iterable[str]) -> None:
        """Delete the layers that were not used for longest until the others have room.

        Those with a recipe of `used` stay.
        """
        needed = frozenset(used)
        with suppress(OSError):
            found = [(path.stat(), path) for path in self._folder.glob("*.tar")]
            left = sum(stat.st_blocks * _BLOCK_OF_STAT for stat, _ in found)
            for stat, path in sorted(found, key=lambda each: (each[0].st_ctime_ns, each[1])):
                if left > self._room and path.stem not in needed:
                    path.unlink(missing_ok=True)
                    self._members(path.stem).unlink(missing_ok=True)
                    left -= stat.st_blocks * _BLOCK_OF_STAT

    def _layer(self, recipe: str) -> Path:
        return self._folder / f"{recipe}.tar"

    def _members(self, recipe: str) -> Path:
        return self._folder / f"{recipe}.members"

    def _write_members(self, rows: Iterable[Row], recipe: str) -> None:
        with replacing(self._members(recipe), mode=0o600, is_durable=False) as stream:
            stream.writelines(_MEMBER.pack(*member) for member in _places_of(rows))

    @cached_property
    def _places(self) -> Mapping[bytes, _Place]:
        places: dict[bytes, _Place] = {}
        with suppress(OSError):
            for table in sorted(self._folder.glob("*.members")):
                path = self._layer(table.stem)
                with suppress(OSError, struct.error):
                    for sha256, offset, size in _MEMBER.iter_unpack(read_file(table, _TABLE_LIMIT)):
                        places[sha256] = _Place(path, offset, size)
        return places


def _places_of(rows: Iterable[Row]) -> Iterator[tuple[bytes, int, int]]:
    """Yield where the files of an archive of `rows` are: digest, offset and size in bytes."""
    at = 0
    for row in rows:
        entry = row.entry
        at += len(header(entry))
        if entry.type is EntryType.FILE and entry.size:
            yield bytes.fromhex(entry.sha256), at, entry.size
            at += entry.size + -entry.size % BLOCK


def _is_sound(path: Path) -> bool:
    try:
        return path.stat().st_mtime_ns == SOUND_NS
    except OSError:
        return False


def _could_be_shared(path: Path, blob: Path) -> bool:
    """True for two files of one file system."""
    ours, theirs = path.stat(), blob.stat()
    return ours.st_dev == theirs.st_dev and ours.st_ino != theirs.st_ino


def _link(source: Path, path: Path) -> None:
    """Give a file a second name, in place of what has it; copy it where that is impossible.

    What two places share may not be written any more.  Raise OSError.
    """
    try:
        replace_by_link(path, source)
        path.chmod(path.stat().st_mode & 0o555)
    except OSError:
        with source.open("rb") as stream, replacing(path, mode=0o444) as sink:
            copy_with_holes(stream, sink)
