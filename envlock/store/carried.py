r"""Objects beside the locks of a repository: what a rebuild needs, in files that git carries.

    locks/objects/<64 hex>.zst     a file tree or a large object; the digest is of its content
    locks/objects/<64 hex>.pack    a pack (`envlock.store.packs`); the digest is of the file itself

There is no index: a tree says which objects it needs, and the table of a pack which it has.  Files
never change, so two branches cannot conflict.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from envlock.errors import StoreError
from envlock.model.splice import kept_digests
from envlock.reading import open_file, read_file
from envlock.store.manifests import (
    OBJECT_TYPE,
    PACK_TYPE,
    PACKED_OBJECT_TYPE,
    PACKED_TREE_TYPE,
    TREE_TYPE,
    Described,
)
from envlock.store.packs import read_table
from envlock.store.shipment import Blob, Shipment
from envlock.store.unpacking import read_objects, read_tree_of, table_of
from envlock.writing import replace_file, sync_directory

FOLDER = "objects"
"""The folder beside the locks."""
MOST_FILES = 20_000
"""Most files of the folder that are read."""
LARGEST_PACK_FILE = 64 * 1024 * 1024
"""Largest file of a pack that is read, in bytes."""

_NAME = re.compile(r"([0-9a-f]{64})\.(zst|pack)\Z")
_LEVEL = 9
_PIECE = 1024 * 1024
_HEAD = 18
_WINDOW = 128 * 1024 * 1024


def objects_beside(lock: Path) -> Path:
    """Return the folder of the objects of a lockfile."""
    return lock.parent / FOLDER


class CarriedObjects:
    """The folder as the origin of a shipment; every content is verified."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = str(folder)

    def layers(self, tree: str) -> tuple[Described, ...]:
        """Return what is there: the tree `tree` (hex) first, then large objects, then packs.

        Raise StoreError when the folder cannot be read or holds too much.
        """
        found = sorted(self.files(), key=lambda each: (each[1] == "pack", each[0] != tree, each))
        if len(found) > MOST_FILES:
            raise StoreError(f"more than {MOST_FILES:,} files", where=self.name)
        return tuple(self.described(sha256, kind, tree) for sha256, kind in found)

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield digest (hex) and kind, ``zst`` or ``pack``, of each file."""
        with _folder_errors(self.folder):
            paths = list(self.folder.iterdir()) if self.folder.is_dir() else []
        for path in paths:
            if match := _NAME.match(path.name):
                yield match[1], match[2]

    def described(self, sha256: str, kind: str, tree: str) -> Described:
        """Return what a file is; raise StoreError when it cannot be read."""
        path = self.folder / f"{sha256}.{kind}"
        if kind == "pack":
            with _folder_errors(path):
                return Described(PACK_TYPE, f"sha256:{sha256}", path.stat().st_size, content=sha256)
        with _folder_errors(path), open_file(path) as file:
            size = _unpacked_size(file.read(_HEAD) or b"")
        kind = TREE_TYPE if sha256 == tree else OBJECT_TYPE
        return Described(kind, f"sha256:{sha256}", size, content=sha256)

    def blob(self, digest: str, size: int) -> Iterator[bytes]:
        """Yield the content of a file, unpacked.

        Raise StoreError when it has another size than stated, or another digest.
        """
        sha256 = digest.removeprefix("sha256:")
        hashed, left = hashlib.sha256(), size
        for piece in self._pieces(sha256):
            left -= len(piece)
            hashed.update(piece)
            if left < 0:
                break
            yield piece
        if left or hashed.hexdigest() != sha256:
            raise StoreError(f"{sha256} does not match its digest", where=self.name)

    def _pieces(self, sha256: str) -> Iterator[bytes]:
        import zstandard

        pack = self.folder / f"{sha256}.pack"
        if pack.exists():
            with _folder_errors(pack):
                yield read_file(pack, LARGEST_PACK_FILE)
            return
        path = self.folder / f"{sha256}.zst"
        with _folder_errors(path), open_file(path) as file:
            unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
            reader = unpacker.stream_reader(file)
            try:
                while piece := reader.read(_PIECE):
                    yield piece
            except zstandard.ZstdError as error:
                raise StoreError(f"{path.name} is damaged", where=self.name) from error

    def piece(self, digest: str, offset: int, size: int) -> bytes:
        """Return a part of a pack, not verified."""
        path = self.folder / f"{digest.removeprefix('sha256:')}.pack"
        with _folder_errors(path), io.BufferedReader(open_file(path)) as file:
            file.seek(offset)
            return file.read(min(size, LARGEST_PACK_FILE))


@contextmanager
def _folder_errors(path: Path) -> Iterator[None]:
    """Raise each OSError of the body as a StoreError about `path`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or "input/output error"
        text = f"cannot use the objects beside the locks: {reason}"
        raise StoreError(text, where=str(path)) from error


def _unpacked_size(head: bytes) -> int:
    """Return the size that a zstd frame states; 0, which matches nothing, where it states none."""
    import zstandard

    try:
        return max(0, zstandard.frame_content_size(head))
    except zstandard.ZstdError:
        return 0


def files_of(shipment: Shipment, folder: Path, limit: int) -> Mapping[str, bytes] | None:
    """Return the files that carry a shipment but for the lock: name -> content, in bytes.

    A pack is the one in `folder` if that has the same objects.  None when they would have more than
    `limit` bytes.
    """
    known = _packs_in(folder)
    files: dict[str, bytes] = {}
    left = limit
    for blob in shipment.blobs:
        made = _file_of(blob, known, left)
        if made is not None:
            left -= len(made[1])
            files[made[0]] = made[1]
        if left < 0:
            return None
    return files


