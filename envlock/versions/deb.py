"""The order of Debian versions, as in deb-version(7): ``[epoch:]upstream[-revision]``."""

from __future__ import annotations

import re

# Only a version with an epoch may contain another colon.
_VERSION = re.compile(
    r"(?:([0-9]+):)?((?(1)[A-Za-z0-9.+~:-]|[A-Za-z0-9.+~-])+?)(?:-([A-Za-z0-9.+~]*))?\Z"
)
_RUN = re.compile(r"([^0-9]*)([0-9]*)")


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, the same as, or newer than `right`.

    Raise ValueError for a string that is not a Debian version.
    """
    a, b = _key(left), _key(right)
    return (a > b) - (a < b)


def upstream(version: str) -> str:
    """Return a version without epoch and Debian revision.  Raise ValueError as `compare`."""
    return _split(version)[1]


def _key(version: str) -> tuple[int, list[_Run], list[_Run]]:
    epoch, body, revision = _split(version)
    return int(epoch), _runs(body), _runs(revision)


def _split(version: str) -> tuple[str, str, str]:
    match = _VERSION.match(version)
    if match is None:
        raise ValueError(f"not a Debian version: {version!r}")
    return match[1] or "0", match[2], match[3] or ""


_Run = tuple[tuple[int, ...], int]


def _runs(text: str) -> list[_Run]:
    """Return alternating runs of non-digits and numbers, so that the lists sort as in dpkg.

    The end of a run of non-digits weighs 0: more than a tilde, less than a letter; other
    characters sort after all letters.  An empty text is the number 0.  The final empty run is
    compared with the rest of a longer version.
    """
    first, *rest = _RUN.findall(text)
    runs = [first, *(run for run in rest if run != ("", "")), ("", "")]
    return [((*map(_weight, letters), 0), int(digits or 0)) for letters, digits in runs]


def _weight(char: str) -> int:
    if char == "~":
        return -1
    return ord(char) if char.isalpha() else ord(char) + 256
