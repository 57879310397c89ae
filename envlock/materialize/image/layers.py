"""Divide an image into layers by package, so that an update changes few of them.

The packages of one source package belong together; the largest groups get a layer each, the
rest of the Debian packages share one, the rest of the Python packages another.  What is no
package's content, or was changed, lies on top.  A layer's bytes depend on its own packages only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from envlock.errors import MaterializeError
from envlock.materialize.tree.directories import ancestors, leaves, newest_below
from envlock.model.lock import Lock
from envlock.model.text import sort_key
from envlock.model.tree import EntryType, FileClass, Row

DEFAULT_BUDGET = 10
MAX_LAYERS = 127
"""What overlay file systems can stack."""

TOP = "top"
"""Name of the layer of everything that is no package's content."""

_REFERENCES = ("deb ", "wheel ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer: its name, the groups of packages in it, and its rows in byte order.

    Every directory its paths lie in is among the rows.
    """

    name: str
    packages: tuple[str, ...]
    rows: tuple[Row, ...]


def package_groups(lock: Lock) -> dict[str, str]:
    """Return owner -> group: ``deb libssl3:amd64`` -> ``deb openssl``, Python packages alone."""
    groups = {
        f"deb {key}": f"deb {facts.get('source') or key.partition(':')[0]}"
        for key, facts in lock.sections.get("deb", {}).items()
    }
    groups.update((f"python {key}", f"python {key}") for key in lock.sections.get("python", {}))
    return groups


def split(
    rows: Sequence[Row], groups: Mapping[str, str], budget: int = DEFAULT_BUDGET
) -> tuple[Layer, ...]:
    """Return the layers of `rows` (in byte order), lowest first; at most `budget`, 1 to 127.

    Applied one over the other they give exactly `rows`.  Raise MaterializeError for a budget out
    of range.
    """
    if not 1 <= budget <= MAX_LAYERS:
        raise MaterializeError(f"{budget} layers asked for, 1 to {MAX_LAYERS} are possible")
    ends = leaves(rows)
    group_of = _group_of_each(ends, groups)
    plan = _plan(_sizes(ends, group_of), budget)
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
    """Return path -> group; a hard link belongs where its file does."""
    group_of: dict[str, str] = {}
    for row in ends:
        entry = row.entry
        if entry.type is EntryType.HARDLINK:
            group_of[entry.path] = group_of[entry.target]
        else:
            group_of[entry.path] = groups.get(row.owner, TOP) if _is_packaged(row) else TOP
    return group_of


def _is_packaged(row: Row) -> bool:
    """True for what a package alone determines."""
    if row.entry.type is EntryType.FILE:
        return row.source.startswith(_REFERENCES)
    return row.file_class is FileClass.PACKAGE


def _sizes(ends: Iterable[Row], group_of: Mapping[str, str]) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for row in ends:
        sizes[group_of[row.entry.path]] += row.entry.size
    return sizes


def _plan(sizes: Mapping[str, int], budget: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return (layer name, groups) lowest first: of each ecosystem the large ones, then the rest."""
    packages = sorted((g for g in sizes if g != TOP), key=lambda g: (-sizes[g], sort_key(g)))
    top = [(TOP, (TOP,))] if TOP in sizes else []
    slots = budget - len(top)
    if slots < 1:
        return [(TOP, (*packages, TOP))]
    if slots == 1:
        return ([("packages", tuple(packages))] if packages else []) + top
    ecosystems = sorted({group.partition(" ")[0] for group in packages})
    alone = packages if len(packages) <= slots else packages[: slots - len(ecosystems)]
    rest = packages[len(alone) :]
    plan: list[tuple[str, tuple[str, ...]]] = []
    for ecosystem in ecosystems:
        prefix = f"{ecosystem} "
        plan += ((g, (g,)) for g in sorted(alone, key=sort_key) if g.startswith(prefix))
        if small := tuple(g for g in rest if g.startswith(prefix)):
            plan.append((ecosystem, small))
    return plan + top


def _with_parents(content: Sequence[Row], directories: Mapping[str, Row]) -> tuple[Row, ...]:
    """Return `content` with the directories above it, each as new as what it holds here."""
    held = list(content)
    for path, mtime in newest_below(row.entry for row in content).items():
        if path in directories:
            row = directories[path]
            held.append(row._replace(entry=row.entry._replace(mtime=mtime)))
    return tuple(sorted(held, key=lambda row: sort_key(row.entry.path)))


def _settle_directories(
    layers: Sequence[Layer], directories: Mapping[str, Row]
) -> tuple[Layer, ...]:
    """Restate in the last layer the directories that the layers together leave too old."""
    if not layers:
        return ()
    *lower, last = layers
    seen = {row.entry.path: row for layer in layers for row in layer.rows}
    stale = {path for path, row in directories.items() if seen.get(path) != row}
    stale |= {directory for path in stale for directory in ancestors(path)} & directories.keys()
    rows = [row for row in last.rows if row.entry.path not in stale]
    rows += (directories[path] for path in stale)
    rows.sort(key=lambda row: sort_key(row.entry.path))
    return (*lower, Layer(name=last.name, packages=last.packages, rows=tuple(rows)))
