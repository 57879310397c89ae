"""The file of a trace: written, read back, joined, and refused when it is none."""

from pathlib import Path

import pytest

from envlock.errors import TraceFileError
from envlock.lockfile.trace_file import MAX_TRACE, parse_trace, read_trace, render_trace
from envlock.model.trace import TouchedKind, Trace

ONE = Trace(
    {"deb:libpq5:amd64": ("/usr/lib/libpq.so.5",), "python:app/psycopg2": ()},
    {"/opt/tool": TouchedKind.LIBRARY, "/srv/\udcff\u202e": TouchedKind.CONFIG},
)


def test_a_trace_is_read_as_it_was_written() -> None:
    raw = render_trace(ONE)
    assert parse_trace(raw, "x") == ONE
    assert b"\xe2\x80\xae" not in raw


def test_traces_add_up_in_any_order() -> None:
    other = Trace(
        {"deb:libpq5:amd64": ("/usr/bin/a",), "deb:a:amd64": ()},
        {"/opt/tool": TouchedKind.PROGRAM},
    )
    joined = Trace.joined((ONE, other))
    assert joined == Trace.joined((other, ONE))
    assert joined.records["deb:libpq5:amd64"] == ("/usr/bin/a", "/usr/lib/libpq.so.5")
    assert joined.files["/opt/tool"] is TouchedKind.PROGRAM
    assert list(joined.records) == ["deb:a:amd64", "deb:libpq5:amd64", "python:app/psycopg2"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "it does not begin with trace-version = 1"),
        (b"trace-version = 2", "it has version 2; this envlock reads 1"),
        (b"trace-version = true", "does not begin"),
        (b"\xff", "decode"),
        (b"trace-version = ", "Invalid value"),
        (b"trace-version = 1\nrecords = 3", "records is no table"),
        (b"trace-version = 1\n[records]\na = 3", "something else than a list of paths"),
        (b"trace-version = 1\n[records]\na = [3]", "something else than a list of paths"),
        (b"trace-version = 1\n[files]\n'/a' = 'data'", "'data' is not a valid"),
        (b"trace-version = 1\n[files]\n'/a' = []", "is not a valid"),
    ],
)
def test_what_is_no_trace_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(TraceFileError, match="not a trace") as caught:
        parse_trace(raw, "x.trace")
    assert reason in str(caught.value)
    assert caught.value.where == "x.trace"


def test_a_trace_of_the_largest_size_and_one_byte_more(tmp_path: Path) -> None:
    path = tmp_path / "x.trace"
    raw = render_trace(ONE)
    path.write_bytes(raw + b"#" * (MAX_TRACE - len(raw)))
    assert read_trace(path) == ONE
    path.write_bytes(path.read_bytes() + b"#")
    with pytest.raises(TraceFileError, match="cannot read the trace"):
        read_trace(path)


def test_a_missing_trace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(TraceFileError) as caught:
        read_trace(tmp_path / "none.trace")
    assert "envlock trace -o" in caught.value.hint