def _file_of(
    blob: Blob, known: Mapping[frozenset[str], Path], limit: int
) -> tuple[str, bytes] | None:
    """Return name and content of the file of a blob, cut where it exceeds the limit."""
    sha256 = blob.digest.removeprefix("sha256:")
    if blob.media_type == PACK_TYPE:
        with blob.open() as stream:
            content = stream.read()
        same = known.get(
            frozenset(p.sha256 for p in read_table(lambda at, size: content[at : at + size]))
        )
        if same is None:
            return f"{sha256}.pack", content
        with _folder_errors(same):
            return same.name, read_file(same, LARGEST_PACK_FILE)
    if blob.media_type in (PACKED_TREE_TYPE, PACKED_OBJECT_TYPE):
        with blob.open() as stream:
            return f"{blob.content}.zst", stream.read()
    if blob.media_type == OBJECT_TYPE:
        with blob.open() as stream:
            return f"{sha256}.zst", _compressed(stream, blob.size, limit)
    return None


def _compressed(stream: BinaryIO, size: int, limit: int) -> bytes:
    """Return a stream as one zstd frame; stop, incomplete, once it exceeds the limit."""
    import zstandard

    packer = zstandard.ZstdCompressor(level=_LEVEL).compressobj(size=size)
    made = bytearray()
    while (piece := stream.read(_PIECE)) and len(made) <= limit:
        made += packer.compress(piece)
    return bytes(made + packer.flush()) if len(made) <= limit else bytes(made)


def _packs_in(folder: Path) -> Mapping[frozenset[str], Path]:
    """Return the sound packs of a folder by the objects that they have."""
    origin = CarriedObjects(folder)
    found = {}
    for layer in origin.layers(""):
        if layer.media_type == PACK_TYPE:
            try:
                table = table_of(layer, origin)
                for _ in origin.blob(layer.digest, layer.size):
                    pass
            except StoreError:
                continue
            name = f"{layer.digest.removeprefix('sha256:')}.pack"
            found[frozenset(packed.sha256 for packed in table)] = folder / name
    return found


def write_files(folder: Path, files: Mapping[str, bytes]) -> int:
    """Write the files that are not there, or damaged; return how many bytes were new."""
    new = 0
    with _folder_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = folder / name
            if not _is_sound(path):
                replace_file(path, content)
                new += len(content)
        sync_directory(folder)
    return new


def _is_sound(path: Path) -> bool:
    """True when a file is there and matches its digest; how it was compressed may differ."""
    origin = CarriedObjects(path.parent)
    try:
        described = origin.described(path.stem, path.suffix[1:], "")
        for _ in origin.blob(described.digest, described.size):
            pass
    except StoreError:
        return False
    return True


def problem_of(folder: Path, tree: str) -> str:
    """Return what the folder lacks for the tree `tree` (hex), or what is damaged; else nothing."""
    origin = CarriedObjects(folder)
    try:
        layers = origin.layers(tree)
        if all(layer.media_type != TREE_TYPE for layer in layers):
            return f"its file tree is not in {folder}"
        wanted = kept_digests(read_tree_of(layers, origin, tree))[0]
        found = set()
        for sha256, pieces in read_objects(layers, origin, wanted):
            for _ in pieces:
                pass
            found.add(sha256)
    except StoreError as error:
        return f"{folder}: {error.message}"
    lacking = len(wanted - found)
    return f"{lacking} of {len(wanted)} files are not in {folder}" if lacking else ""


class Dropped(NamedTuple):
    """How many files were kept and removed, and the bytes freed."""

    kept: int
    removed: int
    freed_bytes: int


def drop_unneeded(folder: Path, trees: Collection[str]) -> Dropped:
    """Delete the files that none of the trees (hex) needs; files of other names stay.

    Of packs that overlap, those stay that a capture of the tree would write.  Raise StoreError, and
    delete nothing, when a tree or a pack cannot be read.
    """
    origin = CarriedObjects(folder)
    layers = origin.layers("")
    there = {layer.digest.removeprefix("sha256:") for layer in layers}
    packs = {
        each.digest.removeprefix("sha256:"): frozenset(p.sha256 for p in table_of(each, origin))
        for each in layers
        if each.media_type == PACK_TYPE
    }
    needed = {f"{tree}.zst" for tree in trees}
    for tree in there & set(trees):
        wanted = kept_digests(read_tree_of(layers, origin, tree))[0]
        needed |= {f"{sha256}.zst" for sha256 in wanted}
        needed |= {f"{sha256}.pack" for sha256 in _packs_that_cover(wanted, packs)}
    names = {f"{sha256}.{kind}" for sha256, kind in origin.files()}
    freed = 0
    with _folder_errors(folder):
        for name in sorted(names - needed):
            path = folder / name
            freed += path.lstat().st_size
            path.unlink()
    return Dropped(len(names & needed), len(names - needed), freed)


def _packs_that_cover(wanted: frozenset[str], packs: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Yield packs that together have the wanted objects: first those with nothing else."""
    left = set(wanted)
    for sha256 in sorted(packs, key=lambda each: (len(packs[each] - wanted), each)):
        if packs[sha256] & left:
            left -= packs[sha256]
            yield sha256
