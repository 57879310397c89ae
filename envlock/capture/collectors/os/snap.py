"""Snaps: the current revision, its channel and version.

Reads the state file of snapd and takes only the list of snaps from it: the file also contains
credentials.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.json_values import at, json_or_none, members, text_at
from envlock.model.record import Record
from envlock.model.text import sort_key

_STATE = "/var/lib/snapd/state.json"
_SNAPS = "/var/lib/snapd/snaps"
_MOUNTS = "/snap"
_VERSION = re.compile(r"^version:\s*['\"]?([^'\"\n]+)", re.MULTILINE)


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each snap."""
    text = context.text(_STATE)
    if text is None:
        kept = [name for name in context.names(_SNAPS) if name.endswith(".snap")]
        if kept and not context.exists(_STATE):
            context.gap(_STATE, f"missing, though there are {len(kept)} snaps")
        return
    state = json_or_none(text)
    if state is None:
        context.gap(_STATE, "damaged")
        return
    snaps = dict(members(state, "data", "snaps"))
    for name in sorted(snaps, key=sort_key):
        facts = _facts(name, snaps[name], context)
        if name and facts:
            yield Record("snap", name, facts)


def _facts(name: str, snap: object, context: Context) -> dict[str, str]:
    revision = text_at(snap, "current") or _number(at(snap, "current"))
    if not revision:
        return {}
    facts = {
        "version": _version(f"{_MOUNTS}/{name}/{revision}/meta/snap.yaml", context),
        "revision": revision,
        "channel": text_at(snap, "channel"),
        "type": text_at(snap, "type"),
        "enabled": "true" if at(snap, "active") is True else "false",
    }
    return {fact: value for fact, value in facts.items() if value}


def _number(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _version(path: str, context: Context) -> str:
    """Return the version in the snap.yaml of a mounted snap, empty when it is not mounted."""
    match = _VERSION.search(context.text(path) or "") if "/../" not in path else None
    return match[1].strip() if match else ""


COLLECTOR = Collector(
    name="snap",
    sections=("snap",),
    reads=(_STATE, f"{_MOUNTS}/*/*/meta/snap.yaml"),
    collect=collect,
    needs_scan=True,  # only so that a container engine does not prefetch the whole directory
    sources=("snapd, overlord/snapstate", "snap.yaml reference"),
)
