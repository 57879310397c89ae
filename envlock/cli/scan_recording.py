"""Search the list of answers in a recording: the run configuration, links and attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from envlock.model.process import HIDDEN
from envlock.secrets.arguments import redact_command
from envlock.secrets.records import clean_text, clean_xattrs
from envlock.secrets.redact import redact_labels
from envlock.secrets.values import SETTING_RULE, judge_value


class Hit(NamedTuple):
    """A secret: the file, the place in it, and the rule.  The secret itself is never told."""

    file: str
    place: str
    rule: str


_PATH, _TARGET, _XATTRS = 0, 7, 9
"""Columns of an entry, as `envlock.capture.recording` writes it."""
_KEYS = frozenset(
    {
        "version", "capabilities", "process", "request", "scope", "files", "names", "entries",
        "stats", "gaps", "rows", "probes", "paged",
    }
)  # fmt: skip


def is_recording(document: object) -> bool:
    """True for a list of answers as a recording has it, and nothing else in it.

    Anything that only resembles one is to be searched as a text.
    """
    if not (isinstance(document, dict) and {"capabilities", "process"} <= document.keys() <= _KEYS):
        return False
    rows = [document.get(name, []) for name in ("entries", "stats")]
    return _is_process(document["process"] or {}) and all(
        isinstance(each, list) and all(map(_is_row, each)) for each in rows
    )


def _is_process(process: object) -> bool:
    if not isinstance(process, dict):
        return False
    tables = [process.get(name) or {} for name in ("environ", "labels")]
    lists = [process.get(name) or [] for name in ("entrypoint", "cmd")]
    return all(isinstance(e, dict) for e in tables) and all(isinstance(e, list) for e in lists)


def _is_row(row: object) -> bool:
    if not (isinstance(row, list) and len(row) > _XATTRS and isinstance(row[_XATTRS], list)):
        return False
    return isinstance(row[_TARGET], str) and all(map(_is_attribute, row[_XATTRS]))


def _is_attribute(pair: object) -> bool:
    if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], str)):
        return False
    try:
        bytes.fromhex(pair[1])
    except ValueError:
        return False
    return True


def scan_recording(shown: str, document: Mapping[str, Any]) -> Iterator[Hit]:
    """Yield the secrets of the run configuration, and of the links and attributes of files.

    `document` is one of which `is_recording` holds.
    """
    process = document["process"] or {}
    for name, value in dict(process.get("environ") or {}).items():
        if value != HIDDEN and (rule := judge_value(name, str(value))):
            yield Hit(shown, f"environment {name}", rule)
    labels = {str(k): str(v) for k, v in dict(process.get("labels") or {}).items()}
    for name, value in redact_labels(labels).items():
        if value != labels[name]:
            yield Hit(shown, f"label {name}", SETTING_RULE)
    parts = [[*map(str, process.get(name) or ())] for name in ("entrypoint", "cmd")]
    if redact_command(*parts) != tuple(map(tuple, parts)):
        yield Hit(shown, "arguments", SETTING_RULE)
    for row in (*document.get("entries", ()), *document.get("stats", ())):
        xattrs = tuple((str(name), bytes.fromhex(value)) for name, value in row[_XATTRS])
        if clean_text(row[_TARGET]) != row[_TARGET] or clean_xattrs(xattrs) != xattrs:
            yield Hit(shown, f"link target or attribute of {row[_PATH]}", SETTING_RULE)
