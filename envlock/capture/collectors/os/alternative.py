"""Alternatives, diversions and stat overrides of dpkg, which administrators set."""

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

_ADMIN = "/var/lib/dpkg"
_LINKS = "/etc/alternatives"


def collect(context: Context) -> Iterator[Record]:
    """Yield the alternatives with their current targets, the diversions, and the stat overrides."""
    for name in context.names(f"{_ADMIN}/alternatives"):
        text = context.text(f"{_ADMIN}/alternatives/{name}")
        group = parse_alternative(text or "")
        if group is None:
            context.gap(f"{_ADMIN}/alternatives/{name}", "not a group of alternatives")
            continue
        link = context.stat(f"{_LINKS}/{name}")
        value = link.target if link and link.target else "absent"
        yield Record("alternative", name, {"mode": group.mode, "link": group.link, "value": value})
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
        f"{_ADMIN}/alternatives/*",
        f"{_ADMIN}/diversions",
        f"{_ADMIN}/statoverride",
        f"{_LINKS}/*",
    ),
    collect=collect,
    sources=("update-alternatives(1)", "dpkg-divert(1)", "dpkg-statoverride(1)"),
)
