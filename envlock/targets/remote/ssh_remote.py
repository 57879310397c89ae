"""The remote program of an ssh capture: reads files on request, and writes only its replies.

This file is sent to the other machine and run there by any Python >= 3.6; it imports the standard
library only.  It ends when its input ends, or when nobody takes a reply.

A request is one JSON object after its length (4 bytes, big-endian).  A reply is a sequence of
frames: a kind (1 byte), a length (4 bytes, big-endian), a payload.  Kinds: ``J`` a JSON value,
``D`` the next piece of a file's content, ``Z`` the same compressed by zlib; the JSON value ``null``
ends a reply.  Names are UTF-8 with surrogateescape, whatever the locale.

Requests (``do``):

- ``list``: for each of ``paths`` its children: ``[path, errno, rows]``.  Children whose path is in
  ``skip`` are not touched.
- ``stat``: for each of ``paths``: ``[path, errno, row]``, a final link not followed.
- ``read``: for each ``[path, flags]`` of ``files`` its content if flagged, then
  ``[path, errno, size, mtime_ns, ctime_ns, sha256, md5 or sha1]``.  At most ``limit`` bytes a file.
- ``pieces``: for each ``[path, [[offset, size], ...]]`` of ``files`` these pieces, then
  ``[path, errno, sizes]``.  A piece is shorter at the end of the file, and has at most 64 KiB.
- ``match``: for the globs in ``patterns``: ``[true]`` when they match too much, else ``[false]``;
  the directories that were listed, as ``list``; then, as ``read`` with content, the files that
  match and the paths without a wildcard that do not exist.

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
# As in envlock.targets.attributes, which says why.
PREFIXES = ("security.", "system.posix_acl_", "trusted.", "user.")
LEFT_OUT = (
    "security.SMACK64", "security.apparmor", "security.evm", "security.ima", "security.selinux",
    "trusted.SGI_", "trusted.glusterfs.", "trusted.gfid", "trusted.overlay.", "user.overlay.",
)  # fmt: skip
_CHUNK = 64 * 1024
_COMPRESSED_FROM = 1024
_MATCH_LIMIT = 100000
PIECE_LIMIT = 64 * 1024
_CHECK_EVERY = 64 * 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Changed(Exception):
    """The file changed while it was read."""


class Sink:
    """Writes frames to a stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def frame(self, kind: bytes, payload: bytes) -> None:
        """Write one frame."""
        self._stream.write(kind + struct.pack(">I", len(payload)) + payload)

    def value(self, value: Any) -> None:
        """Write a JSON value; ASCII escapes keep file names of any bytes."""
        self.frame(b"J", json.dumps(value, separators=(",", ":")).encode("ascii"))

    def content(self, piece: bytes) -> None:
        """Write a piece of content, compressed where that saves a quarter."""
        if len(piece) >= _COMPRESSED_FROM:
            packed = zlib.compress(piece, 1)
            if len(packed) < len(piece) * 3 // 4:
                self.frame(b"Z", packed)
                return
        self.frame(b"D", piece)

    def flush(self) -> None:
        """Send everything that was written."""
        self._stream.flush()

    def check_reader(self) -> None:
        """Send an empty frame, which fails when nobody reads any more."""
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
            if name.startswith(PREFIXES) and not name.startswith(LEFT_OUT):
                value = os.getxattr(path, name, follow_symlinks=False)
                found.append((name, value.hex()))
    except OSError:
        pass
    return sorted(found)


def row_of(path: bytes, name: str, status: os.stat_result) -> "list[Any]":
    """Return the row of one path."""
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
            except OSError:  # vanished since the directory was read
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
        result = _read_file(_raw(path), flags, limit, sink)
    except Changed:
        result = [errno.ESTALE, 0, 0, 0, "", ""]
    except OSError as error:
        result = [error.errno or errno.EIO, 0, 0, 0, "", ""]
    sink.value([path, *result])


