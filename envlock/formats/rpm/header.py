"""Package headers of rpm: the package, its signatures, and the metadata of its files.

Sources: the RPM file format (rpm's docs/manual/format_v4.md and hdr-format), rpmtag.h for the
numbers of tags, rpmfiles.h for flags, and RFC 9580 for the signatures.
"""

from __future__ import annotations

import hashlib
import struct
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import compress
from typing import NamedTuple, TypeVar

_T = TypeVar("_T")

_MAGIC = bytes.fromhex("8eade80100000000")
_IMMUTABLE = 63
_MAX_ENTRIES = 0xFFFF
_MAX_DATA = 256 * 1024 * 1024
_NUMBERS: Mapping[int, str] = {1: "B", 2: "B", 3: "H", 4: "I", 5: "Q"}
_TEXT_KINDS, _BINARY = frozenset({6, 8, 9}), 7

_NAME, _VERSION, _RELEASE, _EPOCH = 1000, 1001, 1002, 1003
_VENDOR, _ARCH, _SOURCE = 1011, 1022, 1044
_PROVIDES, _MODULE = 1047, 5096
_PROVIDE_TAGS, _REQUIRE_TAGS = (1047, 1112, 1113), (1049, 1048, 1050)
"""Names, flags and versions."""
_SENSE: Mapping[int, str] = {2: "<", 4: ">", 8: "=", 10: "<=", 12: ">="}
_RPMLIB = 1 << 24
_SHA1_HEADER, _SHA256_HEADER, _OPENPGP = 269, 273, 278
_SIGNATURES = (268, 267, 259, 262)
_DIRECTORY_INDEXES, _BASENAMES, _DIRECTORIES, _OLD_NAMES = 1116, 1117, 1118, 1027
_STATES, _MODES, _DIGESTS, _LINKS, _FLAGS = 1029, 1030, 1035, 1036, 1037
_USERS, _GROUPS, _VERIFY, _CAPABILITIES, _ALGORITHM = 1039, 1040, 1045, 5010, 5011

_HASHES: Mapping[int, str] = {1: "md5", 2: "sha1", 8: "sha256"}
"""OpenPGP number of a hash -> name, of the hashes that a capture computes."""

CONFIG, GHOST = 1 << 0, 1 << 6
MISSING_OK = 1 << 3
VERIFY_DIGEST, VERIFY_LINK, VERIFY_USER, VERIFY_GROUP = 1 << 0, 1 << 2, 1 << 3, 1 << 4
VERIFY_MODE, VERIFY_CAPABILITIES = 1 << 6, 1 << 8
_ALL = 0xFFFFFFFF
_NORMAL = 0
"""State of a file that rpm installed."""


