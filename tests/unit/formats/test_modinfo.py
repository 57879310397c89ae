"""Kernel module files: every form of ELF, every compression, and malformed files."""

import gzip
import io
import lzma
import struct
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from envlock.formats.hardware.modinfo import parse_modinfo, read_modinfo, unpack

MODULES = Path(__file__).parents[2] / "collectors/host.module/updated/rootfs/usr/lib/modules"
OVERLAY = MODULES / "6.1.0-18-amd64/extra/overlay.ko"
INFO = b"license=GPL\0srcversion=ABC\0srcversion=DEF\0depends=\0malformed\0"


def elf(info=INFO, *, bits=64, order="<", section=b".modinfo"):
    """Return an ELF file with one section besides the string table."""
    names = b"\0" + section + b"\0.shstrtab\0"
    size, head = (64, 64) if bits == 64 else (40, 52)
    start = head + len(info) + len(names)
    ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    word = "Q" if bits == 64 else "I"
    header = ident + struct.pack(
        f"{order}HHI{word}{word}{word}IHHHHHH", 1, 62, 1, 0, 0, start, 0, head, 0, 0, size, 3, 2
    )

    def row(name, offset, length):
        wide = f"{order}II{word}{word}{word}{word}II{word}{word}"
        return struct.pack(wide, name, 1, 0, 0, offset, length, 0, 0, 1, 0)

    rows = row(0, 0, 0) + row(1, head, len(info))
    rows += row(1 + len(section) + 1, head + len(info), len(names))
    return header + info + names + rows


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_form_of_elf_is_parsed(bits, order):
    assert parse_modinfo(elf(bits=bits, order=order)) == {
        "license": "GPL",
        "srcversion": "ABC",
        "depends": "",
    }


def test_a_file_from_a_compiler_is_parsed():
    assert parse_modinfo(OVERLAY.read_bytes())["srcversion"] == "4444444444444444DDDDDDD"


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("x.ko", bytes),
        ("x.ko.gz", gzip.compress),
        ("x.ko.xz", lambda raw: lzma.compress(raw, check=lzma.CHECK_CRC32)),
        ("x.ko.zst", zstandard.ZstdCompressor().compress),
    ],
)
def test_each_compression_is_unpacked_up_to_a_limit(name, pack):
    raw = elf()
    assert unpack(name, pack(raw)) == raw
    with pytest.raises(ValueError, match="too large"):
        unpack(name, pack(bytes(100_000)), 99_999)
    if name != "x.ko":
        with pytest.raises(ValueError, match="damaged"):
            unpack(name, b"no such format")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not an ELF"),
        (b"\x7fELF", "not an ELF"),
        (elf(section=b".text"), "no .modinfo"),
        (elf()[:-100], "truncated"),
        (elf()[:58] + b"\0\0" + elf()[60:], "malformed"),
        (elf()[:40] + b"\xff" * 8 + elf()[48:], "offset"),
    ],
)
def test_a_malformed_module_raises_the_reason(raw, reason):
    with pytest.raises(ValueError, match=reason):
        parse_modinfo(raw)


@given(st.binary(max_size=400), st.integers(0, 400))
def test_arbitrary_bytes_raise_only_value_error(noise, place):
    raw = elf()
    for hostile in (noise, raw[:place] + noise, raw[:place] + noise + raw[place + len(noise) :]):
        try:
            found = read_modinfo(io.BytesIO(hostile))
        except ValueError:
            continue
        assert all(isinstance(value, str) for value in found.values())
