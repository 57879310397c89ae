"""Write files: complete or not at all, durable, and never through a link that somebody planted.

New content goes to a draft beside its destination, with a name that nobody can foresee, and gets
the name of the destination once it is complete.  The draft is locked with flock(2) while it is
written: a draft that nobody locks is the leftover of a process that was killed, and the next
write to the same destination deletes it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_DRAFT = re.compile(r"\.envlock-[0-9a-f]{12}-[0-9a-f]{16}\Z")
_DESCRIPTOR = re.compile(r"/(?:dev|proc/(?:self|thread-self))/fd/([0-9]{1,9})\Z")
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1024 * 1024
_LINKS = 40
_HOLE = 64 * 1024
_ZEROS = bytes(_HOLE)


@contextmanager
def output(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream to the file that a user named, which is complete once the body ends.

    A link is followed, and the file that it leads to replaced.  What is no regular file (a pipe, a
    device, ``/dev/stdout``) is written to.  Raise OSError.
    """
    descriptor = _own_descriptor(path)
    if descriptor is not None:
        with open(os.dup(descriptor), "wb") as stream:
            yield stream
        return
    try:
        is_regular = stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        is_regular = True
    if is_regular:
        with replacing(Path(os.path.realpath(path))) as stream:
            yield stream
        return
    with open(_open_special(path), "wb") as stream:
        yield stream


