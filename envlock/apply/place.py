"""Read and change single paths of a machine, below its root and never through a symbolic link.

Each directory on the way is opened relative to the one before it (`envlock.targets.local.beneath`).
New content goes to a draft beside the path and is renamed once it is complete and flushed.
Sources: openat(2), rename(2), fsync(2), xattr(7).
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple, Self

from envlock.model.tree import TYPE_OF_FORMAT, Entry, EntryType, Xattrs
from envlock.targets.attributes import is_recorded
from envlock.targets.local.beneath import Beneath, path_of
from envlock.writing import sync_descriptor

_PIECE = 1 << 20
_DRAFT = ".envlock-apply-"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY


class Spot(NamedTuple):
    """An open directory and a name in it."""

    folder: int
    name: str


class Place:
    """The files of a machine whose root directory is `root` on this one.  Not for several threads.

    Paths are absolute from that root.  Every method raises OSError, NotADirectoryError where a
    step of the path is a symbolic link.
    """

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/") or "/"
        self._beneath = Beneath(root)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._beneath.close()

    def find(self, path: str) -> Entry | None:
        """Return a path without its digest, None when it is not there."""
        try:
            spot = self._spot(path)
            found = os.stat(spot.name, dir_fd=spot.folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        kind = TYPE_OF_FORMAT[stat.S_IFMT(found.st_mode)]
        is_link = kind is EntryType.SYMLINK
        return Entry(
            path,
            kind,
            stat.S_IMODE(found.st_mode),
            found.st_uid,
            found.st_gid,
            int(found.st_mtime),
            found.st_size if kind is EntryType.FILE else 0,
            os.readlink(spot.name, dir_fd=spot.folder) if is_link else "",
            xattrs=() if is_link else _attributes(f"{path_of(spot.folder)}/{spot.name}"),
        )

    def read(self, path: str) -> Entry | None:
        """Return a path with the digest of its content, None when it is not there."""
        found = self.find(path)
        if found is None or found.type is not EntryType.FILE:
            return found
        digest = hashlib.sha256()
        for piece in self.content(path):
            digest.update(piece)
        return found._replace(sha256=digest.hexdigest())

    def content(self, path: str) -> Iterator[bytes]:
        """Yield the content of a regular file in pieces."""
        spot = self._spot(path)
        descriptor = os.open(spot.name, _READ | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=spot.folder)
        with open(descriptor, "rb", buffering=0) as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "it is no regular file", path)
            while piece := stream.read(_PIECE):
                yield piece

    def names(self, path: str) -> list[str]:
        """Return the names in a directory, sorted; none when it is not there."""
        try:
            return sorted(os.listdir(path_of(self._beneath.directory(path))))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def put(self, wanted: Entry, content: Iterable[bytes] | None) -> None:
        """Make a path what `wanted` says; a file without `content` keeps its own.

        What is there is replaced at once, but for a directory, which must be empty to become
        something else.  The directory that it is in must exist.
        """
        if wanted.type is EntryType.DIRECTORY:
            self._put_directory(wanted)
        elif wanted.type is EntryType.SYMLINK or content is not None:
            self._replace(wanted, content or ())
        else:
            self._dress(self._spot(wanted.path), wanted)
        self.sync(os.path.dirname(wanted.path))

    def remove(self, path: str) -> None:
        """Remove a path that may be missing; a directory must be empty."""
        found = self.find(path)
        if found is None:
            return
        spot = self._spot(path)
        if found.type is EntryType.DIRECTORY:
            os.rmdir(spot.name, dir_fd=spot.folder)
        else:
            os.unlink(spot.name, dir_fd=spot.folder)
        self.sync(os.path.dirname(path))

    def remove_tree(self, path: str) -> None:
        """Remove a directory with everything in it, which may be missing; links are not followed.

        Anything else at the path is removed as well.
        """
        found = self.find(path)
        if found is not None and found.type is EntryType.DIRECTORY:
            spot = self._spot(path)
            shutil.rmtree(spot.name, dir_fd=spot.folder)
            self.sync(os.path.dirname(path))
        else:
            self.remove(path)

    def move(self, before: str, after: str) -> None:
        """Rename a path to one that does not exist, on the same file system."""
        descriptor = os.open(
            path_of(self._beneath.directory(os.path.dirname(before))), os.O_PATH | os.O_CLOEXEC
        )
        try:
            spot = self._spot(after)
            if self.find(after) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), after)
            name = os.path.basename(before)
            os.rename(name, spot.name, src_dir_fd=descriptor, dst_dir_fd=spot.folder)
        finally:
            os.close(descriptor)
        self.sync(os.path.dirname(after))
        self.sync(os.path.dirname(before))

    def sync(self, folder: str) -> None:
        """Make the names in a directory durable."""
        sync_descriptor(self._beneath.directory(folder))

    def _spot(self, path: str) -> Spot:
        folder, _, name = path.rpartition("/")
        if not name or name in (".", ".."):
            raise IsADirectoryError(errno.EISDIR, "not the path of a file", path)
        return Spot(self._beneath.directory(folder), name)

    def _put_directory(self, wanted: Entry) -> None:
        spot, found = self._spot(wanted.path), self.find(wanted.path)
        if found is not None and found.type is not EntryType.DIRECTORY:
            self.remove(wanted.path)
            found = None
        if found is None:
            os.mkdir(spot.name, 0o700, dir_fd=spot.folder)
        self._dress(spot, wanted)

    def _replace(self, wanted: Entry, content: Iterable[bytes]) -> None:
        spot = self._spot(wanted.path)
        draft = f"{_DRAFT}{secrets.token_hex(8)}"
        try:
            if wanted.type is EntryType.SYMLINK:
                os.symlink(wanted.target, draft, dir_fd=spot.folder)
                self._dress(Spot(spot.folder, draft), wanted)
            else:
                descriptor = os.open(draft, _NEW | os.O_CLOEXEC, 0o600, dir_fd=spot.folder)
                with open(descriptor, "wb") as stream:
                    stream.writelines(content)
                    stream.flush()
                    self._dress(Spot(spot.folder, draft), wanted)
                    os.fsync(descriptor)
            if (found := self.find(wanted.path)) and found.type is EntryType.DIRECTORY:
                os.rmdir(spot.name, dir_fd=spot.folder)
            os.rename(draft, spot.name, src_dir_fd=spot.folder, dst_dir_fd=spot.folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft, dir_fd=spot.folder)
            raise

    def _dress(self, spot: Spot, wanted: Entry) -> None:
        """Set owner, attributes, mode and time; chown(2) clears some of the others."""
        found = os.stat(spot.name, dir_fd=spot.folder, follow_symlinks=False)
        if (found.st_uid, found.st_gid) != (wanted.uid, wanted.gid):
            os.chown(spot.name, wanted.uid, wanted.gid, dir_fd=spot.folder, follow_symlinks=False)
        if wanted.type is not EntryType.SYMLINK:
            path = f"{path_of(spot.folder)}/{spot.name}"
            _set_attributes(path, wanted.xattrs)
            os.chmod(path, wanted.mode)
        if wanted.type is not EntryType.DIRECTORY:
            times = (wanted.mtime, wanted.mtime)
            os.utime(spot.name, times, dir_fd=spot.folder, follow_symlinks=False)

    def sweep(self, folders: Iterable[str]) -> None:
        """Delete the drafts that a killed run left in some directories."""
        for folder in folders:
            for name in self.names(folder):
                if name.startswith(_DRAFT):
                    with suppress(OSError):
                        self.remove(f"{folder.rstrip('/')}/{name}")


def _attributes(path: str) -> Xattrs:
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return ()
    recorded = sorted(name for name in names if is_recorded(name))
    return tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in recorded)


def _set_attributes(path: str, wanted: Xattrs) -> None:
    found = dict(_attributes(path))
    for name in found.keys() - dict(wanted).keys():
        os.removexattr(path, name, follow_symlinks=False)
    for name, value in wanted:
        if found.get(name) != value:
            os.setxattr(path, name, value, follow_symlinks=False)
