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


def linked_elf(
    *needed: str,
    soname: str = "",
    rpath: str = "",
    runpath: str = "",
    interpreter: str = "",
    flags: int = 0,
    dlopen: bytes = b"",
    machine: int = 62,
    word: int = 8,
    order: str = "<",
) -> bytes:
    """Return a library or program with a dynamic section; `flags` are those of DT_FLAGS_1."""
    strings = b"\0"
    rows: list[tuple[int, int]] = []
    for tag, text in [*((1, n) for n in needed), (14, soname), (15, rpath), (29, runpath)]:
        if text or tag == 1:
            rows.append((tag, len(strings)))
            strings += text.encode() + b"\0"
    pair = order + ("QQ" if word == 8 else "II")
    body, parts = b"", []
    start = 4096
    if interpreter:
        parts.append((3, start, len(interpreter) + 1))
        body += interpreter.encode() + b"\0"
    if dlopen:
        body += bytes(-len(body) % 8)
        note = struct.pack(order + "III", 4, len(dlopen), 0x407C0C0A) + b"FDO\0" + dlopen
        parts.append((4, start + len(body), len(note)))
        body += note
    body += bytes(-len(body) % 8)
    rows += [(0x6FFFFFFB, flags)] if flags else []
    rows += [(5, BASE + start + len(body)), (0, 0)]
    body += strings + bytes(-len(strings) % 8)
    dynamic = b"".join(struct.pack(pair, *row) for row in rows)
    parts.append((2, start + len(body), len(dynamic)))
    body += dynamic
    parts.insert(0, (1, 0, start + len(body)))
    ident = b"\x7fELF" + bytes((word // 4, 1 if order == "<" else 2, 1)) + bytes(9)
    ehsize, phsize = (64, 56) if word == 8 else (52, 32)
    head = struct.pack(
        order + ("HHIQQQIHHHHHH" if word == 8 else "HHIIIIIHHHHHH"),
        3, machine, 1, 0, ehsize, 0, 0, ehsize, phsize, len(parts), 0, 0, 0,
    )  # fmt: skip
    for kind, at, size in parts:
        where = BASE + at
        if word == 8:
            head += struct.pack(order + "IIQQQQQQ", kind, 4, at, where, where, size, size, 8)
        else:
            head += struct.pack(order + "8I", kind, at, where, where, size, size, 4, 4)
    whole = ident + head
    return whole + bytes(start - len(whole)) + body
