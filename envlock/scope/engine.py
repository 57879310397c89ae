"""Find the scope of a captured environment: its roles, and the closure of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from envlock.errors import InterruptedByUser, UnreachableError
from envlock.model.coverage import Coverage, Gap, Status
from envlock.model.lock import Lock
from envlock.model.scope import FAILED, SECTION, Member, Role, Root, RootKind
from envlock.model.text import sort_key
from envlock.model.trace import NO_TRACE, Trace
from envlock.scope import services
from envlock.scope.always import always
from envlock.scope.closure import closure
from envlock.scope.edges import EDGES
from envlock.scope.graph import Around
from envlock.scope.roots import begin, start
from envlock.scope.view import View
from envlock.scope.waiting import is_application

APP = "app"
"""The role of what a container, image or process runs, where nobody declared one."""

READS = tuple(dict.fromkeys((*services.READS, *(glob for kind in EDGES for glob in kind.reads))))
"""The files that are read whole, as globs; scripts are read as well, wherever they are."""


class Scope(NamedTuple):
    """The roles of an environment, and what could not be found out."""

    roles: tuple[Role, ...]
    coverage: Coverage


def find_scope(
    view: View,
    lock: Lock,
    roots: Mapping[str, Root],
    gaps: list[Gap],
    workdir: str = "/",
    traces: Mapping[str, Trace] = MappingProxyType({}),
    *,
    assumed: Collection[str] = (),
) -> Scope:
    """Return the closure of each declared root, or of what the environment runs if it runs any.

    `gaps` is the list that the view writes to.  `workdir` is the directory that relative roots
    start from.  `traces` are what runs of the applications touched, by role, and `assumed` the
    roles of `roots` that nobody declared.  What fails on hostile data costs the scope, never the
    capture: it is a gap whose reason begins with `FAILED`.  MemoryError is raised.
    """
    roles: list[Role] = []
    try:
        _add_roles(roles, view, lock, roots, workdir, traces, assumed)
    except (UnreachableError, InterruptedByUser, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  what an application needs must not cost the lock
        view.gap(SECTION, f"{FAILED} ({type(error).__name__}: {error})")
    return Scope(
        tuple(roles),
        Coverage.of(found=bool(roles), is_there=bool(roles), gaps=tuple(dict.fromkeys(gaps))),
    )


def _add_roles(
    roles: list[Role],
    view: View,
    lock: Lock,
    roots: Mapping[str, Root],
    workdir: str,
    traces: Mapping[str, Trace],
    assumed: Collection[str],
) -> None:
    """Add the roles of the roots to `roles`, one after the other."""
    if not roots:
        roots = _default_roots(view)
        assumed = roots.keys()
    for name in sorted(traces.keys() - roots.keys()):
        view.gap(name, f"a trace is given for it, but no root: add --root {name}=trace:FILE")
    known: dict[object, object] = {}
    for name, root in sorted(roots.items()):
        trace = traces.get(name, NO_TRACE)
        at_start = Around(view=view, lock=lock, workdir=workdir, known=known, trace=trace)
        around = begin(root, at_start)
        members = closure(name, start(root, around), EDGES, around)
        members = _joined(members, always(around, root.kind))
        roles.append(Role(name, root, members, assumed=name in assumed))


def _default_roots(view: View) -> Mapping[str, Root]:
    process = view.process()
    if process is None or process.is_session:
        return {}
    runs = process.exe or is_application((*process.entrypoint, *process.cmd))
    return {APP: Root(RootKind.PROCESS)} if runs else {}


def _joined(members: Iterable[Member], more: Iterable[Member]) -> tuple[Member, ...]:
    known = {member.name: member for member in more}
    known.update((member.name, member) for member in members)
    return tuple(sorted(known.values(), key=lambda member: sort_key(member.name)))


NO_SCOPE = Scope((), Coverage(Status.ABSENT))
