"""The closure of a root: a walk along needs edges, breadth first, so that each chain is shortest.

The walk has two parts.  The first follows every edge that says something of its own: links, ``#!``
lines, metadata of an environment.  The second adds what the packages found so far depend on by
their metadata alone; the files of those packages are not followed, since nothing shows that the
application uses them.  What the application runs without, such as fonts, is of the same weak class,
and what it depends on itself is not added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from envlock.model.scope import BUILT_WHERE_INSTALLED, STEP, Member, MemberClass
from envlock.model.text import sort_key
from envlock.scope.graph import Around, EdgeKind, File, Item, Need, Node
from envlock.scope.owners import can_be_compared, record_of

MOST_NODES = 200_000
"""How many files and records one closure follows; what is beyond is a gap."""


class _Arrival(NamedTuple):
    """A need with the record it starts from, and the steps from there."""

    need: Need
    origin: str
    steps: tuple[str, ...]


def closure(
    role: str,
    start: Iterable[Need],
    edges: Sequence[EdgeKind],
    around: Around,
    most: int = MOST_NODES,
) -> tuple[Member, ...]:
    """Return the members that are reachable from `start`, sorted by name; gaps go to the view.

    `most` is how many files and records are followed.
    """
    walk = _Walk(role, edges, around, most)
    walk.follow(_Arrival(need, role, ()) for need in start)
    weak = [kind for kind in edges if kind.name == "depends"]
    packages = [
        Item(member.section, member.key)
        for member in walk.members()
        if member.member_class is not MemberClass.DEPENDS
    ]
    walk.follow(
        (
            _Arrival(need, package.name, ())
            for package in packages
            for kind in weak
            for need in kind.needs(package, around)
        ),
        weak,
    )
    return tuple(sorted(walk.members(), key=lambda member: sort_key(member.name)))


class _Walk:
    """One walk; `members` are those found so far."""

    def __init__(self, role: str, edges: Sequence[EdgeKind], around: Around, most: int) -> None:
        self._role = role
        self._most = most
        self._edges = tuple(kind for kind in edges if kind.name != "depends")
        self._around = around
        self._members: dict[Item, Member] = {}
        self._compiled: dict[Item, set[str]] = {}
        self._seen: set[Node] = set()
        self._is_cut = False

    def members(self) -> list[Member]:
        """Return the members found so far, in the order they were found."""
        return [
            member._replace(sha256=self._digest(self._compiled[item]))
            if item in self._compiled
            else member
            for item, member in self._members.items()
        ]

    def _digest(self, paths: Iterable[str]) -> str:
        """Return one digest of compiled files, whatever directory they are in; empty if unknown."""
        found = sorted((path.rpartition("/")[2], self._around.view.sha256(path)) for path in paths)
        if not all(sha256 for _, sha256 in found):
            return ""
        lines = "".join(f"{sha256} {name}\n" for name, sha256 in found)
        return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()

    def follow(self, start: Iterable[_Arrival], edges: Sequence[EdgeKind] = ()) -> None:
        """Walk from `start`; along `edges` only, if given."""
        waiting = list(start)
        while waiting:
            self._around.view.prefetch(
                node.path
                for node in (arrival.need.node for arrival in waiting)
                if isinstance(node, File) and node not in self._seen
            )
            waiting = [
                further
                for arrival in waiting
                for further in self._visit(arrival, edges or self._edges)
            ]

    def _visit(self, arrival: _Arrival, edges: Sequence[EdgeKind]) -> Iterator[_Arrival]:
        """Add the member that a need leads to, and yield what that needs itself.

        A file of which the lock knows nothing, such as a source file of the application, is no
        member but a step of the chain.
        """
        need, origin = arrival.need, arrival.origin
        item, step = self._item(need.node)
        if item.section in BUILT_WHERE_INSTALLED and isinstance(need.node, File):
            self._note_compiled(item, need.node.path)
        steps = (*arrival.steps, need.evidence) if need.evidence else arrival.steps
        if item.name == origin:
            steps = (*arrival.steps, step) if step else arrival.steps
        elif not can_be_compared(item, self._around):
            steps = (*steps, item.key.rpartition("/")[2])
        else:
            self._add(item, need, STEP.join((origin, *steps)))
            origin, steps = item.name, (step,) if step else ()
        if need.node in self._seen or not self._has_room():
            return
        self._seen.add(need.node)
        if isinstance(need.node, File) and item.key != need.node.path:
            self._add_file(need.node, need, STEP.join(filter(None, (origin, step))))
        for kind in edges:
            for further in kind.needs(need.node, self._around):
                yield _Arrival(further, origin, steps)

    def _item(self, node: Node) -> tuple[Item, str]:
        """Return the record that a node belongs to, and the file in it as a step of a chain."""
        if isinstance(node, Item):
            return node, ""
        item = record_of(node.path, self._around)
        return item, "" if item.key == node.path else node.path.rpartition("/")[2]

    def _add(self, item: Item, need: Need, via: str) -> None:
        """Add a member, or give it the stronger of two classes."""
        known = self._members.get(item)
        if known is None or known.member_class.rank > need.member_class.rank:
            sha256 = self._around.view.sha256(item.key) if _needs_digest(item, need.node) else ""
            self._members[item] = Member(*item, need.member_class, via, sha256)

    def _note_compiled(self, item: Item, path: str) -> None:
        if self._around.view.linkage(path) is not None:
            self._compiled.setdefault(item, set()).add(path)

    def _add_file(self, file: File, need: Need, via: str) -> None:
        """Add a file that has a record beside its package: it is not what the package brought."""
        if file.path in self._around.lock.sections.get("file", {}):
            self._add(Item("file", file.path), need._replace(node=file), via)

    def _has_room(self) -> bool:
        if len(self._seen) < self._most:
            return True
        if not self._is_cut:
            self._is_cut = True
            self._around.view.gap(self._role, f"its closure has more than {self._most} files")
        return False


def _needs_digest(item: Item, node: Node) -> bool:
    return isinstance(node, File) and item.section == "file"
