"""ELF files: agreement with readelf, and robustness against damage."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.formats.binary.elf import Elf, parse_elf
from envlock.formats.binary.elf_file import offset_of
from tests.conftest import unavailable

SAMPLE = 60
SELF = Path(sys.executable).resolve()


def parse(content: bytes) -> Elf | None:
    return parse_elf(lambda offset, size: content[offset : offset + size])


def is_elf_file(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def sample() -> list[Path]:
    """Return ELF files of this machine, a sample of each directory."""
    folders = (Path("/usr/bin"), *Path("/usr/lib").glob("*-linux-gnu*"), Path("/lib64"))
    found = sorted({path for folder in folders for path in folder.glob("*") if is_elf_file(path)})
    return [*found[:: max(1, len(found) // SAMPLE)], SELF]


def readelf(path: Path) -> str:
    if shutil.which("readelf") is None:
        unavailable("tools", "readelf is missing")
    command = ["readelf", "-W", "-h", "-l", "-S", "-d", "-V", "-n", str(path)]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env={"LC_ALL": "C"}
    ).stdout


def first(pattern: str, text: str) -> str:
    return next(iter(re.findall(pattern, text)), "")


def version_needs(output: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    library = ""
    lines = output.partition("Version needs section")[2]
    for file, version in re.findall(r"File: (\S+)  Cnt|Name: (\S+)\s+Flags", lines):
        library = file or library
        found.setdefault(library, set()).update({version} - {""})
    return {name: tuple(sorted(versions)) for name, versions in found.items()}


def sections(output: str) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    row = r"^ +\[ *\d+\] (\S+) +(\S+) +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) "
    for name, kind, offset, size in re.findall(row, output, re.MULTILINE):
        if kind != "NOBITS":
            found.setdefault(name, (int(offset, 16), int(size, 16)))
    return found


def test_readelf_agrees():
    for path in sample():
        output, elf = readelf(path), parse(path.read_bytes())
        assert elf is not None
        folders = first(r"\(RUNPATH\).*\[(.*)\]", output) or first(r"\(RPATH\).*\[(.*)\]", output)
        is_program = bool(re.search(r"Type: +(EXEC|DYN \(Position)", output))
        assert (elf.kind == "executable") is is_program, path
        assert elf.needed == tuple(re.findall(r"\(NEEDED\).*\[(.*)\]", output)), path
        assert elf.soname == first(r"\(SONAME\).*\[(.*)\]", output), path
        assert ":".join(elf.rpath) == folders, path
        assert elf.build_id == first(r"Build ID: (\w+)", output), path
        assert elf.interpreter == first(r"interpreter: (.*)\]", output), path
        assert elf.version_needs == version_needs(output), path
        assert elf.sections == sections(output), path


def test_this_interpreter_needs_the_c_library():
    elf = parse(SELF.read_bytes())
    assert elf is not None
    assert elf.kind == "executable"
    assert "libc.so.6" in elf.needed
    assert any(version.startswith("GLIBC_") for version in elf.version_needs["libc.so.6"])


def test_without_section_headers_the_data_for_the_loader_remain():
    content = bytearray(SELF.read_bytes())
    before = parse(bytes(content))
    at = 0x28 if content[4] == 2 else 0x20  # e_shoff
    content[at : at + before.word] = bytes(before.word)
    after = parse(bytes(content))
    assert before.sections
    assert not after.sections
    assert after._replace(sections={}, notes=()) == before._replace(sections={}, notes=())


@pytest.mark.parametrize("option", ["--strip-all", "--only-keep-debug"])
def test_stripping_keeps_needed_libraries_and_a_file_of_symbols_has_none(tmp_path, option):
    if shutil.which("objcopy") is None:
        unavailable("tools", "objcopy is missing")
    subprocess.run(["objcopy", option, SELF, tmp_path / "made"], check=True, capture_output=True)
    before, after = parse(SELF.read_bytes()), parse((tmp_path / "made").read_bytes())
    assert after.build_id == before.build_id
    if option == "--strip-all":
        assert (after.needed, after.version_needs) == (before.needed, before.version_needs)
    else:
        assert (after.needed, after.version_needs) == ((), {})


def test_addresses_are_mapped_to_file_offsets():
    content = SELF.read_bytes()
    elf = parse(content)
    assert elf is not None
    assert offset_of(elf.segments, elf.segments[0].address + 8) == elf.segments[0].offset + 8
    assert offset_of(elf.segments, 1 << 63) is None


@given(st.binary(max_size=512))
def test_arbitrary_bytes_do_not_crash(content):
    parse(content)
    parse(b"\x7fELF\x02\x01\x01" + content)
    parse(b"\x7fELF\x01\x02\x01" + content)


@given(
    st.lists(st.tuples(st.integers(0, 6000), st.binary(min_size=1, max_size=8)), max_size=6),
    st.integers(0, 1 << 16),
)
def test_damaged_files_do_not_crash(damages, length):
    content = bytearray(SELF.read_bytes()[: max(64, length)])
    for where, garbage in damages:
        content[where : where + len(garbage)] = garbage
    requested = 0

    def read(offset: int, size: int) -> bytes:
        nonlocal requested
        requested += size
        assert size <= 1 << 20
        return bytes(content[offset : offset + size])

    parse_elf(read)
    assert requested < 64 << 20
