"""apt sources and pins, in one-line and deb822 style, with the digest of each keyring."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.debian.apt import (
    AptSource,
    parse_deb822,
    parse_one_line,
    parse_preferences,
)
from envlock.model.record import Record

_ETC = "/etc/apt"
_ABSENT = "absent"


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each suite of each repository, and for each pin."""
    found: dict[str, AptSource] = {}
    for source in _sources(context):
        # A repository listed twice is one repository, enabled if either entry is.
        known = found.setdefault(_key(source), source)
        if source.is_enabled and not known.is_enabled:
            found[_key(source)] = source
    for key, source in found.items():
        yield _record(key, source, context)
    yield from _pins(context)


def _sources(context: Context) -> Iterator[AptSource]:
    yield from parse_one_line(context.text(f"{_ETC}/sources.list") or "")
    for name in context.names(f"{_ETC}/sources.list.d"):
        path = f"{_ETC}/sources.list.d/{name}"
        if name.endswith(".list"):
            yield from parse_one_line(context.text(path) or "")
        elif name.endswith(".sources"):
            yield from parse_deb822(context.text(path) or "")


def _key(source: AptSource) -> str:
    return " ".join((source.kind, source.uri, source.suite, *source.components))


def _record(key: str, source: AptSource, context: Context) -> Record:
    facts = {
        "type": source.kind,
        "uri": source.uri,
        "suite": source.suite,
        "components": " ".join(source.components),
        "archs": " ".join(source.archs),
        "signed-by": source.signed_by,
        "enabled": "true" if source.is_enabled else "false",
        **dict(source.options),
    }
    if source.signed_by.startswith("/"):
        facts |= _keyring(source.signed_by, context)
    return Record("apt-source", key, {name: value for name, value in facts.items() if value})


def _keyring(path: str, context: Context) -> dict[str, str]:
    """Return the digest of a keyring, or that it is absent or closed to the account of apt.

    apt verifies as ``_apt``, and takes a keyring that this account cannot read for none.
    """
    gaps = len(context.gaps)
    keyring = context.read(path)
    if keyring is None and len(context.gaps) > gaps:
        return {}
    entry = context.stat(context.resolve(path))
    is_closed = entry is not None and not entry.mode & 0o004 and entry.uid == 0
    return {
        "keyring-sha256": hashlib.sha256(keyring).hexdigest() if keyring else _ABSENT,
        "keyring-mode": f"{entry.mode & 0o7777:04o}" if keyring and entry and is_closed else "",
    }


def _pins(context: Context) -> Iterator[Record]:
    paths = [f"{_ETC}/preferences"]
    paths += [f"{_ETC}/preferences.d/{name}" for name in context.names(f"{_ETC}/preferences.d")]
    pins = {}
    for path in paths:
        for pin in parse_preferences(context.text(path) or ""):
            pins[f"{pin.packages}: {pin.pin}"] = pin
    for key, pin in pins.items():
        facts = {"packages": pin.packages, "pin": pin.pin, "priority": pin.priority}
        yield Record("apt-pin", key, {name: value for name, value in facts.items() if value})


COLLECTOR = Collector(
    name="apt-source",
    sections=("apt-source", "apt-pin"),
    reads=(
        f"{_ETC}/sources.list",
        f"{_ETC}/sources.list.d/*",
        f"{_ETC}/preferences",
        f"{_ETC}/preferences.d/*",
        f"{_ETC}/keyrings/*",
        f"{_ETC}/trusted.gpg.d/*",
        "/usr/share/keyrings/*",
        "/**/*.gpg",
        "/**/*.asc",
    ),
    collect=collect,
    sources=("sources.list(5)", "apt_preferences(5)", "deb822(5)"),
)
