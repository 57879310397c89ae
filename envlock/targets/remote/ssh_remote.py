"""The far side of an ssh capture: reads what it is asked for, writes nothing but its answers.

This file is sent to the other machine and run there by whatever Python >= 3.6 it has; it imports
the standard library only.  It ends when its input ends, or at the first answer that nobody takes.

A request is one JSON object behind its length (4 bytes, big-endian).  An answer is a sequence of
frames: a kind (1 byte), a length (4 bytes, big-endian), a payload.  Kinds: ``J`` a JSON value,
``D`` the next piece of a content, ``Z`` the same compressed by zlib; the JSON value ``null`` ends
an answer.  Names are UTF-8 with surrogateescape, whatever the locale.

Requests (``do``):

- ``list``: for each of ``paths`` its children: ``[path, errno, rows]``.  Children whose path is in
  ``skip`` are not even looked at.
- ``stat``: for each of ``paths``: ``[path, errno, row]``, a final link not followed.
- ``read``: for each ``[path, flags]`` of ``files`` its content, if asked for, then
  ``[path, errno, size, mtime_ns, ctime_ns, sha256, md5 or sha1]``.  No more than ``limit`` bytes.
- ``match``: for the globs in ``patterns``: ``[true]`` when there is too much of it, else
  ``[false]``; the folders they look into, as ``list``; the files they match, as ``read`` with
  content, and the paths without a wildcard that are not there.

A row is ``[name, mode, uid, gid, mtime_ns, ctime_ns, size, dev, ino, links, target, major, minor,
xattrs]``, numbers as lstat(2) gives them.
"""

import errno
import fnmatch
import hashlib
import json
import os
import stat
import struct
import sys
import zlib
from typing import Any, BinaryIO, Iterator  # noqa: UP035  collections.abc is no type in 3.6

SHA256, MD5, CONTENT, FOLLOW, SHA1 = 1, 2, 4, 8, 16
_CHUNK = 64 * 1024
_WORTH_PACKING = 1024
_MATCH_LIMIT = 100000
_ALIVE = 64 * 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Changed(Exception):
    """A file was another one at its end than at its beginning."""