def _read_file(path: bytes, flags: int, limit: int, sink: Sink) -> "list[Any]":
    """Send the content if flagged; return the rest of the reply.  Raise OSError or Changed."""
    descriptor = _open(path, follow=bool(flags & FOLLOW))
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        before = os.fstat(descriptor)
        _check(before, limit)
        digests = [hashlib.sha256() if flags & SHA256 else None, _second_digest(flags)]
        size = 0
        # Files in /proc/sys cannot be read with a large buffer.
        for chunk in iter(lambda: stream.read(_CHUNK), b""):
            size += len(chunk)
            if size > limit:
                raise OSError(errno.EFBIG, "")
            if flags & SHA256 and size > before.st_size:  # it may grow for ever
                raise Changed
            for digest in filter(None, digests):
                digest.update(chunk)
            if flags & CONTENT:
                sink.content(chunk)
            elif size % _CHECK_EVERY < len(chunk):
                sink.check_reader()
        after = os.fstat(descriptor)
    # The sizes of files in /proc mean nothing; those are never hashed.
    if flags & SHA256 and (size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Changed
    result = [0, size, after.st_mtime_ns, after.st_ctime_ns]
    return result + [digest.hexdigest() if digest else "" for digest in digests]


def _pieces(request: "dict[str, Any]", sink: Sink) -> None:
    for path, wanted in request["files"]:
        code, sizes = 0, []
        try:
            for piece in _read_pieces(_raw(path), wanted):
                sink.content(piece)
                sizes.append(len(piece))
        except OSError as error:
            code = error.errno or errno.EIO
        sink.value([path, code, sizes])


def _read_pieces(path: bytes, wanted: "list[list[int]]") -> "Iterator[bytes]":
    descriptor = _open(path, follow=True)
    try:
        status = os.fstat(descriptor)
        _check(status, status.st_size)
        for offset, size in wanted:
            yield os.pread(descriptor, min(size, PIECE_LIMIT), offset)
    finally:
        os.close(descriptor)


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


def _second_digest(flags: int) -> Any:
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


def _expand(
    directory: str, parts: "list[str]", listings: "dict[str, list[Any]]"
) -> "Iterator[str]":
    """Yield the paths below `directory` that match; add each directory listed to `listings`."""
    if not parts:
        yield directory
        return
    head, rest = parts[0], parts[1:]
    if "*" not in head and "?" not in head:
        yield from _expand(directory + "/" + head, rest, listings)
        return
    if directory not in listings:
        if len(listings) >= _MATCH_LIMIT:
            return
        listings[directory] = _listing(directory or "/")
    if head == "**" and rest:
        yield from _expand(directory, rest, listings)
    for row in sorted(listings[directory][2], key=lambda row: _raw(row[0])):
        child = directory + "/" + row[0]
        if stat.S_ISDIR(row[1]) or (rest and head != "**" and _leads_to_directory(child, row)):
            below = parts if head == "**" else rest
            if below and _matches(row[0], head):
                yield from _expand(child, below, listings)
        elif _matches(row[0], head) and not (head == "**" and rest):
            yield from _expand(child, rest, listings)


def _leads_to_directory(path: str, row: "list[Any]") -> bool:
    return stat.S_ISLNK(row[1]) and os.path.isdir(_raw(path))


def _matches(name: str, pattern: str) -> bool:
    return pattern == "**" or fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


_DO = {"list": _list, "stat": _stat, "read": _read, "pieces": _pieces, "match": _match}


def _environ() -> "dict[bytes, bytes]":
    """Return the environment as the kernel has it, without what Python sets at its start."""
    try:
        with open("/proc/self/environ", "rb") as file:
            pairs = file.read().split(b"\0")
    except OSError:
        return dict(os.environb)
    return {name: value for name, sign, value in (p.partition(b"=") for p in pairs) if sign}


def serve(source: BinaryIO, stream: BinaryIO) -> None:
    """Send a greeting, then reply to requests until the input ends."""
    sink = Sink(stream)
    environ = [[_text(name), _text(value)] for name, value in sorted(_environ().items())]
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
    """Serve standard input; end without a message when nobody takes the replies."""
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except (BrokenPipeError, KeyboardInterrupt, MemoryError):
        os._exit(1)


if __name__ == "__main__":
    main()
