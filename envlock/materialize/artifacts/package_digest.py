"""By what packages are known whose files have no recorded digest: what they say of themselves.

A package of Arch has a member ``.MTREE`` with the digest of every other member, and pacman keeps it
as it is among what is installed.

A package of Alpine is gzip in several members: signatures, control, and the files.  The control
states the digest of the files; the database of apk states that of the control.

Sources: makepkg(8), mtree(5), libalpm's add.c; apk-package(5), the format of version 2.
"""

from __future__ import annotations

import hashlib
import lzma
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping

import zstandard

from envlock.errors import TargetError
from envlock.formats.pacman import LARGEST_MTREE, decompress_mtree, parse_mtree
from envlock.materialize.artifacts.decompress import decompress_any
from envlock.model.tree import EntryType
from envlock.targets.stream.tar_reader import members

PACMAN = "pacman-mtree"
"""The SHA-256 of ``.MTREE``."""

APK = "apk-control"
"""The SHA-1 of the control of a package of Alpine, compressed as it is."""
LARGEST_CONTROL = 16 << 20
"""The largest control or signature of a package of Alpine, in bytes, compressed or not."""

_MOST_SIGNATURES = 16
_DATAHASH = re.compile(rb"^datahash = ([0-9a-f]{64})$", re.MULTILINE)

DAMAGE = (
    EOFError,
    ValueError,
    OverflowError,
    RecursionError,
    TargetError,
    lzma.LZMAError,
    tarfile.TarError,
    zlib.error,
    zstandard.ZstdError,
)


def mtree_digest(pieces: Iterable[bytes]) -> str:
    """Return the SHA-256 in hex of the ``.MTREE`` of a package of Arch, given its bytes.

    Empty for what is none, for a damaged one, and where a member is not what ``.MTREE`` states.
    """
    try:
        return _mtree_digest(pieces)
    except DAMAGE:
        return ""
    except OSError as error:
        if error.errno:
            raise
        return ""  # bz2 calls damage that


def _mtree_digest(pieces: Iterable[bytes]) -> str:
    mtree, found = b"", dict[str, str]()
    for entry, chunks in members(decompress_any(pieces)):
        if not (mtree or found or entry.path.startswith("/.")):
            return ""  # what a package says of itself comes first
        if entry.path == "/.MTREE":
            if entry.size > LARGEST_MTREE:
                return ""
            mtree = b"".join(chunks)
        elif entry.type is EntryType.FILE:
            digest = hashlib.sha256()
            for chunk in chunks:
                digest.update(chunk)
            found[entry.path] = f"sha256:{digest.hexdigest()}"
        elif entry.type is EntryType.HARDLINK:
            found[entry.path] = found.get(entry.target, "")
    files = parse_mtree(decompress_mtree(mtree), of_package=True)
    stated = {file.path: file.digest for file in files if file.kind == "file"}
    return hashlib.sha256(mtree).hexdigest() if stated == found else ""


def control_digest(pieces: Iterable[bytes]) -> str:
    """Return the SHA-1 in hex of the control of a package of Alpine, given its bytes.

    Empty for what is none, for a damaged one, and where the files are not what the control states.
    """
    try:
        return _control_digest(iter(pieces))
    except DAMAGE:
        return ""


def _control_digest(pieces: Iterator[bytes]) -> str:
    rest = b""
    for _ in range(_MOST_SIGNATURES + 1):
        raw, content, rest = _gzip_member(rest, pieces)
        name, info = _first_and_info(content)
        if not name.startswith("/.SIGN."):
            break
    stated = _DATAHASH.search(info)
    files = hashlib.sha256(rest)
    for piece in pieces:
        files.update(piece)
    is_whole = stated is not None and stated[1].decode() == files.hexdigest()
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest() if is_whole else ""


def _gzip_member(rest: bytes, pieces: Iterator[bytes]) -> tuple[bytes, bytes, bytes]:
    """Return a member of gzip as it is, its content, and what was read beyond it.

    Raise ValueError for a large one, EOFError where it ends early.
    """
    unpacker = zlib.decompressobj(wbits=31)
    raw, content = bytearray(), bytearray()
    while not unpacker.eof:
        piece = rest or next(pieces, b"")
        if not piece:
            raise EOFError("it ends in the middle of its control")
        rest = b""
        content += unpacker.decompress(piece, LARGEST_CONTROL + 1 - len(content))
        raw += piece[: len(piece) - len(unpacker.unused_data)]
        if len(content) > LARGEST_CONTROL or len(raw) > LARGEST_CONTROL:
            raise ValueError("its control is too large")
    return bytes(raw), bytes(content), unpacker.unused_data


def _first_and_info(content: bytes) -> tuple[str, bytes]:
    """Return the name of the first member of a tar, and its ``.PKGINFO`` if it has one.

    The tar has no end, as other members of gzip go on with it.
    """
    first = ""
    for entry, chunks in members([content, bytes(1024)]):
        first = first or entry.path
        if entry.path == "/.PKGINFO":
            return first, b"".join(chunks)
    return first, b""


DIGESTS: Mapping[str, Callable[[Iterable[bytes]], str]] = {
    PACMAN: mtree_digest,
    APK: control_digest,
}
"""Name of an algorithm -> function that returns the digest of the bytes of a file."""
