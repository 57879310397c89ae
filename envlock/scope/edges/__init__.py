"""The kinds of needs edges, one module each, in the order that a walk follows them."""

from __future__ import annotations

from envlock.scope.edges import (
    by_name,
    configuration,
    depends,
    dynamic,
    interpreters,
    java,
    library,
    node,
    php,
    python,
    python_base,
    script,
    shell,
)
from envlock.scope.graph import EdgeKind

EDGES: tuple[EdgeKind, ...] = (
    script.EDGE,
    shell.EDGE,
    library.EDGE,
    python.EDGE,
    python_base.EDGE,
    by_name.EDGE,
    node.EDGE,
    java.EDGE,
    php.EDGE,
    interpreters.EDGE,
    dynamic.EDGE,
    configuration.EDGE,
    depends.EDGE,
)
"""Every kind of edge; the reference has a row for each."""