@contextmanager
def replacing(path: Path, *, mode: int = 0o666, is_durable: bool = True) -> Iterator[BinaryIO]:
    """Yield a stream whose content replaces the file at `path` once the body ends.

    Nothing is left of it when the body raises.  An existing file keeps its mode and owner; a new
    one gets `mode`, less the umask.  Without `is_durable` a power failure may damage the content.
    Raise OSError.
    """
    sweep_drafts(path)
    draft = _draft_of(path)  # an interrupt at any moment from here on finds the name
    try:
        with open(draft, "wb", opener=lambda *_: _create(draft, mode)) as stream:
            _keep_owner(stream.fileno(), path)
            yield stream
            stream.flush()
            if is_durable:
                os.fsync(stream.fileno())
            _rename(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    if is_durable:
        sync_directory(path.parent)


@contextmanager
def new_directory(path: Path) -> Iterator[Path]:
    """Yield an empty directory that gets the name `path` once the body ends.

    Nothing may be at `path` then but an empty directory.  Nothing is left of the new one when the
    body raises.  Raise OSError.
    """
    sweep_drafts(path)
    draft = _draft_of(path)
    try:
        with closing_descriptor(_create(draft, None)):
            yield draft
            draft.rename(path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sync_directory(path.parent)


class ScratchDirectory:
    """A private directory below `parent`, which nobody else can name before it is there.

    The next one for the same `purpose` deletes what a killed process left.
    """

    def __init__(self, parent: Path, purpose: str) -> None:
        self._kind = parent / purpose
        self.path = _draft_of(self._kind)
        self._descriptor = -1

    def create(self) -> None:
        """Create it.  Raise OSError."""
        sweep_drafts(self._kind)
        self._descriptor = _create(self.path, None)
        self.path.chmod(0o700)

    def close(self) -> None:
        """Delete it, if it is there.  May be called twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file as `replacing` does.  Raise OSError."""
    with replacing(path) as stream:
        stream.write(content)


def replace_by_link(path: Path, source: Path) -> None:
    """Make `path` a hard link to the file `source`, in place of what is there.  Raise OSError."""
    draft = _draft_of(path)
    try:
        os.link(source, draft)
        draft.rename(path)
    finally:
        with suppress(FileNotFoundError):  # it stays where both were one file before
            draft.unlink()


def write_output(path: Path, content: bytes) -> None:
    """Write what a user asked for as `output` does.  Raise OSError."""
    with output(path) as stream:
        stream.write(content)


def sync_directory(path: Path) -> None:
    """Call fsync(2) on a directory, which makes its entries durable.  Raise OSError."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    with closing_descriptor(os.open(path, flags)) as descriptor:
        os.fsync(descriptor)


def sync_descriptor(folder: int) -> None:
    """Do the same for a directory that is open, with O_PATH too.  Raise OSError."""
    sync_directory(Path(f"/proc/self/fd/{folder}"))


def sweep_drafts(path: Path) -> None:
    """Delete the drafts for `path` that killed processes left beside it."""
    with suppress(OSError):
        beginning = _beginning(path)
        for name in os.listdir(path.parent):
            if name.startswith(beginning) and _DRAFT.match(name):
                _delete_abandoned(path.parent / name)


@contextmanager
def closing_descriptor(descriptor: int) -> Iterator[int]:
    """Close a descriptor at the end of the body."""
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_draft(name: str) -> bool:
    """True when a file of this name is a draft, of whatever destination."""
    return _DRAFT.match(name) is not None


def is_standard_output(path: Path) -> bool:
    """True when writing to `path` writes to standard output, under whatever name."""
    descriptor = _own_descriptor(path)
    if descriptor is not None:
        return descriptor == 1
    try:
        found, out = os.stat(path), os.fstat(1)
    except OSError:
        return False
    return os.path.samestat(found, out) and not stat.S_ISREG(out.st_mode)


def _beginning(path: Path) -> str:
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()
    return f".envlock-{digest[:12]}-"


def _draft_of(path: Path) -> Path:
    return path.with_name(_beginning(path) + secrets.token_hex(8))


def _create(draft: Path, mode: int | None) -> int:
    """Create a draft and lock it; return its descriptor.  Without `mode` it is a directory."""
    while True:
        if mode is None:
            draft.mkdir()
            descriptor = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        else:
            descriptor = os.open(draft, _NEW, mode)
        # Between its creation and its lock, another process may have taken it for abandoned; then
        # the lock is there once it is deleted.
        with suppress(OSError):  # a file system without locks: no draft is ever swept there
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.lstat(draft), os.fstat(descriptor)):
                return descriptor
        os.close(descriptor)


def _delete_abandoned(draft: Path) -> None:
    """Delete a draft unless a process has it locked."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with closing_descriptor(os.open(draft, flags)) as descriptor, suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # blocked: it is being written
        if not os.path.samestat(os.lstat(draft), os.fstat(descriptor)):
            return  # its owner found it deleted, and has made another of the same name
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            shutil.rmtree(draft, ignore_errors=True)
        else:
            draft.unlink()


def _keep_owner(descriptor: int, path: Path) -> None:
    """Give a draft the owner and mode of the file that it will replace."""
    with suppress(FileNotFoundError):
        before = os.stat(path, follow_symlinks=False)
        if stat.S_ISREG(before.st_mode):
            with suppress(PermissionError):
                os.fchown(descriptor, before.st_uid, before.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


def _rename(draft: Path, path: Path) -> None:
    try:
        draft.replace(path)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        # A file that is mounted alone, as containers do, can only be written to.
        flags = os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with draft.open("rb") as source, open(os.open(path, flags), "wb") as stream:
            shutil.copyfileobj(source, stream, _CHUNK)
            stream.flush()
            os.fsync(stream.fileno())
        draft.unlink()


def _own_descriptor(path: Path) -> int | None:
    """Return the descriptor of this process that a path such as ``/dev/stdout`` stands for."""
    name = os.path.abspath(path)
    for _ in range(_LINKS):
        if name in _STANDARD:
            return _STANDARD[name]
        name = name.replace(f"/proc/{os.getpid()}/fd/", "/proc/self/fd/", 1)
        if found := _DESCRIPTOR.match(name):
            return int(found[1])
        try:
            target = os.readlink(name)
        except OSError:
            return None
        name = os.path.normpath(os.path.join(os.path.dirname(name), target))
    return None


def _open_special(path: Path) -> int:
    """Open what is no regular file for writing.  Raise OSError for a directory."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):  # it was swapped for one just now
        os.close(descriptor)
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN), str(path))
    return descriptor


def write_with_holes(stream: BinaryIO, chunk: bytes | bytearray) -> None:
    """Write the next bytes of a new file; blocks of zeros become holes, which take no disk.

    Afterwards `end_with_holes` must be called.  Raise OSError.
    """
    start = 0
    for at in range(0, len(chunk) - _HOLE + 1, _HOLE):
        # Most blocks are told apart by two bytes.
        if not (chunk[at] or chunk[at + _HOLE - 1]) and chunk[at : at + _HOLE] == _ZEROS:
            if at > start:
                stream.write(chunk[start:at])
            stream.seek(_HOLE, os.SEEK_CUR)
            start = at + _HOLE
    stream.write(chunk[start:] if start else chunk)


def write_sparsely(stream: BinaryIO, chunks: Iterable[bytes]) -> None:
    """Write to any stream: with holes to an empty file, as they are to a pipe.  Raise OSError."""
    found = os.fstat(stream.fileno())
    is_appending = fcntl.fcntl(stream.fileno(), fcntl.F_GETFL) & os.O_APPEND
    if not stat.S_ISREG(found.st_mode) or found.st_size or is_appending:
        stream.writelines(chunks)
        return
    for chunk in chunks:
        write_with_holes(stream, chunk)
    end_with_holes(stream)


def copy_with_holes(source: BinaryIO, stream: BinaryIO) -> None:
    """Copy what is left of `source` into a new file as `write_with_holes` does.  Raise OSError."""
    while chunk := source.read(_CHUNK):
        write_with_holes(stream, chunk)
    end_with_holes(stream)


def end_with_holes(stream: BinaryIO) -> None:
    """Give a file its length, in case it ends in a hole.  Raise OSError."""
    stream.truncate()
