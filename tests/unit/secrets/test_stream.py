"""Files that are too large to be held are judged in pieces, as if they were judged at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from envlock.secrets.stream import PIECE, Piece, cut_of, redact_stream
from tests.unit.secrets.samples import MARKER, PLANTED

FILLER = "# filler of a line\n"


def chunks(content: bytes, size: int = 65_536) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def redact(path: str, content: bytes) -> tuple[bytes, list[Piece]]:
    pieces = list(redact_stream(path, chunks(content)))
    return b"".join(piece.content for piece in pieces), pieces


@pytest.mark.parametrize("before", [0, PIECE - 30, PIECE + 40, 3 * PIECE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "latin-1"])
def test_a_secret_is_found_wherever_it_stands(before: int, encoding: str) -> None:
    count = before // len(FILLER)
    text = FILLER * count + f"DB_PASSWORD={MARKER}hunter2\n" + FILLER * 10
    redacted, pieces = redact("/srv/app/.env", text.encode(encoding))
    assert redacted.decode(encoding) == FILLER * count + "DB_PASSWORD=***\n" + FILLER * 10
    assert [finding.rule for piece in pieces for finding in piece.findings] == ["password-setting"]


@pytest.mark.parametrize("offset", range(-400, 200, 37))
def test_a_private_key_is_not_cut(offset: int) -> None:
    key = f"-----BEGIN PRIVATE KEY-----\n{f'{MARKER}Mii3' * 60}\n-----END PRIVATE KEY-----\n"
    text = FILLER * ((PIECE + offset) // len(FILLER)) + key + FILLER * 70_000
    redacted, _ = redact("/srv/app/x.txt", text.encode())
    assert MARKER.encode() not in redacted


@pytest.mark.parametrize(("path", "template"), PLANTED[::7])
def test_plants_behind_much_text(path: str, template: str) -> None:
    text = "\n" * (PIECE + 10) + template.replace("{S}", f"{MARKER}hunter2")
    if not path.endswith(("cookie", ".pub")):
        redacted, _ = redact(path, text.encode())
        assert MARKER.encode() not in redacted


def test_a_binary_file_is_kept() -> None:
    content = bytes(range(256)) * 10_000
    assert redact("/srv/x.bin", content)[0] == content


@pytest.mark.parametrize("content", [b"", b"x", b"\xff\xfe", b"\xff\xfea", b"a\0", b"\n"])
def test_small_files_are_kept(content: bytes) -> None:
    assert redact("/srv/x", content)[0] == content


def test_a_line_without_end_is_cut_all_the_same() -> None:
    text = "x" * (3 * PIECE) + f" password={MARKER}hunter2 "
    assert MARKER.encode() not in redact("/srv/x.conf", text.encode())[0]


def test_pieces_end_before_a_line_at_the_margin() -> None:
    assert cut_of("a: |\n  b\nc: 1\n  d\n") == len("a: |\n  b\n")
    assert cut_of("no line") == len("no line")
