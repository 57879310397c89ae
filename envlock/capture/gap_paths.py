"""Which paths a capture could not read, as one short fact of its coverage.

An ordinary user meets hundreds; those below one directory become that directory until few are left.
Too much is then unknown, and never too little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from envlock.model.coverage import Gap
from envlock.model.text import sort_key
from envlock.targets.base import IGNORED

_UNCOMPARED = ("/tmp/", "/var/tmp/", "/run/", "/var/log/", "/proc/", "/sys/", "/dev/")  # noqa: S108
"""Where files are compared nowhere, whatever they are: what a running system writes."""
MOST = 32
"""The most paths that the coverage of a section names."""


def unread_paths(gaps: Iterable[Gap]) -> str:
    """Return the paths of gaps, separated by blanks; empty if they are not all known.

    >>> unread_paths([Gap("/root", "no"), Gap("/root/x", "no"), Gap("/etc/shadow", "no")])
    '/etc/shadow /root'
    """
    found = {gap.where for gap in gaps}
    if not all(path.startswith("/") and path != "/" and _is_plain(path) for path in found):
        return ""
    paths = _outermost(found)
    while len(paths) > MOST:
        parents = Counter(path.rpartition("/")[0] for path in paths)
        deepest = max(parents, key=lambda path: (path.count("/"), parents[path], sort_key(path)))
        if not deepest:
            return ""
        paths = _outermost({*paths, deepest})
    return " ".join(sorted(paths, key=sort_key))


def where_it_matters(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """Return the gaps without those in places that are compared nowhere.

    On a machine with containers and other users there are always some, and each would make what is
    known of all other paths look incomplete.  What was left out on demand is always told.
    """
    return tuple(
        gap for gap in gaps if not gap.where.startswith(_UNCOMPARED) or gap.reason == IGNORED
    )


def _is_plain(path: str) -> bool:
    return not any(char.isspace() for char in path)


def _outermost(paths: Iterable[str]) -> set[str]:
    """Return the paths that are below no other one."""
    kept: set[str] = set()
    for path in sorted(paths, key=lambda path: path.count("/")):
        above = path
        while above and above not in kept:
            above = above.rpartition("/")[0]
        if not above:
            kept.add(path)
    return kept
