"""Data of services that no row of `envlock.capture.files.state_kinds` knows.

It is left out as a whole once it is more than what may be taken along unasked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from envlock.capture.files.classify import STATE_LIMIT
from envlock.capture.files.ownership import Claims
from envlock.capture.files.rules import noisy_rule
from envlock.capture.scan.access_log import PathChanges
from envlock.capture.scan.index import Index
from envlock.model.state import StateMap
from envlock.model.tree import Entry, EntryType, FileClass

STATE_TOTAL = 256 * 1024 * 1024
"""Most bytes of class `state` of one service that are stored by value unasked."""
_OF_SERVICE = re.compile(
    r".*/\.git(?=/)"
    r"|/(?:proc|sys|dev|run|var/backups)(?=/)"
    r"|/var/lib/(?:systemd|kubelet|rancher)/[^/]+(?=/)"
    r"|/(?:var/(?:lib|spool|opt|db|games|snap)|snap|root/snap)/[^/]+(?=/)"
    r"|/home/[^/]+/snap/[^/]+(?=/)"
)
"""The folder of one service or program; other large files stand for themselves."""

Sizes = Mapping[str, int]
"""Folder of a service -> how many bytes of class `state` it has, or at most has below the limit."""


def large_state(index: Index, shown: Mapping[str, Entry], claims: Claims) -> Iterator[str]:
    """Yield the folders of services that have a large file, or such files themselves."""
    for entry in index.larger_than(STATE_LIMIT):
        if _is_state(entry, claims) and entry.path in shown:
            yield _service_of(entry.path) or entry.path


def sizes_of(
    index: Index, shown: Mapping[str, Entry], claims: Claims, known: StateMap
) -> dict[str, int]:
    """Return how much unknown data each service has; `known` is the other data."""
    sizes: Counter[str] = Counter()
    for folder, size in index.folder_sizes():
        if service := _service_of(f"{folder}/"):
            sizes[service] += size
    large = {service for service, size in sizes.items() if size > STATE_TOTAL}
    exact = dict.fromkeys(large, 0)
    for folder, names in index.by_folder() if large else ():
        service = _service_of(f"{folder}/")
        if service in large:
            found = (shown[f"{folder}/{name}"] for name in names)
            exact[service] += sum(_counted(entry, claims, known) for entry in found)
    return {**sizes, **exact}


def are_beyond(sizes: Sizes) -> frozenset[str]:
    """Return the services with more than what may be taken along unasked."""
    return frozenset(service for service, size in sizes.items() if size > STATE_TOTAL)


def sizes_after(
    sizes: Sizes, changes: PathChanges, claims: Claims, known: StateMap
) -> dict[str, int]:
    """Return the sizes after some paths changed."""
    after = Counter(sizes)
    for entries, sign in ((changes.before, -1), (changes.after, 1)):
        for path, entry in entries.items():
            if service := _service_of(path):
                after[service] += sign * _counted(entry, claims, known)
    return dict(after)


def larger_files(entries: Mapping[str, Entry]) -> dict[str, tuple[EntryType, int]]:
    """Return what decides whether files are large ones of class `state`, by path."""
    return {p: (e.type, e.mode) for p, e in entries.items() if e.size > STATE_LIMIT}


def _service_of(path: str) -> str:
    """Return the folder of the service that a path is in, empty for none."""
    found = _OF_SERVICE.match(path)
    return found[0] if found else ""


def _counted(entry: Entry, claims: Claims, known: StateMap) -> int:
    if entry.type is not EntryType.FILE or not entry.size or not _is_state(entry, claims):
        return 0
    return entry.size if known.at(entry.path) is None else 0


def _is_state(entry: Entry, claims: Claims) -> bool:
    claim = claims.get(entry.path)
    is_owned = claim is not None and not claim.generated
    rule = noisy_rule(entry, owned=is_owned, exists=lambda _path: True)
    return rule is not None and rule.file_class is FileClass.STATE
