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


def scan_recording(shown: str, document: Mapping[str, Any]) -> Iterator[Hit]:
    """Yield the secrets of the run configuration, and of the links and attributes of files."""
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
