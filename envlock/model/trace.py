"""What a run of an application touched, as `envlock trace` writes it and a closure takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple, Self

from envlock.model.text import sort_key


class TouchedKind(StrEnum):
    """What a file that belongs to no package is."""

    PROGRAM = "program"
    """It was executed."""
    LIBRARY = "library"
    """It is a shared library, a module of an interpreter, or an archive of Java classes."""
    CONFIG = "config"
    """It is configuration of the system: below /etc or /usr/local/etc."""


class Trace(NamedTuple):
    """The packages and files that one or more runs touched.

    `records` maps the name of a record (``deb:libpq5:amd64``, ``python:app/numpy``) to the paths of
    the programs and libraries of it that were touched, by which another system can find what it has
    in its place.  `files` maps the path of any other file to what it is; a home directory is ``~``.
    """

    records: Mapping[str, tuple[str, ...]]
    files: Mapping[str, TouchedKind]

    @classmethod
    def joined(cls, traces: Iterable[Self]) -> Self:
        """Return what any of the traces touched, sorted by name."""
        records: dict[str, set[str]] = {}
        files: dict[str, TouchedKind] = {}
        for trace in traces:
            for name, paths in trace.records.items():
                records.setdefault(name, set()).update(paths)
            for path, kind in trace.files.items():
                known = files.setdefault(path, kind)
                files[path] = min(known, kind, key=list(TouchedKind).index)
        return cls(
            {name: tuple(sorted(records[name])) for name in sorted(records, key=sort_key)},
            {path: files[path] for path in sorted(files, key=sort_key)},
        )


NO_TRACE = Trace({}, {})
