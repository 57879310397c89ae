"""The graph that a closure walks: files and records, and the needs between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar, cast

from envlock.model.lock import Lock
from envlock.model.scope import MemberClass
from envlock.model.trace import NO_TRACE, Trace
from envlock.scope.view import View

_T = TypeVar("_T")


class File(NamedTuple):
    """A file of the target, by a path that has no link in it."""

    path: str


class Item(NamedTuple):
    """A record of the lock; `key` is `envlock.model.scope.EVERY` for all of its section."""

    section: str
    key: str

    @classmethod
    def of_owner(cls, owner: str) -> Item:
        """Return the item that `View.owner` names: ``deb libc6:amd64``."""
        section, _, key = owner.partition(" ")
        return cls(section, key)

    @property
    def name(self) -> str:
        """The item as the lock's section ``scope`` names it: ``deb:libc6:amd64``."""
        return f"{self.section}:{self.key}"


Node = File | Item


class Need(NamedTuple):
    """One needs edge, seen from the node that needs.

    `evidence` is what proves it, shown as a step of the chain: ``libssl.so.3``, ``#!/bin/sh``;
    empty where the two nodes say it all.
    """

    node: Node
    evidence: str = ""
    member_class: MemberClass = MemberClass.DECLARED


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What edges may look at: the files, the records, and how the application is started.

    `variables` are the environment variables that the root gives its programs, secrets included:
    they are for searching (PATH, LD_LIBRARY_PATH, PYTHONPATH) and never recorded.  `workdir` is
    the directory that it starts in.  `trace` is what runs of it touched.  `known` holds what `once`
    computed, for all roots, `of_root` what `once_a_root` did for this one.
    """

    view: View
    lock: Lock
    variables: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    trace: Trace = NO_TRACE
    known: dict[object, object] = field(default_factory=dict)
    of_root: dict[object, object] = field(default_factory=dict)

    def once(self, make: Callable[..., _T], *about: str) -> _T:
        """Return ``make(around, *about)``, computed once a capture.

        It may depend on the view, the lock and `about` alone, not on how one root is started.
        """
        key = (make, about)
        if key not in self.known:
            self.known[key] = make(self, *about)
        return cast("_T", self.known[key])

    def once_a_root(self, make: Callable[[Around], _T]) -> _T:
        """Return ``make(around)``, computed once for each root."""
        if make not in self.of_root:
            self.of_root[make] = make(self)
        return cast("_T", self.of_root[make])

    def real(self, path: str) -> File | None:
        """Return the file that a path leads to, from `workdir`; None when nothing is there."""
        where = path if path.startswith("/") else f"{self.workdir.rstrip('/')}/{path}"
        real = self.view.resolve(where)
        return File(real) if self.view.stat(real) is not None else None


class EdgeKind(NamedTuple):
    """One kind of needs edge: a row of the reference, and the function that finds such edges.

    `of` and `to` say in words what needs what; `evidence` where that is proved; `sources` are the
    documents that it follows.  `reads` are globs of the files that it reads whole, besides
    scripts: a target that is read as a stream keeps them.  `needs(node, around)` yields the edges
    from one node in an order that depends on nothing else, and nothing for nodes it is not about.
    """

    name: str
    of: str
    to: str
    evidence: str
    sources: tuple[str, ...]
    needs: Callable[[Node, Around], Iterable[Need]]
    reads: tuple[str, ...] = ()
