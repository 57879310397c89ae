"""Divide an image into layers by package, so that an update changes few of them.

Packages form groups (see `ArtifactKind.group`).  Large groups get a layer each; the others share
some layers per section, such as all small Debian packages, by a digest of their names.  Files of no
package, and changed ones, are in the top layer.  The bytes of a layer depend only on its own
packages, and in which layer a package is does not depend on the others.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from envlock.errors import MaterializeError
from envlock.materialize.artifacts.artifact import parse_source
from envlock.materialize.artifacts.table import KINDS
from envlock.materialize.tree.directories import ancestors, leaves, newest_below
from envlock.model.lock import Lock
from envlock.model.text import sort_key, to_bytes
from envlock.model.tree import EntryType, FileClass, Row

DEFAULT_BUDGET = 64
LARGE = 4 << 20
"""What is large, in bytes."""
MAX_LAYERS = 127
"""The most that overlay file systems can stack."""

TOP = "top"
"""Name of the layer with everything that is not the content of a package."""

_FROM_ARTIFACTS = tuple(kind.prefix for kind in KINDS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer: its name, the groups of packages in it, and its rows in byte order.

    The rows include every directory above their paths.
    """

    name: str
    packages: tuple[str, ...]
    rows: tuple[Row, ...]


def package_groups(lock: Lock) -> dict[str, str]:
    """Return owner -> group for every package of the lock, each with its section in front.

    For example ``deb libssl3:amd64`` -> ``deb openssl``.
    """
    return {
        f"{kind.section} {key}": f"{kind.section} {kind.group(key, facts)}"
        for kind in KINDS.values()
        for key, facts in lock.sections.get(kind.section, {}).items()
    }


def split(
    rows: Sequence[Row], groups: Mapping[str, str], budget: int = DEFAULT_BUDGET, large: int = LARGE
) -> tuple[Layer, ...]:
    """Return the layers of `rows` (in byte order), lowest first; at most `budget`, 1 to 127.

    Unpacked one over the other they give exactly `rows`.  Groups of at least `large` bytes get a
    layer each, as long as half of the budget suffices.  Raise MaterializeError when the budget
    is out of range.
    """
    if not 1 <= budget <= MAX_LAYERS:
        raise MaterializeError(f"cannot make {budget} layers: 1 to {MAX_LAYERS} are possible")
    ends = leaves(rows)
    group_of = _group_of_each(ends, groups)
    plan = _plan(_sizes(ends, group_of), budget, large)
    name_of = {group: name for name, members in plan for group in members}
    content: dict[str, list[Row]] = defaultdict(list)
    for row in ends:
        content[name_of[group_of[row.entry.path]]].append(row)
    directories = {row.entry.path: row for row in rows if row.entry.type is EntryType.DIRECTORY}
    layers = [
        Layer(
            name=name,
            packages=tuple(sorted((m for m in members if m != TOP), key=sort_key)),
            rows=_with_parents(content[name], directories),
        )
        for name, members in plan
    ]
    return _settle_directories(layers, directories)


def _group_of_each(ends: Iterable[Row], groups: Mapping[str, str]) -> dict[str, str]:
    """Return path -> group; a hard link has the group of its file."""
    group_of: dict[str, str] = {}
    for row in ends:
        entry = row.entry
        if entry.type is EntryType.HARDLINK:
            group_of[entry.path] = group_of[entry.target]
        else:
            group_of[entry.path] = groups.get(row.owner, TOP) if _is_packaged(row) else TOP
    return group_of


def _is_packaged(row: Row) -> bool:
    """True when its own package alone determines the row.

    What a program wrote may by chance be in some package: an empty file, a file with one word.
    """
    if row.entry.type is EntryType.FILE and row.entry.size:
        is_member = row.source.startswith(_FROM_ARTIFACTS)
        return is_member and parse_source(row).name == row.owner.partition(" ")[2]
    return row.file_class is FileClass.PACKAGE


def _sizes(ends: Iterable[Row], group_of: Mapping[str, str]) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for row in ends:
        sizes[group_of[row.entry.path]] += row.entry.size
    return sizes


def _plan(sizes: Mapping[str, int], budget: int, large: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return (layer name, groups), lowest first.

    Each section (the first word of a group) has its large groups first, then the layers that its
    others share.  How many these are depends on the budget and the sections alone, and in which
    one a group is on its name, so that nothing moves because another package came or grew.
    """
    packages = sorted((g for g in sizes if g != TOP), key=lambda g: (-sizes[g], sort_key(g)))
    top = [(TOP, (TOP,))] if TOP in sizes else []
    sections = sorted({group.partition(" ")[0] for group in packages})
    slots = budget - len(top)
    if slots < 1:
        return [(TOP, (*packages, TOP))]
    if slots < max(2, len(sections)):
        return ([("packages", tuple(packages))] if packages else []) + top
    most_alone = min(slots // 2, slots - len(sections))
    shared = _power_of_two((slots - most_alone) // max(1, len(sections)))
    alone = frozenset([group for group in packages if sizes[group] >= large][:most_alone])
    plan: list[tuple[str, tuple[str, ...]]] = []
    for section in sections:
        own = [g for g in sorted(packages, key=sort_key) if g.startswith(f"{section} ")]
        plan += ((group, (group,)) for group in own if group in alone)
        buckets: dict[int, list[str]] = defaultdict(list)
        for group in own:
            if group not in alone:
                buckets[_number(group, shared)].append(group)
        plan += (
            (f"{section} ({number + 1} of {shared})", tuple(buckets[number]))
            for number in sorted(buckets)
        )
    return plan + top


def _power_of_two(limit: int) -> int:
    """Return the largest power of two that is at most `limit`, and at least 1."""
    return 1 << (max(1, limit).bit_length() - 1)


def _number(group: str, count: int) -> int:
    """Return a number below `count`, a power of two, that depends on the name of a group alone."""
    return int.from_bytes(hashlib.sha256(to_bytes(group)).digest()[:4]) % count


def _with_parents(content: Sequence[Row], directories: Mapping[str, Row]) -> tuple[Row, ...]:
    """Return `content` with the directories above it, each as new as the newest row in it."""
    held = list(content)
    for path, mtime in newest_below(row.entry for row in content).items():
        if path in directories:
            row = directories[path]
            held.append(row._replace(entry=row.entry._replace(mtime=mtime)))
    return tuple(sorted(held, key=lambda row: sort_key(row.entry.path)))


def _settle_directories(
    layers: Sequence[Layer], directories: Mapping[str, Row]
) -> tuple[Layer, ...]:
    """Repeat in the last layer the directories whose time would be wrong in the whole image."""
    if not layers:
        return ()
    *lower, last = layers
    unpacked = {row.entry.path: row for layer in layers for row in layer.rows}
    stale = {path for path, row in directories.items() if unpacked.get(path) != row}
    stale |= {directory for path in stale for directory in ancestors(path)} & directories.keys()
    rows = [row for row in last.rows if row.entry.path not in stale]
    rows += (directories[path] for path in stale)
    rows.sort(key=lambda row: sort_key(row.entry.path))
    return (*lower, Layer(name=last.name, packages=last.packages, rows=tuple(rows)))
