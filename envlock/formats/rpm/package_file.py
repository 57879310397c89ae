"""Files of rpm packages: where their header and payload are, and whether these are whole.

A package file is a lead of 96 bytes, a header of signatures padded to eight bytes, the header that
the database keeps too, and the payload: a compressed cpio archive.  Signing a package again changes
the first two only, so neither takes part in what it is known by.

Sources: the RPM file format (rpm's docs/manual/format_v4.md), rpmtag.h.
"""

from __future__ import annotations

import hashlib
import re
import struct
from typing import BinaryIO, NamedTuple

from envlock.formats.rpm.header import Header, Package, parse_package

LARGEST_HEADER = 64 << 20
"""The largest header of a package file that is read, in bytes."""

_LEAD = b"\xed\xab\xee\xdb"
_LEAD_SIZE = 96
_MAGIC = bytes.fromhex("8eade80100000000")
_INTRO = len(_MAGIC) + 8
_MOST_ENTRIES = 0xFFFF
_PAYLOAD_DIGEST, _DIGEST_ALGORITHM, _SHA256 = 5092, 5093, 8
_PAYLOAD_FORMAT, _LARGE_SIZES = 1124, 5008
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~:^_-]{0,250}")
_HEX = re.compile(r"[0-9a-f]{64}")


class Extent(NamedTuple):
    """Where the header of a package file starts and ends; the payload follows."""

    start: int
    end: int


def extent_of(beginning: bytes | bytearray) -> Extent | None:
    """Return where header and payload of a package file are; None when more of it is needed.

    Raise ValueError when it is no package of rpm, or its header is larger than `LARGEST_HEADER`.
    """
    if not beginning.startswith(_LEAD[: len(beginning)]):
        raise ValueError("it is no package of rpm")
    signatures = _end_of_header(beginning, _LEAD_SIZE)
    if signatures is None:
        return None
    start = _LEAD_SIZE + -(-(signatures - _LEAD_SIZE) // 8) * 8
    end = _end_of_header(beginning, start)
    return None if end is None or end > len(beginning) else Extent(start, end)


def _end_of_header(content: bytes | bytearray, start: int) -> int | None:
    intro = bytes(content[start : start + _INTRO])
    if intro[: len(_MAGIC)] != _MAGIC[: len(intro)]:
        raise ValueError("it has no header where one belongs")
    if len(intro) < _INTRO:
        return None
    count, size = struct.unpack(">2I", intro[len(_MAGIC) :])
    if count > _MOST_ENTRIES or size > LARGEST_HEADER:
        raise ValueError("its header is too large")
    return start + _INTRO + 16 * int(count) + int(size)


def read_package_header(stream: BinaryIO) -> Header:
    """Return the header of a package file, from a stream at its start.

    Raise ValueError when it is damaged or no package of rpm, EOFError when it ends early.
    """
    content = b""
    wanted = _LEAD_SIZE + _INTRO
    while True:
        piece = stream.read(wanted)
        content += piece
        extent = extent_of(content)
        if extent is not None:
            return Header(content[extent.start + len(_MAGIC) : extent.end])
        if not piece:
            raise EOFError("it ends in the middle of its header")
        wanted = max(wanted, len(content))


class PackageDigest:
    """Computes by what a package file is known, with the methods of the hashes of `hashlib`.

    That is the SHA-256 of its header, as the database of rpm states it.  The header states that of
    the payload; where it does not match, or the file is no package, the result is empty.
    """

    name = "rpm-header"

    def __init__(self) -> None:
        self._head = bytearray()
        self._payload = hashlib.sha256()
        self._header = b""
        self._is_package = True

    def update(self, piece: bytes | bytearray | memoryview, /) -> None:
        """Take the next bytes of the file."""
        if self._header:
            self._payload.update(piece)
        elif self._is_package:
            self._head += piece
            try:
                extent = extent_of(self._head)
            except ValueError:
                self._is_package = False
                self._head.clear()
                return
            if extent is not None:
                self._header = bytes(self._head[extent.start : extent.end])
                self._payload.update(self._head[extent.end :])
                self._head.clear()

    def hexdigest(self) -> str:
        """Return the digest in hex, empty for what is damaged or no package."""
        try:
            header = Header(self._header[len(_MAGIC) :])
            stated = _payload_digest(header)
        except ValueError:
            return ""
        is_whole = stated == self._payload.hexdigest()
        return hashlib.sha256(self._header).hexdigest() if is_whole else ""


def _payload_digest(header: Header) -> str:
    """Return the SHA-256 of the payload that a header states, in hex, empty without one."""
    stated = next(iter(header.texts(_PAYLOAD_DIGEST)), "")
    algorithm = next(iter(header.numbers(_DIGEST_ALGORITHM)), _SHA256)
    return stated if algorithm == _SHA256 and _HEX.fullmatch(stated) else ""


def is_recognisable(package: Package, header: Header, size: int) -> bool:
    """True when files of an installed package can be taken from its package file.

    `size` is that of the header in bytes.  The header must state both digests, and the payload be
    a cpio archive that names its files: one with a file of more than 4 GB does not, nor one of
    version 6 of the format.  Raise ValueError when the header is damaged.
    """
    words = (package.name, package.evr, package.arch)
    return (
        all(map(_PLAIN.fullmatch, words))
        and _HEX.fullmatch(package.sha256) is not None
        and bool(_payload_digest(header))
        and header.text(_PAYLOAD_FORMAT) in ("", "cpio")
        and not header.numbers(_LARGE_SIZES)
        and size <= LARGEST_HEADER
    )


def file_name(name: str, evr: str, arch: str) -> str:
    """Return the name that a package is published under; it has no epoch.

    >>> file_name("shop", "2:1.2.3-4", "x86_64")
    'shop-1.2.3-4.x86_64.rpm'
    """
    return f"{name}-{evr.rpartition(':')[2]}.{arch}.rpm"


def name_of_file(stream: BinaryIO) -> str:
    """Return the name that a package file was published under, from a stream at its start.

    Raise ValueError or EOFError when it is damaged or no package of rpm.
    """
    package = parse_package(read_package_header(stream))
    return file_name(package.name, package.evr, package.arch)