class Header:
    """The tags of one package, decoded on access.

    The constructor and all methods raise ValueError for a malformed header.
    """

    def __init__(self, blob: bytes) -> None:
        if len(blob) < 8:
            raise ValueError("truncated header")
        count, size = struct.unpack_from(">2I", blob)
        start = 8 + 16 * count
        if count > _MAX_ENTRIES or size > _MAX_DATA or start + size > len(blob):
            raise ValueError("truncated header")
        self._blob, self._start, self._end = blob, start, start + size
        # Tags added at installation follow the signed ones and override them.
        self._entries = {
            tag: (kind, offset, number)
            for tag, kind, offset, number in struct.iter_unpack(">4I", blob[8:start])
        }

    @property
    def size(self) -> int:
        """Return its size in bytes."""
        return int(self._end)

    def check_digest(self) -> None:
        """Raise ValueError when the signed part has another digest than the header states.

        That part is a region of tags and data at the beginning; a public key has none.
        """
        region, offset, _ = self._entries.get(_IMMUTABLE, (0, 0, 0))
        if not region or not {_SHA256_HEADER, _SHA1_HEADER} & self._entries.keys():
            return
        stated = self.text(_SHA256_HEADER) or self.text(_SHA1_HEADER)
        trailer = self._blob[self._start + offset : self._start + offset + 16]
        size = -int.from_bytes(trailer[8:12], "big", signed=True)
        head = _MAGIC + struct.pack(">2I", max(0, size) // 16, offset + len(trailer))
        data = self._blob[self._start : self._start + offset + 16]
        signed = head + self._blob[8 : 8 + max(0, size)] + data
        name = "sha256" if len(stated) == 64 else "sha1"
        if hashlib.new(name, signed, usedforsecurity=False).hexdigest() != stated:
            raise ValueError(f"{self.text(_NAME)} does not match its digest")

    def text(self, tag: int) -> str:
        """Return the first text of a tag, empty when it is missing."""
        _, offset, count = self._entry(tag, _TEXT_KINDS)
        if not count:
            return ""
        end = self._blob.find(b"\0", self._start + offset, self._end)
        if end < 0:
            raise ValueError(f"tag {tag} is truncated")
        return self._blob[self._start + offset : end].decode("utf-8", "surrogateescape")

    def texts(self, tag: int) -> list[str]:
        """Return the texts of a tag, none when it is missing."""
        _, offset, count = self._entry(tag, _TEXT_KINDS)
        if not count:
            return []
        content = self._blob[self._start + offset : self._end]
        *_, rest = found = content.split(b"\0", count)
        if len(found) <= count:
            raise ValueError(f"tag {tag} is truncated")
        text = content[: len(content) - len(rest) - 1]
        return text.decode("utf-8", "surrogateescape").split("\0")

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the numbers of a tag, unsigned, none when it is missing."""
        kind, offset, count = self._entry(tag, _NUMBERS)
        form = _NUMBERS.get(kind, "B")
        if offset + count * struct.calcsize(form) > self._end - self._start:
            raise ValueError(f"tag {tag} is truncated")
        return struct.unpack_from(f">{count}{form}", self._blob, self._start + offset)

    def binary(self, tag: int) -> bytes:
        """Return the bytes of a tag, none when it is missing."""
        _, offset, count = self._entry(tag, (_BINARY,))
        return self._blob[self._start + offset : self._start + offset + count]

    def contains(self, tag: int, word: str) -> bool:
        """True when a text of a tag begins with `word`."""
        _, offset, count = self._entry(tag, _TEXT_KINDS)
        if not count or self._blob.find(word.encode(), self._start + offset, self._end) < 0:
            return False
        return any(text.startswith(word) for text in self.texts(tag))

    def _entry(self, tag: int, kinds: Container[int]) -> tuple[int, int, int]:
        """Return type, offset and count of a tag, all zero when it is missing."""
        entry = self._entries.get(tag)
        if entry is None:
            return (0, 0, 0)
        kind, offset, count = entry
        if kind not in kinds:
            raise ValueError(f"tag {tag} has an unexpected type")
        if offset + count > self._end - self._start:
            raise ValueError(f"tag {tag} is truncated")
        return entry


class Package(NamedTuple):
    """An installed package.

    `evr` is ``[epoch:]version-release``.  `sha256` and `sha1` are of the signed header, in hex;
    `signers` are the ids of the signing keys.  `is_multiple`: several versions may be installed at
    once (kernels, public keys).
    """

    name: str
    evr: str
    arch: str
    vendor: str
    source: str
    source_version: str
    module: str
    sha256: str
    sha1: str
    signers: tuple[str, ...]
    is_multiple: bool

    @property
    def label(self) -> str:
        """``name.arch``, as dnf writes it."""
        return f"{self.name}.{self.arch}" if self.arch else self.name

    @property
    def nevra(self) -> str:
        """``name-[epoch:]version-release.arch``: no two packages share it."""
        return f"{self.name}-{self.evr}.{self.arch}" if self.arch else f"{self.name}-{self.evr}"


def parse_package(header: Header) -> Package:
    """Return the package of a header.  Raise ValueError when it has no name or version."""
    name, version, release = map(header.text, (_NAME, _VERSION, _RELEASE))
    if not (name and version and release):
        raise ValueError("header without name and version")
    epoch = header.numbers(_EPOCH)
    is_key = name == "gpg-pubkey"
    source, source_version = split_source(header.text(_SOURCE))
    return Package(
        name=name,
        evr=f"{f'{epoch[0]}:' if epoch and epoch[0] else ''}{version}-{release}",
        arch="" if is_key else header.text(_ARCH),
        vendor=header.text(_VENDOR),
        source=source,
        source_version=source_version,
        module=header.text(_MODULE),
        sha256=header.text(_SHA256_HEADER),
        sha1=header.text(_SHA1_HEADER),
        signers=tuple(sorted(set(_signers(header)))),
        is_multiple=is_key or _is_multiple(header, name),
    )


def split_source(file: str) -> tuple[str, str]:
    """Return name and version-release of a source package, given the name of its file.

    >>> split_source("shop-suite-2.0-3.el9.src.rpm")
    ('shop-suite', '2.0-3.el9')
    """
    rest, _, release = file.removesuffix(".rpm").rpartition("-")
    name, _, version = rest.rpartition("-")
    return name, f"{version}-{release.rpartition('.')[0]}" if name else ""


def _is_multiple(header: Header, name: str) -> bool:
    """True for what dnf and zypper keep in several versions (dnf.conf(5), installonlypkgs)."""
    return name == "kernel" or any(
        header.contains(_PROVIDES, word) for word in ("installonlypkg(", "multiversion(")
    )


def _signers(header: Header) -> Iterator[str]:
    for tag in _SIGNATURES:
        signer = parse_signer(header.binary(tag))
        if signer:
            yield signer
    for text in header.texts(_OPENPGP):
        try:
            signer = parse_signer(b64decode(text))
        except (Base64Error, ValueError):
            continue
        if signer:
            yield signer


def parse_signer(packet: bytes) -> str:
    """Return the key id of an OpenPGP signature, 16 hex digits, or empty."""
    body = _packet_body(packet)
    if body[:1] == b"\3" and len(body) >= 15:
        return body[7:15].hex()
    if body[:1] not in (b"\4", b"\6"):
        return ""
    width = 2 if body[:1] == b"\4" else 4
    start = 4
    for _ in range(2):  # hashed subpackets, then unhashed ones
        size = int.from_bytes(body[start : start + width], "big")
        found = _issuer(body[start + width : start + width + size])
        if found:
            return found
        start += width + size
    return ""


def _packet_body(packet: bytes) -> bytes:
    """Return the body of a signature packet, in old or new format; empty for other packets."""
    if len(packet) < 4 or not packet[0] & 0x80:
        return b""
    if packet[0] & 0x40:
        kind, first = packet[0] & 0x3F, packet[1]
        start = 2 if first < 192 else 3 if first < 224 else 6
    else:
        kind = packet[0] >> 2 & 0x0F
        start = (2, 3, 5, 1)[packet[0] & 3]
    return packet[start:] if kind == 2 else b""


def _issuer(area: bytes) -> str:
    """Return the key id in an area of subpackets: from the issuer or the issuer fingerprint."""
    at = 0
    while at < len(area):
        size, at = area[at], at + 1
        if size >= 192:
            wide = size == 255
            size = int.from_bytes(area[at : at + 4], "big") if wide else (size - 192 << 8) + 192
            size += 0 if wide or at >= len(area) else area[at]
            at += 4 if wide else 1
        content = area[at : at + size]
        if content[:1] == b"\x10" and len(content) == 9:
            return content[1:].hex()
        if content[:1] == b"\x21" and len(content) >= 22:
            key = content[2:]
            return (key[-8:] if content[1] == 4 else key[:8]).hex()
        at += size
    return ""


class File(NamedTuple):
    """The metadata of a packaged file.

    `digest` is ``sha256:<hex>``, ``sha1:`` or ``md5:``, empty where there is none.  `mode` holds
    the type as in stat(2).  `flags` and `verify` are bit sets of rpm.  `capability` is
    text for cap_from_text(3).
    """

    directory: str
    name: str
    digest: str
    mode: int
    link: str
    user: str
    group: str
    flags: int
    verify: int
    capability: str


def parse_files(header: Header) -> list[File]:
    """Return the files of a package that are installed.

    Files that rpm skipped at installation (documentation, other languages) or that another package
    has replaced are left out.
    """
    names, directories = _paths(header)
    count = len(names)
    algorithm = _HASHES.get(next(iter(header.numbers(_ALGORITHM)), 1), "")
    digests = _filled(header.texts(_DIGESTS), count, "")
    columns = zip(
        directories,
        names,
        [f"{algorithm}:{digest}" if digest and algorithm else "" for digest in digests],
        _filled(header.numbers(_MODES), count, 0),
        _filled(header.texts(_LINKS), count, ""),
        _filled(header.texts(_USERS), count, ""),
        _filled(header.texts(_GROUPS), count, ""),
        _filled(header.numbers(_FLAGS), count, 0),
        _filled(header.numbers(_VERIFY), count, _ALL),
        _filled(header.texts(_CAPABILITIES), count, ""),
        strict=True,
    )
    states = _filled(header.numbers(_STATES), count, 0)
    return list(compress(map(File._make, columns), map(_NORMAL.__eq__, states)))


def _paths(header: Header) -> tuple[list[str], list[str]]:
    """Return the file names, and for each its directory with a final slash."""
    names = header.texts(_BASENAMES)
    if not names:  # rpm 3 and older
        old = [name.rpartition("/") for name in header.texts(_OLD_NAMES)]
        return [name for *_, name in old], [f"{folder}/" for folder, *_ in old]
    folders, indexes = header.texts(_DIRECTORIES), header.numbers(_DIRECTORY_INDEXES)
    if len(indexes) != len(names) or max(indexes) >= len(folders):
        raise ValueError("files without directories")
    return names, [folders[index] for index in indexes]


def _filled(column: Sequence[_T], count: int, default: _T) -> Sequence[_T]:
    """Return a column of `count` values, the default for each when the column is missing."""
    if not column:
        return [default] * count
    if len(column) != count:
        raise ValueError("lists of files differ in length")
    return column


def parse_requires(header: Header) -> list[tuple[str, str, str]]:
    """Return name, operator and version of each requirement, those on rpm itself left out."""
    return _relations(header, *_REQUIRE_TAGS)


def parse_provides(header: Header) -> list[tuple[str, str, str]]:
    """Return name, operator and version of each thing that a package provides."""
    return _relations(header, *_PROVIDE_TAGS)


def _relations(header: Header, names: int, flags: int, versions: int) -> list[tuple[str, str, str]]:
    named = header.texts(names)
    columns = zip(
        named,
        _filled(header.numbers(flags), len(named), 0),
        _filled(header.texts(versions), len(named), ""),
        strict=True,
    )
    return [
        (name, _SENSE.get(flag & 14, ""), version)
        for name, flag, version in columns
        if not flag & _RPMLIB
    ]
