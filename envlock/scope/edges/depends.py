"""A package of the operating system depends on others by its metadata."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.model.scope import MemberClass
from envlock.scope.graph import Around, EdgeKind, Item, Need, Node
from envlock.scope.packages import READS, SYSTEMS, installed


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield the installed packages that a package depends on."""
    if not isinstance(node, Item) or node.section not in SYSTEMS:
        return
    records = around.lock.sections.get(node.section, {})
    for key in installed(around, node.section).depends(node.key):
        if key in records:
            yield Need(Item(node.section, key), "", MemberClass.DEPENDS)


EDGE = EdgeKind(
    name="depends",
    of="a package of the operating system",
    to="the installed packages that meet its dependencies, as the weak class *depends*",
    evidence="Depends and Pre-Depends, `Requires`, `D:`, `%DEPENDS%` in the package databases",
    sources=("deb-control(5)", "apk-package(5)", "rpm-dependencies(7)", "alpm-db(5)"),
    needs=needs,
    reads=READS,
)
