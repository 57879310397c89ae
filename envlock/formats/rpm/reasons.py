"""Install reasons and version locks, as recorded by dnf, dnf 5 and zypper.

Sources: libdnf's libdnf/transaction/sql/create.sql and private/swdb for the history of dnf 4,
libdnf5's libdnf5/system/state.cpp for the state of dnf 5, zypper(8) for AutoInstalled and
locks, and dnf-versionlock(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from envlock.formats.binary.sqlite import Value, parse_table
from envlock.model.document import parse_toml

_DONE = 1
_DEPENDENCY = frozenset({1, 4})
"""Values of libdnf's TransactionItemReason for dependencies and weak dependencies."""
_REQUESTED = frozenset({2, 5})
_OUTGOING = frozenset({3, 5, 7, 10})
_REMOVE = 8


class Reason(NamedTuple):
    """The install reason of a package (`mark` is manual or auto) and its repository."""

    mark: str = ""
    origin: str = ""


def parse_history(raw: bytes, wal: bytes = b"") -> dict[str, Reason]:
    """Return ``name.arch`` -> the last reason in a ``history.sqlite``.

    Raise ValueError where the database is damaged.
    """
    done = {r.id for r in parse_table(raw, "trans", wal) if r.values[8:9] == (_DONE,)}
    repositories = {r.id: r.values[1] for r in parse_table(raw, "repo", wal) if len(r.values) > 1}
    labels: dict[Value, str] = {}
    for _, row in parse_table(raw, "rpm", wal):
        if len(row) > 5 and isinstance(row[1], str) and isinstance(row[5], str):
            labels[row[0]] = f"{row[1]}.{row[5]}"
    found: dict[str, tuple[int, Reason]] = {}
    for _, row in parse_table(raw, "trans_item", wal):
        if len(row) < 6 or row[1] not in done or row[4] in _OUTGOING or row[2] not in labels:
            continue
        label, transaction = labels[row[2]], row[1]
        if isinstance(transaction, int) and transaction >= found.get(label, (0, None))[0]:
            known = found.get(label, (0, Reason()))[1]
            found[label] = (transaction, _reason(row, repositories, known))
    return {label: reason for label, (_, reason) in found.items()}


def _reason(row: tuple[Value, ...], repositories: Mapping[int, Value], known: Reason) -> Reason:
    if row[4] == _REMOVE:
        return Reason()
    mark = "auto" if row[5] in _DEPENDENCY else "manual" if row[5] in _REQUESTED else ""
    origin = repositories.get(row[3]) if isinstance(row[3], int) else None
    if not isinstance(origin, str) or origin.startswith(
        "@"
    ):  # a pseudo repository of installed packages
        origin = known.origin
    return Reason(mark, origin)


def parse_state(packages: str, nevras: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return ``name.arch`` -> mark, and ``name-evr.arch`` -> repository, of the state of dnf 5.

    The arguments are the texts of ``packages.toml`` and ``nevras.toml``.  Raise ValueError when one
    is not TOML.
    """
    marks = {
        name: "auto" if "Dependency" in reason else "manual"
        for name, reason in _values(packages, "packages", "reason")
        if reason in ("User", "Group", "External User", "Dependency", "Weak Dependency")
    }
    return marks, dict(_values(nevras, "nevras", "from_repo"))


def _values(text: str, table: str, name: str) -> Iterator[tuple[str, str]]:
    entries = parse_toml(text).get(table)
    for key, entry in entries.items() if isinstance(entries, dict) else ():
        value = entry.get(name) if isinstance(entry, dict) else None
        if isinstance(value, str) and value:
            yield key, value


class Locks(NamedTuple):
    """Patterns of packages that must not be upgraded.

    `versions` match ``name-epoch:version-release.arch``, as in dnf's versionlock, `names` a name.
    """

    versions: tuple[str, ...]
    names: tuple[str, ...]

    def hold(self, name: str, evr: str, arch: str) -> bool:
        """True when a pattern matches the package."""
        whole = f"{name}-{evr if ':' in evr else f'0:{evr}'}.{arch}"
        return any(fnmatchcase(whole, pattern) for pattern in self.versions) or any(
            fnmatchcase(name, pattern) for pattern in self.names
        )


def parse_locks(versionlock: str, state: str, zypp: str) -> Locks:
    """Parse ``versionlock.list`` of dnf, ``versionlock.toml`` of dnf 5, and zypper's ``locks``.

    Raise ValueError when the second is not TOML.
    """
    lines = (line.strip() for line in versionlock.split("\n"))
    packages = parse_toml(state).get("packages")
    listed = packages if isinstance(packages, list) else []
    named = [entry.get("name") for entry in listed if isinstance(entry, dict)]
    return Locks(
        tuple(line for line in lines if line and line[0] not in "#!"),
        (
            *(name for name in named if isinstance(name, str)),
            *re.findall(r"^solvable_name:\s*(\S+)", zypp, re.MULTILINE),
        ),
    )


def parse_auto_installed(text: str) -> frozenset[str]:
    """Return the names of packages that zypper installed as dependencies."""
    return frozenset(re.findall(r"^([^\s#]+)\s*$", text, re.MULTILINE))
