"""Small ELF files with given sections, in forms that the local compiler does not produce."""

import struct
from collections.abc import Mapping

BASE = 0x400000


def make_elf(
    sections: Mapping[str, bytes], *, word: int = 8, order: str = "<", headers: bool = True
) -> bytes:
    """Return an executable with these sections, loaded at BASE; without `headers` it is stripped.

    A section's content begins at file offset 4096, each at a multiple of 16, in the order given.
    """
    ehsize, phsize, shsize = (64, 56, 64) if word == 8 else (52, 32, 40)
    body, positions = b"", {}
    for name, content in sections.items():
        body += bytes(-len(body) % 16)
        positions[name] = (4096 + len(body), len(content))
        body += content
    names = b"\0" + b"".join(name.encode() + b"\0" for name in sections) + b".shstrtab\0"
    positions[".shstrtab"] = (4096 + len(body), len(names))
    table = 4096 + len(body) + len(names)
    rows = bytes(shsize)
    at = 1
    for name, (offset, size) in positions.items():
        kind = 3 if name == ".shstrtab" else 1
        if word == 8:
            rows += struct.pack(
                order + "IIQQQQIIQQ", at, kind, 2, BASE + offset, offset, size, 0, 0, 1, 0
            )
        else:
            rows += struct.pack(order + "10I", at, kind, 2, BASE + offset, offset, size, 0, 0, 1, 0)
        at += len(name) + 1
    ident = b"\x7fELF" + bytes((word // 4, 1 if order == "<" else 2, 1)) + bytes(9)
    count = len(positions) + 1 if headers else 0
    head = struct.pack(
        order + ("HHIQQQIHHHHHH" if word == 8 else "HHIIIIIHHHHHH"),
        2, 62 if word == 8 else 3, 1, BASE, ehsize, table if headers else 0, 0,
        ehsize, phsize, 1, shsize, count, max(0, count - 1),
    )  # fmt: skip
    size = table
    if word == 8:
        load = struct.pack(order + "IIQQQQQQ", 1, 7, 0, BASE, BASE, size, size, 4096)
    else:
        load = struct.pack(order + "8I", 1, 0, BASE, BASE, size, size, 7, 4096)
    start = ident + head + load
    return start + bytes(4096 - len(start)) + body + names + (rows if headers else b"")


def varint(number: int) -> bytes:
    """Return a number as Go's unsigned varint."""
    found = b""
    while number >= 0x80:
        found += bytes((number & 0x7F | 0x80,))
        number >>= 7
    return found + bytes((number,))


def go_program(toolchain: str, modules: str, **form) -> bytes:
    """Return a program with Go's build information in the form of Go 1.18 and later."""
    lines = bytes(range(16)) + modules.encode() + bytes(range(16)) if modules else b""
    info = b"\xff Go buildinf:" + b"\x08\x02" + bytes(16)
    info += varint(len(toolchain)) + toolchain.encode() + varint(len(lines)) + lines
    return make_elf({".go.buildinfo": info}, **form)


def old_go_program(toolchain: str, modules: str, word: int, order: str) -> bytes:
    """Return a program with Go's build information in the form before Go 1.18: pointers."""
    lines = bytes(range(16)) + modules.encode() + bytes(range(16))
    form = order + ("QQ" if word == 8 else "II")
    text = toolchain.encode() + bytes(-len(toolchain) % 16) + lines
    strings = BASE + 4096 + 32
    heads = strings + len(text) + (-len(text) % 16)
    info = b"\xff Go buildinf:" + bytes((word, order == ">"))
    info += struct.pack(form, heads, heads + 2 * word)
    info += bytes(32 - len(info))
    data = struct.pack(form, strings, len(toolchain))
    data += struct.pack(form, strings + len(toolchain) + (-len(toolchain) % 16), len(lines))
    return make_elf({".go.buildinfo": info, ".rodata": text, ".data": data}, word=word, order=order)
