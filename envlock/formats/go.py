"""Build information in Go programs: toolchain, modules and build settings.

Sources: Go standard library, debug/buildinfo (``buildinfo.go``) and runtime/debug (``mod.go``);
Go Modules Reference, "go version -m".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from envlock.formats.binary.elf import Elf
from envlock.formats.binary.elf_file import Reader, bounded_reader, offset_of

_MAGIC = b"\xff Go buildinf:"
_HEADER = 32
_BIG_ENDIAN, _INLINE = 1, 2
_SEARCHED = 64 * 1024
_ALIGNMENT = 16
_LONGEST = 4 * 1024 * 1024
_SENTINEL = 16
_MOST_MODULES = 10_000


class Module(NamedTuple):
    """A module: path, version and content hash; `replaced` is the path of the module it replaces.

    A directory that replaces a module has its own path and no version.
    """

    path: str
    version: str
    integrity: str
    replaced: str = ""


class Build(NamedTuple):
    """The build information of a Go program.

    `toolchain` is as in ``go version`` (``go1.22.1``), `package` the import path of the main
    package, `main` its module.  `settings` are the flags and the state of the repository.
    """

    toolchain: str
    package: str
    main: Module | None
    modules: tuple[Module, ...]
    settings: Mapping[str, str]


def read_build(elf: Elf, read: Reader) -> Build | None:
    """Return the build information of an ELF file, or None when it is not a Go program."""
    read = bounded_reader(read)
    start = _start(elf, read)
    header = read(start, _HEADER) if start is not None else b""
    if start is None or len(header) < _HEADER or not header.startswith(_MAGIC):
        return None
    if header[15] & _INLINE:
        toolchain, following = _inline(read, start + _HEADER)
        modules, _ = _inline(read, following)
    else:  # before Go 1.18: pointers to two strings
        order: Literal["big", "little"] = "big" if header[15] & _BIG_ENDIAN else "little"
        size = header[14]
        if size not in (4, 8):
            return None
        pointers = (header[16 : 16 + size], header[16 + size : 16 + 2 * size])
        toolchain, modules = (
            _pointed(elf, read, int.from_bytes(pointer, order), size, order) for pointer in pointers
        )
    if not toolchain.startswith((b"go", b"devel")):
        return None
    return parse_modules(toolchain.decode("utf-8", "replace"), _without_sentinels(modules))


def parse_modules(toolchain: str, text: str) -> Build:
    """Parse the lines of build information; lines of unknown form are skipped."""
    package = ""
    main: Module | None = None
    modules: list[Module] = []
    settings: dict[str, str] = {}
    for line in text.split("\n"):
        word, _, rest = line.partition("\t")
        path, version, integrity = (*rest.split("\t"), "", "")[:3]
        module = Module(path, version, integrity)
        if word == "path":
            package = path
        elif word == "mod":
            main = module
        elif word == "dep" and len(modules) < _MOST_MODULES:
            modules.append(module)
        elif word == "=>" and modules:
            modules[-1] = module._replace(replaced=modules[-1].path)
        elif word == "=>" and main:
            main = module._replace(replaced=main.path)
        elif word == "build":
            name, _, value = rest.partition("=")
            settings[name.strip('"`')] = value.strip('"`')
    return Build(toolchain, package, main, tuple(modules), settings)


def _start(elf: Elf, read: Reader) -> int | None:
    """Return the offset of the information: its section, or near the start of a segment."""
    if ".go.buildinfo" in elf.sections:
        return elf.sections[".go.buildinfo"][0]
    if elf.sections:
        return None
    for segment in elf.segments[:16]:
        data = read(segment.offset, min(segment.size, _SEARCHED))
        for at in range(0, len(data), _ALIGNMENT):
            if data.startswith(_MAGIC, at):
                return segment.offset + at
    return None


def _inline(read: Reader, at: int) -> tuple[bytes, int]:
    """Return the length-prefixed string at an offset, and the offset behind it."""
    length = 0
    for index, byte in enumerate(read(at, 10)):
        length |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            start = at + index + 1
            return (read(start, length) if length <= _LONGEST else b""), start + length
    return b"", at


def _pointed(
    elf: Elf, read: Reader, address: int, size: int, order: Literal["big", "little"]
) -> bytes:
    """Return the Go string whose header (address, length) is loaded at an address."""
    offset = offset_of(elf.segments, address)
    header = read(offset, 2 * size) if offset is not None else b""
    if len(header) < 2 * size:
        return b""
    data, length = (int.from_bytes(part, order) for part in (header[:size], header[size:]))
    offset = offset_of(elf.segments, data)
    return read(offset, length) if offset is not None and length <= _LONGEST else b""


def _without_sentinels(modules: bytes) -> str:
    """Return the module lines without the 16-byte markers around them."""
    if len(modules) >= 2 * _SENTINEL + 1 and modules[-_SENTINEL - 1] == ord("\n"):
        return modules[_SENTINEL:-_SENTINEL].decode("utf-8", "surrogateescape")
    return ""
