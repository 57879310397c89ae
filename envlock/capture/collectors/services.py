"""systemd units that an administrator enabled, masked, overrode or wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from envlock.capture.spec import Collector
from envlock.capture.view import View
from envlock.model.record import Record
from envlock.model.tree import Entry, EntryType

_UNITS = "/etc/systemd/system"
_WANTED = (".wants", ".requires", ".upholds")


def collect(view: View) -> Iterator[Record]:
    """Yield a record for each unit that /etc/systemd/system says something about.

    Facts: ``wanted-by`` (the units that start it), ``state`` (``masked``), ``unit`` and
    ``drop-ins`` (digests of files), ``alias`` (the unit a link stands for).
    """
    facts: dict[str, dict[str, str]] = {}
    for child in view.children(_UNITS):
        name = child.path.rpartition("/")[2]
        if child.type is EntryType.DIRECTORY:
            _folder(name, view, facts)
        else:
            _unit(child, view, facts.setdefault(name, {}))
    for name, found in facts.items():
        if found:
            yield Record("service", name, found)


def _folder(name: str, view: View, facts: dict[str, dict[str, str]]) -> None:
    unit, _, suffix = name.rpartition(".")
    if f".{suffix}" in _WANTED:
        for wanted in view.names(f"{_UNITS}/{name}"):
            found = facts.setdefault(wanted, {})
            words = {*found.get("wanted-by", "").split(), unit}
            found["wanted-by"] = " ".join(sorted(words))
    elif suffix == "d":
        digest = hashlib.sha256()
        for drop_in in view.names(f"{_UNITS}/{name}"):
            content = view.read(f"{_UNITS}/{name}/{drop_in}") or b""
            digest.update(hashlib.sha256(content).digest())
            facts.setdefault(unit, {})["drop-ins"] = f"sha256:{digest.hexdigest()}"


def _unit(child: Entry, view: View, found: dict[str, str]) -> None:
    if child.type is EntryType.SYMLINK:
        if child.target == "/dev/null":
            found["state"] = "masked"
        else:
            found["alias"] = child.target.rpartition("/")[2]
    elif child.type is EntryType.FILE:
        content = view.read(child.path)
        if content is not None:
            found["unit"] = f"sha256:{hashlib.sha256(content).hexdigest()}"


COLLECTOR = Collector(
    name="service",
    sections=("service",),
    reads=(f"{_UNITS}/*", f"{_UNITS}/*/*"),
    collect=collect,
    sources=("systemd.unit(5)", "systemctl(1)"),
)
