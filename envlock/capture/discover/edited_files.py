"""The files of a Python distribution that differ from its RECORD, as facts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from envlock.capture.context import Context
from envlock.formats.system.certificates import certificates_added_to
from envlock.model.text import to_bytes
from envlock.model.tree import Entry

_BUNDLES = (".pem", "/cacerts.txt")
"""Ends of the names of files of authorities: certifi's cacert.pem, roots.pem of gRPC, ..."""
_LARGEST_BUNDLE = 8 * 1024 * 1024


def edited_facts(recorded: Iterable[tuple[str, str, str]], context: Context) -> dict[str, str]:
    """Return the facts ``edited``, ``edited-files``, ``missing-files`` and ``authorities``.

    `recorded` are the absolute path, the path as recorded, and the SHA-256 of each file.  A bundle
    to which authorities were only added is not edited: the authorities are named.
    """
    edited: list[bytes] = []
    authorities: set[str] = set()
    missing = 0
    for path, name, sha256 in recorded:
        if not sha256 or name.endswith(".pyc"):
            continue
        entry = context.followed(path)
        if entry is None:
            missing += 1
        elif entry.sha256 and entry.sha256 != sha256:
            added = _added(entry, sha256, context) if name.endswith(_BUNDLES) else frozenset()
            authorities |= added
            if not added:
                edited.append(to_bytes(f"{name}\0{entry.sha256}"))
    return {
        "edited": _digest(sorted(edited)) if edited else "",
        "edited-files": str(len(edited) or ""),
        "missing-files": str(missing or ""),
        "authorities": "; ".join(sorted(authorities)),
    }


def _digest(lines: Iterable[bytes]) -> str:
    content = b"".join(line + b"\n" for line in lines)
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _added(entry: Entry, sha256: str, context: Context) -> frozenset[str]:
    """Return the subjects of the certificates that were added to a bundle, with their digests."""
    stream = context.open(entry) if entry.size <= _LARGEST_BUNDLE else None
    if stream is None:
        return frozenset()
    with stream:
        found = certificates_added_to(stream.read(_LARGEST_BUNDLE), sha256)
    return frozenset(f"{one.subject} (sha256:{one.sha256})".strip() for one in found)
