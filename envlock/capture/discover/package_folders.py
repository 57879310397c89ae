"""Packages that are installed into a directory of their own: ownership and keys."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from envlock.capture.context import Context
from envlock.capture.files.ownership import Claim, Claims

_P = TypeVar("_P", bound=tuple[str, ...])


def claim_folders(
    context: Context,
    owners: Mapping[str, str],
    within: str = "/",
    artifacts: Mapping[str, str] | None = None,
) -> Claims:
    """Return a claim without a digest for each path in the directories of packages.

    `owners` maps directory -> record.  In nested directories the innermost package owns a path.
    Only paths that contain `within` are considered.  `artifacts` maps record -> `Claim.artifact`.
    """
    found: dict[str, Claim] = {}
    known: dict[str, str] = {}
    published = artifacts or {}
    outer = _outermost({f"{posixpath.dirname(folder).rstrip('/')}/" for folder in owners})
    for path in context.below(outer, within) if owners else ():
        owner = owners.get(path) or _owner(posixpath.dirname(path), owners, known)
        if owner:
            found[path] = Claim(owner=owner, artifact=published.get(owner, ""))
    return found


def _outermost(folders: Collection[str]) -> tuple[str, ...]:
    """Return the directories (with a final slash) that lie in none of the others."""
    kept: list[str] = []
    for folder in sorted(folders):
        if not (kept and folder.startswith(kept[-1])):
            kept.append(folder)
    return tuple(kept)


def claim_parents(found: dict[str, Claim], root: str) -> None:
    """Claim the directories of claimed files below `root`, each for its first file's owner."""
    below = f"{root.rstrip('/')}/"
    for path, claim in list(found.items()):
        folder = posixpath.dirname(path)
        while folder.startswith(below) and folder not in found:
            found[folder] = Claim(owner=claim.owner)
            folder = posixpath.dirname(folder)


def version_keys(packages: Iterable[_P]) -> dict[_P, str]:
    """Return package -> key, given (name, version, further distinguishing fields...).

    The key is as short as it can be: version and further fields are added only where needed.

    >>> sorted(version_keys([("gcc", "12"), ("zlib", "1.3"), ("zlib", "1.2")]).values())
    ['gcc', 'zlib@1.2', 'zlib@1.3']
    """
    ordered = sorted(set(packages))
    names = Counter(package[0] for package in ordered)
    versions = Counter(package[:2] for package in ordered)
    keys = {}
    for package in ordered:
        key = package[0] if names[package[0]] == 1 else "@".join(package[:2])
        keys[package] = key if versions[package[:2]] == 1 else "/".join((key, *package[2:]))
    return keys


def _owner(folder: str, owners: Mapping[str, str], known: dict[str, str]) -> str:
    """Return the package that owns a directory: the nearest one above it, or empty."""
    above = [folder]
    while above[-1] not in known and above[-1] not in owners and above[-1] not in ("", "/"):
        above.append(posixpath.dirname(above[-1]))
    owner = known.get(above[-1]) or owners.get(above[-1], "")
    known.update(dict.fromkeys(above, owner))
    return owner
