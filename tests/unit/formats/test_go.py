"""Both forms of the build information in Go programs."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.formats.binary.elf import parse_elf
from envlock.formats.go import parse_modules, read_build
from tests.unit.formats.elf_files import go_program, make_elf, old_go_program, varint

LINES = (
    "path\texample.org/tool/cmd/tool\n"
    "mod\texample.org/tool\tv1.2.3\t\n"
    "dep\texample.org/one\tv0.1.0\th1:one=\n"
    "dep\texample.org/two\tv2.0.0+incompatible\n"
    "=>\texample.org/fork\tv2.0.1\th1:fork=\n"
    "dep\texample.org/three\tv3.0.0\n"
    "=>\t../three\t\n"
    "build\tGOOS=linux\n"
    'build\t-tags="a b"\n'
)


def read_from(content: bytes):
    stream = io.BytesIO(content)

    def read(offset: int, size: int) -> bytes:
        stream.seek(offset)
        return stream.read(size)

    return read


def build_info(content: bytes):
    read = read_from(content)
    elf = parse_elf(read)
    return read_build(elf, read) if elf else None


def test_both_forms_give_the_same_result():
    expected = parse_modules("go1.17.13", LINES)
    assert build_info(go_program("go1.17.13", LINES)) == expected
    assert build_info(go_program("go1.17.13", LINES, headers=False)) == expected
    assert build_info(go_program("go1.17.13", LINES, word=4, order=">")) == expected
    for word, order in ((8, "<"), (8, ">"), (4, "<"), (4, ">")):
        assert build_info(old_go_program("go1.17.13", LINES, word, order)) == expected
    assert [module.path for module in expected.modules] == [
        "example.org/one",
        "example.org/fork",
        "../three",
    ]
    assert [module.replaced for module in expected.modules][1:] == [
        "example.org/two",
        "example.org/three",
    ]
    assert expected.settings == {"GOOS": "linux", "-tags": "a b"}


@given(st.binary(max_size=300))
def test_arbitrary_bytes_do_not_crash(content):
    content = b"\xff Go buildinf:" + content
    build_info(make_elf({".go.buildinfo": content}))


@pytest.mark.parametrize("size", [2**40, 2**63, 2**70])
def test_impossible_lengths_are_not_read(size):
    header = b"\xff Go buildinf:\x08\x02" + bytes(16)
    assert build_info(make_elf({".go.buildinfo": header + varint(size) + b"go1"})) is None
