"""Where on the file system a record is, and whether a capture could have seen it there."""

from __future__ import annotations

import re
from collections.abc import Collection

from envlock.model.facts import coverage_of
from envlock.model.lock import Lock
from envlock.model.record import Facts


def location_of(section: str, key: str, facts: Facts, lock: Lock) -> str:
    """Return the path that a record is found by, empty if it has none.

    That is its key or the first word of it, its ``path``, or the ``path`` of the environment that
    it is a package of.

    >>> location_of("cron", "/etc/cron.d/backup /bin/backup", {}, Lock(sections={}))
    '/etc/cron.d/backup'
    """
    if key.startswith("/"):
        return key if section == "file" else key.partition(" ")[0]
    path = facts.get("path") or lock.get(section, key.partition("/")[0]).get("path", "")
    return path if path.startswith("/") else ""


_METADATA = {
    "npm": re.compile(r".*/node_modules/((?:@[^/]+/)?[^/]+)/package\.json\Z", re.DOTALL),
    "python": re.compile(
        r".*/([^/]+?)-\d[^/]*\.(?:dist-info|egg-info)(?:/(?:METADATA|PKG-INFO|WHEEL|RECORD))?\Z",
        re.DOTALL,
    ),
    "gem": re.compile(r".*/specifications/(?:default/)?([^/]+?)-\d[^/]*\.gemspec\Z", re.DOTALL),
    "conda": re.compile(r".*/conda-meta/([^/]+)-[^/-]+-[^/-]+\.json\Z", re.DOTALL),
    "r": re.compile(r".*/([^/]+)/DESCRIPTION\Z", re.DOTALL),
}
"""Section -> files that describe one package each; what is matched is its name."""
_VERSION = re.compile(r"(?<=[^/])@[^@/]*\Z")
_NESTED = "node_modules/"


def describes_another(gap: str, section: str, key: str) -> bool:
    """True for an unread file that describes one package, and not the one with this key.

    >>> path = "/srv/app/node_modules/parseurl/package.json"
    >>> describes_another(path, "npm", "app/vue"), describes_another(path, "npm", "app/parseurl")
    (True, False)
    """
    found = _METADATA[section].match(gap) if section in _METADATA and "/" in key else None
    if found is None:
        return False
    name = _VERSION.sub("", key.partition("/")[2].rpartition(_NESTED)[2])
    return _plain(found[1]) != _plain(name)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def unread_paths(lock: Lock, section: str) -> frozenset[str] | None:
    """Return the paths that a capture could not read for a section, None if not all are known."""
    facts = lock.coverage.get(coverage_of(section), {})
    if "unread" in facts:
        return frozenset(facts["unread"].split())
    return None if "gaps" in facts else frozenset()


def hides(unread: Collection[str], path: str) -> bool:
    """True when what is at `path` is below an unread path, or has one in it."""
    inside = f"{path.rstrip('/')}/"
    if any(gap.startswith(inside) for gap in unread):
        return True
    above = path
    while above:
        if above in unread:
            return True
        above = above.rpartition("/")[0]
    return False
