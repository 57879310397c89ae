"""Take the secrets out of what is recorded besides contents: facts, keys, gaps, names, attributes.

Collectors remove what they know of.  This judges everything once more before it leaves a capture,
by shape and by the names in it, so that a fact in which nobody expects a secret has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from envlock.model.coverage import Gap
from envlock.model.record import Record
from envlock.model.text import from_bytes
from envlock.model.tree import Entry, Xattrs
from envlock.secrets.names import HINTS
from envlock.secrets.redact import redact_text
from envlock.secrets.shapes import SHORTEST, find_shape, mask_shapes, shape_spans
from envlock.secrets.spans import MASK
from envlock.secrets.urls import strip_credentials
from envlock.secrets.values import judge_value

HIDDEN_NAME = "its name holds a secret"
"""The reason of the gap that stands for a path whose name may not be recorded."""

_PLAIN = re.compile(r"(?:sha(?:1|256|512):)?[0-9a-f]{0,128}|[\w.+~:/-]{0,15}")
"""Digests, versions and words too short for a token: most facts."""
_SIGNS = frozenset("=: ")
_LONG = re.compile(r"[A-Za-z0-9]{16}")
"""What every token of a provider holds and few names of files do."""
_MOST_NAMES = 4096


def clean_record(record: Record) -> Record:
    """Return `record` without secrets in its key and facts."""
    facts = record.facts
    if all(map(_PLAIN.fullmatch, facts.values())) and len(record.key) < SHORTEST:
        return record
    cleaned = {name: clean_text(value) for name, value in facts.items()}
    return Record(record.section, clean_name(record.key), cleaned)


def clean_gap(gap: Gap) -> Gap:
    """Return `gap` without secrets in the place and the reason."""
    return Gap(clean_name(gap.where), clean_text(gap.reason))


def clean_text(text: str) -> str:
    """Return a fact, message or link target with ``***`` for every secret in it.

    >>> clean_text("https://bob:hunter2@example.org/x"), clean_text("/srv/x?password=hunter2")
    ('https://example.org/x', '/srv/x?password=***')
    """
    return text if _PLAIN.fullmatch(text) else _clean(text)


@lru_cache(maxsize=16384)
def _clean(text: str) -> str:
    text = clean_name(text)
    lowered = text.lower()
    if _SIGNS.isdisjoint(text) or not any(hint in lowered for hint in HINTS):
        return text
    return redact_text(text)


def clean_name(name: str) -> str:
    """Return a key or path with ``***`` for every part that has the shape of a secret."""
    if len(name) < SHORTEST:
        return name
    if "://" in name:
        name = strip_credentials(name)
    return mask_shapes(name) if find_shape(name) else name


def clean_entry(entry: Entry) -> Entry:
    """Return `entry` without secrets in its link target and its extended attributes."""
    if entry.target:
        entry = entry._replace(target=clean_text(entry.target))
    return entry._replace(xattrs=clean_xattrs(entry.xattrs)) if entry.xattrs else entry


_KERNEL = ("security.", "system.")
"""Namespaces of extended attributes that only the kernel gives a meaning."""


def clean_xattrs(xattrs: Xattrs) -> Xattrs:
    """Return extended attributes with ``***`` for every value that is or holds a secret.

    >>> clean_xattrs((("user.password", b"hunter2"), ("user.mime_type", b"text/plain")))
    (('user.password', b'***'), ('user.mime_type', b'text/plain'))
    """
    return tuple(
        (clean_name(name), value if name.startswith(_KERNEL) else _clean_xattr(name, value))
        for name, value in xattrs
    )


def _clean_xattr(name: str, value: bytes) -> bytes:
    text = from_bytes(value)
    if judge_value(name.removeprefix("user."), text.rstrip("\0")) or clean_text(text) != text:
        return MASK.encode()
    return value


def secret_names(names: Iterable[str]) -> frozenset[str]:
    """Return the names of files and directories that hold a token of a provider.

    They are judged many at once: there are hundreds of thousands, and almost never such a one.
    """
    longer = set(filter(_LONG.search, set(names)))
    found: set[str] = set()
    for some in _batches(sorted(longer)):
        if next(shape_spans("\n".join(some), is_strict=True), None):
            found.update(name for name in some if next(shape_spans(name, is_strict=True), None))
    return frozenset(found)


def _batches(names: list[str]) -> Iterator[list[str]]:
    return (names[at : at + _MOST_NAMES] for at in range(0, len(names), _MOST_NAMES))


def has_name_of(secret: frozenset[str]) -> Callable[[str], bool]:
    """Return whether a path has one of the names in it."""
    if not secret:
        return lambda _path: False
    return lambda path: not secret.isdisjoint(path.split("/"))
