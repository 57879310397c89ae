"""Alternatives on every system, diversions and stat overrides of dpkg: what administrators set."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.debian.dpkg import (
    parse_alternative,
    parse_diversions,
    parse_statoverrides,
)
from envlock.model.record import Record
from envlock.model.tree import EntryType

_ADMIN = "/var/lib/dpkg"
_LINKS = "/etc/alternatives"
_GROUPS = (f"{_ADMIN}/alternatives", "/var/lib/alternatives", "/var/lib/rpm/alternatives")
"""Where update-alternatives of dpkg, of chkconfig (Red Hat) and of SUSE keep the groups."""


def collect(context: Context) -> Iterator[Record]:
    """Yield the alternatives, the diversions, and the stat overrides.

    An alternative has ``mode``, ``link`` and ``value``, its current target.  A link that follows
    another one is listed only where it does not, and one of no group has a ``value`` alone.
    """
    targets = {
        child.path.rpartition("/")[2]: child.target
        for child in context.children(_LINKS)
        if child.type is EntryType.SYMLINK
    }
    expected: dict[str, str] = {}
    for folder in _GROUPS:
        for name in context.names(folder):
            group = parse_alternative(context.text(f"{folder}/{name}") or "")
            if group is None:
                context.gap(f"{folder}/{name}", "not a group of alternatives")
                continue
            value = targets.pop(name, "absent")
            facts = {"mode": group.mode, "link": group.link, "value": value}
            yield Record("alternative", name, facts)
            expected.update(group.choices.get(value, {}))
    for name, target in targets.items():
        if expected.get(name) != target:
            yield Record("alternative", name, {"value": target})
    for diversion in parse_diversions(context.written(f"{_ADMIN}/diversions") or ""):
        package = "local" if diversion.package == ":" else diversion.package
        facts = {"to": diversion.diverted, "package": package}
        yield Record("diversion", diversion.path, facts)
    for override in parse_statoverrides(context.written(f"{_ADMIN}/statoverride") or ""):
        facts = {"owner": f"{override.user}:{override.group}", "mode": override.mode}
        yield Record("statoverride", override.path, facts)


COLLECTOR = Collector(
    name="alternative",
    sections=("alternative", "diversion", "statoverride"),
    reads=(
        *(f"{folder}/*" for folder in _GROUPS),
        f"{_ADMIN}/diversions",
        f"{_ADMIN}/statoverride",
        f"{_LINKS}/*",
    ),
    collect=collect,
    sources=("update-alternatives(1)", "dpkg-divert(1)", "dpkg-statoverride(1)"),
)
