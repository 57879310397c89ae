"""What a package file is by its content: the name that it was published under.

A package file may have any name: downloads are renamed, and caches name files by digests.  Sources:
deb(5), deb-control(5), the RPM file format, the binary distribution format of Python (PEP 427).
"""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from email.parser import HeaderParser
from pathlib import Path
from typing import BinaryIO, cast

from envlock.formats.binary.zip_archive import DAMAGE, open_archive, read_member
from envlock.formats.rpm.package_file import name_of_file
from envlock.formats.ruby import parse_metadata
from envlock.reading import HeaderReader, open_file

CONTROL_LIMIT = 16 << 20
"""How much of a decompressed control.tar is read, in bytes; the control file comes early."""
METADATA_LIMIT = 4 << 20
"""The largest control file, WHEEL or METADATA that is read, in bytes."""

_RPM = b"\xed\xab\xee\xdb"
_AR = b"!<arch>\n"
_ZIP = b"PK\x03\x04"
_HEADER_SIZE = 60
_MOST_PARTS = 16
_PACKED_LIMIT = 16 << 20
_MEMORY = 64 << 20


def published_name(path: Path) -> str:
    """Return the file name that a package of Debian, rpm or RubyGems, or a wheel, had at first.

    Nothing for other files and damaged ones.  Raise OSError.
    """
    with io.BufferedReader(open_file(path)) as stream:
        return name_of_package(stream)


def name_of_package(stream: BinaryIO) -> str:
    """Return the same for a stream that can seek and is at its start."""
    magic = stream.read(8)
    stream.seek(0)
    if magic == _AR:
        with suppress(tarfile.TarError, *_BROKEN):
            return _name_of_deb(stream)
    if magic.startswith(_RPM):
        with suppress(*_BROKEN):
            return name_of_file(stream)
    if _is_tar(stream):
        with suppress(tarfile.TarError, *_BROKEN):
            return _name_of_gem(stream)
    if magic.startswith(_ZIP):
        with suppress(*DAMAGE, KeyError, OSError):
            return _name_of_wheel(stream)
    return ""


_BROKEN = (
    ValueError,
    EOFError,
    KeyError,
    OverflowError,
    RecursionError,
    OSError,  # bz2 calls damage that
    lzma.LZMAError,
    zlib.error,
)


def _name_of_deb(stream: BinaryIO) -> str:
    fields = HeaderParser().parsestr(_control_of(stream).decode("utf-8", "replace"))
    name, version, arch = fields["Package"], fields["Version"], fields["Architecture"]
    return f"{name}_{version.replace(':', '%3a')}_{arch}.deb" if name and version and arch else ""


def _control_of(stream: BinaryIO) -> bytes:
    """Return the control file of a Debian package."""
    stream.seek(len(_AR))
    for _ in range(_MOST_PARTS):
        header = stream.read(_HEADER_SIZE)
        if len(header) < _HEADER_SIZE:
            break
        name = header[:16].decode("ascii", "replace").strip().rstrip("/")
        size = int(header[48:58])
        if size < 0:
            raise ValueError(f"a member of {size} bytes")
        if name.startswith("control.tar"):
            packed = stream.read(min(size, _PACKED_LIMIT))
            return _file_of_tar(_unpacked(name.removeprefix("control.tar"), packed), "control")
        stream.seek(size + size % 2, io.SEEK_CUR)
    raise EOFError("it has no control.tar")


def _unpacked(suffix: str, packed: bytes) -> bytes:
    """Return at most `CONTROL_LIMIT` bytes of what `packed` becomes."""
    match suffix:
        case "":
            return packed[:CONTROL_LIMIT]
        case ".gz":
            return zlib.decompressobj(wbits=31).decompress(packed, CONTROL_LIMIT)
        case ".xz":
            return lzma.LZMADecompressor(memlimit=_MEMORY).decompress(packed, CONTROL_LIMIT)
        case ".bz2":
            return bz2.BZ2Decompressor().decompress(packed, CONTROL_LIMIT)
        case ".zst":
            return _unpacked_zstd(packed)
        case _:
            raise ValueError(f"unknown compression control.tar{suffix}")


def _unpacked_zstd(packed: bytes) -> bytes:
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=_MEMORY)
    try:
        return unpacker.stream_reader(packed).read(CONTROL_LIMIT)
    except zstandard.ZstdError as error:
        raise ValueError("damaged") from error


def _file_of_tar(content: bytes, wanted: str) -> bytes:
    """Return a file of a tar that may be cut after it."""
    with (
        HeaderReader(io.BytesIO(content)) as headers,
        tarfile.open(fileobj=headers, mode="r:") as archive,
    ):
        for info in archive:
            if info.isreg() and info.name.removeprefix("./") == wanted:
                if info.size > METADATA_LIMIT:
                    break
                return content[info.offset_data : info.offset_data + info.size]
    raise EOFError(f"it has no {wanted}")


def _is_tar(stream: BinaryIO) -> bool:
    head = stream.read(262)
    stream.seek(0)
    return head[257:] == b"ustar"


def _name_of_gem(stream: BinaryIO) -> str:
    """Return the name of a package of RubyGems, empty for another tar."""
    with (
        HeaderReader(cast("io.RawIOBase", stream)) as headers,
        tarfile.open(fileobj=headers, mode="r:") as archive,
    ):
        for info, _ in zip(archive, range(_MOST_PARTS), strict=False):
            if info.isreg() and info.name == "metadata.gz":
                stream.seek(info.offset_data)
                packed = stream.read(min(info.size, _PACKED_LIMIT))
                raw = zlib.decompressobj(wbits=31).decompress(packed, METADATA_LIMIT)
                gem = parse_metadata(raw.decode("utf-8", "replace"))
                return f"{gem.full_name}.gem" if gem else ""
    return ""


def _name_of_wheel(stream: BinaryIO) -> str:
    with open_archive(stream) as archive:
        folder = _folder_of(archive.namelist())
        wheel = archive.getinfo(f"{folder}/WHEEL")
        raw = read_member(archive, wheel, METADATA_LIMIT)
    fields = HeaderParser().parsestr(raw.decode("utf-8", "replace"))
    tags = [tag.split("-") for tag in fields.get_all("Tag", [])]
    if not tags or any(len(tag) != 3 for tag in tags):
        return ""
    build = f"-{fields['Build']}" if fields["Build"] else ""
    sets = (".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    return f"{folder.removesuffix('.dist-info')}{build}-{'-'.join(sets)}.whl"


def _folder_of(names: Iterable[str]) -> str:
    """Return the ``NAME-VERSION.dist-info`` of an archive.  Raise ValueError without one."""
    for name in names:
        folder, _, rest = name.partition("/")
        if rest == "WHEEL" and folder.endswith(".dist-info"):
            return folder
    raise ValueError("it is no wheel")
