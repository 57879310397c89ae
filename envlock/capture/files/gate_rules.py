"""A number that stands for all that decides whether a file is clean, for the marks in a cache."""

from __future__ import annotations

import zlib
from functools import cache
from importlib import resources

from envlock.secrets.rules_id import rules_id

DECIDING = (
    "capture/files/content_gate.py",
    "capture/files/packed_secrets.py",
    "formats/binary/sqlite.py",
    "targets/attributes.py",
    "targets/stream/decompress.py",
    "targets/stream/packed.py",
    "targets/stream/tar_reader.py",
)
"""Modules outside `envlock.secrets` that decide what is looked for, and what is opened for it."""


@cache
def gate_rules_id() -> int:
    """Return a number that changes, with near certainty, when a file may be judged otherwise."""
    checksum = rules_id()
    root = resources.files("envlock")
    for name in DECIDING:
        checksum = zlib.crc32(root.joinpath(name).read_bytes(), checksum)
    return checksum or 1
