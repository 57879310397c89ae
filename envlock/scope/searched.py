"""The scope of an environment whose applications nobody named: they are searched for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from envlock.model.coverage import Gap
from envlock.model.lock import Lock
from envlock.model.scope import Root
from envlock.model.trace import Trace
from envlock.scope.engine import Scope, find_scope
from envlock.scope.view import View


def search_scope(
    view: View,
    lock: Lock,
    roots: Mapping[str, Root],
    search: Callable[[Lock], Mapping[str, Root]] | None,
    workdir: str,
    traces: Mapping[str, Trace],
    gaps: list[Gap],
) -> Scope:
    """Return the closure of each root, with the roots that `search` finds where one lacks.

    `gaps` is the list that the view writes to.  See `envlock.scope.engine.find_scope`.
    """
    known = len(gaps)
    scope = find_scope(view, lock, roots, gaps, workdir, traces)
    if search is not None and not (scope.roles and all(role.is_found for role in scope.roles)):
        found = search(lock)
        if found:
            del gaps[known:]
            named = {role.name: role.root for role in scope.roles if role.is_found} | dict(found)
            scope = find_scope(view, lock, named, gaps, workdir, traces, assumed=found.keys())
    return scope
