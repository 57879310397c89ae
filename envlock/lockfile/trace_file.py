"""The file that `envlock trace` writes: a subset of TOML, one line for each package or file.

Same run, same bytes: the lines are sorted, and hold no time, process or argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from envlock.errors import TraceFileError
from envlock.lockfile.syntax import quoted
from envlock.model.document import parse_toml
from envlock.model.text import unescape
from envlock.model.trace import TouchedKind, Trace
from envlock.reading import read_file

TRACE_MAJOR = 1
MAX_TRACE = 16 << 20
"""The largest trace file, in bytes."""

_VERSION_KEY = "trace-version"
_HEADER = "# What runs of an application touched. Written by `envlock trace`; do not edit.\n"


def render_trace(trace: Trace) -> bytes:
    """Return the file of a trace; the order of its lines is that of `Trace.joined`."""
    lines = [_HEADER, f"{_VERSION_KEY} = {TRACE_MAJOR}\n"]
    if trace.records:
        lines.append("\n[records]\n")
    for name, paths in trace.records.items():
        lines.append(f"{quoted(name)} = [{', '.join(map(quoted, paths))}]\n")
    if trace.files:
        lines.append("\n[files]\n")
    lines += [f"{quoted(path)} = {quoted(kind)}\n" for path, kind in trace.files.items()]
    return "".join(lines).encode()


def parse_trace(raw: bytes, where: str) -> Trace:
    """Return the trace of a file.  Raise TraceFileError, which names `where`."""
    try:
        document = parse_toml(raw.decode())
        _check_version(document.get(_VERSION_KEY))
        records = {unescape(name): _paths(paths) for name, paths in _table(document, "records")}
        files = {unescape(path): TouchedKind(kind) for path, kind in _table(document, "files")}
    except ValueError as error:  # tomllib and the codec raise kinds of it
        raise TraceFileError(f"not a trace: {error}", where=where) from error
    return Trace.joined([Trace(records, files)])


def read_trace(path: Path) -> Trace:
    """Return the trace at a path.  Raise TraceFileError."""
    try:
        raw = read_file(path, MAX_TRACE)
    except OSError as error:
        raise TraceFileError(
            f"cannot read the trace: {error.strerror}",
            where=str(path),
            hint="envlock trace -o FILE -- COMMAND writes one",
        ) from error
    return parse_trace(raw, str(path))


def _check_version(version: object) -> None:
    if isinstance(version, int) and version > TRACE_MAJOR:
        raise ValueError(f"it has version {version}; this envlock reads {TRACE_MAJOR}")
    if version is True or version != TRACE_MAJOR:
        raise ValueError(f"it does not begin with {_VERSION_KEY} = {TRACE_MAJOR}")


def _table(document: Mapping[str, Any], name: str) -> Iterable[tuple[str, Any]]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise ValueError(f"{name} is no table")  # noqa: TRY004  callers expect one kind of error
    return table.items()


def _paths(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(path, str) for path in raw):
        raise ValueError("a record has something else than a list of paths")
    return tuple(map(unescape, raw))
