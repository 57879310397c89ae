"""What an installed Python distribution says of itself.

Sources: the packaging specifications "Core metadata", "Recording installed projects" (RECORD,
INSTALLER, REQUESTED), "Direct URL", "Binary distribution format" (WHEEL, file names), and PEP 405
(pyvenv.cfg).
"""

from __future__ import annotations

import base64
import binascii
import csv
import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.model.document import parse_json

_NAME = re.compile(r"[-_.]+")
_UNSAFE = re.compile(r"[^\w.+]+", re.ASCII)


class Recorded(NamedTuple):
    """A line of RECORD: the path as written, and the SHA-256 in hex or nothing."""

    path: str
    sha256: str


class DirectUrl(NamedTuple):
    """Where a distribution came from when not from an index.

    `kind` is ``archive``, ``vcs`` or ``directory``; `revision` the commit of a repository,
    `sha256` the digest of an archive.
    """

    kind: str
    url: str
    is_editable: bool = False
    revision: str = ""
    sha256: str = ""


def normalize_name(name: str) -> str:
    """Return a distribution's name as indexes compare it.

    >>> normalize_name("Django_Foo.bar")
    'django-foo-bar'
    """
    return _NAME.sub("-", name).lower()


def parse_headers(text: str) -> dict[str, list[str]]:
    """Return header -> values of the RFC 822 head of METADATA, PKG-INFO or WHEEL, in lower case."""
    headers: dict[str, list[str]] = {}
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line:
            break
        name, colon, value = line.partition(":")
        if colon and name.strip() == name:
            headers.setdefault(name.lower(), []).append(value.strip())
    return headers


def parse_record(text: str) -> Iterator[Recorded]:
    """Yield the files of a RECORD; malformed lines are passed over."""
    try:
        for row in csv.reader(text.splitlines()):
            if row and row[0]:
                yield Recorded(row[0], _sha256(row[1]) if len(row) > 1 else "")
    except csv.Error:
        return


def _sha256(field: str) -> str:
    algorithm, _, value = field.partition("=")
    if algorithm != "sha256":
        return ""
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except (binascii.Error, ValueError):
        return ""


def wheel_filename(name: str, version: str, wheel: dict[str, list[str]]) -> str:
    """Return the file name of the wheel that was installed, or nothing without tags.

    Tags are compressed as in the file name: each part's alternatives, sorted, joined by dots.
    """
    tags = [tag.split("-") for tag in wheel.get("tag", ()) if tag.count("-") == 2]
    if not tags:
        return ""
    # The order in WHEEL is the order in the file name, see the compressed tag sets of PEP 425.
    parts = [".".join(dict.fromkeys(tag[place] for tag in tags)) for place in range(3)]
    build = f"-{wheel['build'][0]}" if wheel.get("build") else ""
    stem = f"{_UNSAFE.sub('_', name)}-{_UNSAFE.sub('_', version)}"
    return f"{stem}{build}-{'-'.join(parts)}.whl"


def parse_direct_url(text: str) -> DirectUrl | None:
    """Return the origin in direct_url.json, or None when it is not one."""
    try:
        document = parse_json(text)
        url = document["url"]
        if not isinstance(url, str):
            return None
        if "vcs_info" in document:
            info = document["vcs_info"]
            return DirectUrl("vcs", f"{info['vcs']}+{url}", revision=str(info.get("commit_id", "")))
        if "archive_info" in document:
            hashes = document["archive_info"].get("hashes") or {}
            return DirectUrl("archive", url, sha256=str(hashes.get("sha256", "")))
        editable = bool(document.get("dir_info", {}).get("editable"))
        return DirectUrl("directory", url, is_editable=editable)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def parse_pyvenv(text: str) -> dict[str, str]:
    """Return the settings of a pyvenv.cfg, keys in lower case."""
    pairs = (line.partition("=") for line in text.split("\n"))
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}