class Sink:
    """Frames on a stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def frame(self, kind: bytes, payload: bytes) -> None:
        """Write one frame."""
        self._stream.write(kind + struct.pack(">I", len(payload)) + payload)

    def value(self, value: Any) -> None:
        """Write a JSON value; the file names in it stay what they are."""
        self.frame(b"J", json.dumps(value, separators=(",", ":")).encode("ascii"))

    def content(self, piece: bytes) -> None:
        """Write a piece of content, compressed where that is worth it."""
        if len(piece) >= _WORTH_PACKING:
            packed = zlib.compress(piece, 1)
            if len(packed) < len(piece) * 3 // 4:
                self.frame(b"Z", packed)
                return
        self.frame(b"D", piece)

    def flush(self) -> None:
        """Send what is written."""
        self._stream.flush()

    def ask_for_life(self) -> None:
        """Send a frame that says nothing, which fails when nobody listens any more."""
        self.frame(b"D", b"")
        self.flush()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _xattrs(path: bytes) -> "list[tuple[str, str]]":
    found = []
    try:
        for name in os.listxattr(path, follow_symlinks=False):
            if name == "security.capability" or name.startswith("user."):
                value = os.getxattr(path, name, follow_symlinks=False)
                found.append((name, value.hex()))
    except OSError:
        pass
    return sorted(found)


def row_of(path: bytes, name: str, status: os.stat_result) -> "list[Any]":
    """Return what is told of one path."""
    target, device, xattrs = "", [0, 0], []  # type: tuple[str, list[int], list[tuple[str, str]]]
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFLNK:
        try:
            target = _text(os.readlink(path))
        except OSError:
            target = ""
    elif kind in (stat.S_IFCHR, stat.S_IFBLK):
        device = [os.major(status.st_rdev), os.minor(status.st_rdev)]
    elif kind in (stat.S_IFREG, stat.S_IFDIR):
        xattrs = _xattrs(path)
    numbers = [status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns]
    numbers += [status.st_ctime_ns, status.st_size, status.st_dev, status.st_ino, status.st_nlink]
    return [name, *numbers, target, *device, xattrs]


def _list(request: "dict[str, Any]", sink: Sink) -> None:
    skip = frozenset(request.get("skip") or ())
    for path in request["paths"]:
        sink.value(_listing(path, skip))


def _listing(path: str, skip: "frozenset[str]" = frozenset()) -> "list[Any]":
    base = path.rstrip("/") + "/"
    rows = []
    try:
        for raw in os.listdir(_raw(path)):
            name = _text(raw)
            if base + name in skip:
                continue
            child = _raw(base) + raw
            try:
                rows.append(row_of(child, name, os.lstat(child)))
            except OSError:  # vanished since the folder was read
                continue
    except OSError as error:
        return [path, error.errno, []]
    return [path, 0, rows]


def _stat(request: "dict[str, Any]", sink: Sink) -> None:
    for path in request["paths"]:
        try:
            sink.value([path, 0, row_of(_raw(path), path, os.lstat(_raw(path)))])
        except OSError as error:
            sink.value([path, error.errno, None])


def _read(request: "dict[str, Any]", sink: Sink) -> None:
    for path, flags in request["files"]:
        _send(path, flags, request["limit"], sink)


def _send(path: str, flags: int, limit: int, sink: Sink) -> None:
    try:
        told = _pour(_raw(path), flags, limit, sink)
    except Changed:
        told = [errno.ESTALE, 0, 0, 0, "", ""]
    except OSError as error:
        told = [error.errno or errno.EIO, 0, 0, 0, "", ""]
    sink.value([path, *told])


def _pour(path: bytes, flags: int, limit: int, sink: Sink) -> "list[Any]":
    """Send the content if asked for; return what was read.  Raise OSError or Changed."""
    descriptor = _open(path, follow=bool(flags & FOLLOW))
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        before = os.fstat(descriptor)
        _check(before, limit)
        digests = [hashlib.sha256() if flags & SHA256 else None, _second(flags)]
        size = 0
        # The files of /proc/sys refuse to be read with a large buffer.
        for chunk in iter(lambda: stream.read(_CHUNK), b""):
            size += len(chunk)
            if size > limit:
                raise OSError(errno.EFBIG, "")
            for digest in filter(None, digests):
                digest.update(chunk)
            if flags & CONTENT:
                sink.content(chunk)
            elif size % _ALIVE < len(chunk):
                sink.ask_for_life()
        after = os.fstat(descriptor)
    # Sizes that the kernel's own files state mean nothing; those are never hashed.
    if flags & SHA256 and (size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Changed
    told = [0, size, after.st_mtime_ns, after.st_ctime_ns]
    return told + [digest.hexdigest() if digest else "" for digest in digests]


def _check(status: os.stat_result, limit: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, "")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "")
    if status.st_size > limit:
        raise OSError(errno.EFBIG, "")


def _open(path: bytes, follow: bool) -> int:
    flags = _FLAGS if follow else _FLAGS | os.O_NOFOLLOW
    try:
        return os.open(path, flags | os.O_NOATIME)
    except PermissionError:  # O_NOATIME is for owners only
        return os.open(path, flags)


def _second(flags: int) -> Any:
    if not flags & (MD5 | SHA1):
        return None
    make = hashlib.md5 if flags & MD5 else hashlib.sha1
    try:
        return make(usedforsecurity=False)
    except TypeError:  # before Python 3.9
        return make()


def _match(request: "dict[str, Any]", sink: Sink) -> None:
    listings = {}  # type: dict[str, list[Any]]
    found = {}  # type: dict[str, None]
    for pattern in request["patterns"]:
        for path in _expand("", [part for part in pattern.split("/") if part], listings):
            found[path] = None
            if len(found) >= _MATCH_LIMIT:
                break
    sink.value([max(len(found), len(listings)) >= _MATCH_LIMIT])
    for listing in listings.values():
        sink.value(listing)
    for path in sorted(found):
        _send(path, CONTENT | FOLLOW, request["limit"], sink)


def _expand(folder: str, parts: "list[str]", listings: "dict[str, list[Any]]") -> "Iterator[str]":
    """Yield the paths below `folder` that match; note every folder that was listed."""
    if not parts:
        yield folder
        return
    head, rest = parts[0], parts[1:]
    if "*" not in head and "?" not in head:
        yield from _expand(folder + "/" + head, rest, listings)
        return
    if folder not in listings:
        if len(listings) >= _MATCH_LIMIT:
            return
        listings[folder] = _listing(folder or "/")
    if head == "**" and rest:
        yield from _expand(folder, rest, listings)
    for row in sorted(listings[folder][2], key=lambda row: _raw(row[0])):
        child = folder + "/" + row[0]
        if stat.S_ISDIR(row[1]):
            below = parts if head == "**" else rest
            if below and _fits(row[0], head):
                yield from _expand(child, below, listings)
        elif _fits(row[0], head) and not (head == "**" and rest):
            yield from _expand(child, rest, listings)


def _fits(name: str, pattern: str) -> bool:
    return pattern == "**" or fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


_DO = {"list": _list, "stat": _stat, "read": _read, "match": _match}


def serve(source: BinaryIO, stream: BinaryIO) -> None:
    """Say who we are and answer requests until there are no more."""
    sink = Sink(stream)
    environ = [[_text(name), _text(value)] for name, value in sorted(os.environb.items())]
    sink.value({"uid": os.geteuid(), "environ": environ})
    sink.flush()
    while True:
        head = source.read(4)
        if len(head) < 4:
            return
        request = json.loads(source.read(struct.unpack(">I", head)[0]).decode("ascii"))
        _DO[request["do"]](request, sink)
        sink.value(None)
        sink.flush()


def main() -> None:
    """Serve standard input; end in silence when nobody takes the answers."""
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except (BrokenPipeError, KeyboardInterrupt, MemoryError):
        os._exit(1)


if __name__ == "__main__":
    main()
