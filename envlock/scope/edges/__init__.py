"""The kinds of needs edges, one module each, in the order that a walk follows them."""

from __future__ import annotations

from envlock.scope.edges import script
from envlock.scope.graph import EdgeKind

EDGES: tuple[EdgeKind, ...] = (script.EDGE,)
"""Every kind of edge; the reference has a row for each."""
