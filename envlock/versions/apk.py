"""The order of Alpine versions, as in apk-package(5): ``1.2.3a_rc1~0abc-r4``.

A number after a dot that begins with 0 is compared as text, like a decimal fraction.  If one
version is a prefix of the other, the longer one is newer unless it continues with a pre-release
suffix.
"""

from __future__ import annotations

import re

_VERSION = re.compile(
    r"(?P<core>[0-9]+(?:\.[0-9]+)*)(?P<letter>[a-z])?"
    r"(?P<suffixes>(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*)"
    r"(?:~(?P<commit>[0-9a-f]+))?(?:-r(?P<revision>[0-9]+))?\Z",
    re.ASCII,
)
_SUFFIX = re.compile(r"_([a-z]+)([0-9]*)")
_BEFORE = ("alpha", "beta", "pre", "rc")
_AFTER = ("cvs", "svn", "git", "hg", "p")

_PRE_RELEASE, _END, _REVISION, _COMMIT, _NUMBER, _POST_RELEASE, _LETTER, _DIGITS = range(8)
"""What a version can continue with, the lowest first."""

_Part = tuple[int, int, str]


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, the same as, or newer than `right`.

    Raise ValueError for a string that is not an Alpine version.
    """
    a, b = _key(left), _key(right)
    return (a > b) - (a < b)


def upstream(version: str) -> str:
    """Return a version without the revision of the package.  Raise ValueError as `compare`."""
    return _match(version).string.partition("-r")[0]


def _match(version: str) -> re.Match[str]:
    match = _VERSION.match(version)
    if match is None:
        raise ValueError(f"not an Alpine version: {version!r}")
    return match


def _key(version: str) -> list[_Part]:
    match = _match(version)
    first, *rest = match["core"].split(".")
    parts = [(_DIGITS, int(first), ""), *map(_digits, rest)]
    if match["letter"]:
        parts.append((_LETTER, 0, match["letter"]))
    for name, number in _SUFFIX.findall(match["suffixes"]):
        parts.append(_suffix(name))
        if number:
            parts.append((_NUMBER, int(number), ""))
    if match["commit"]:
        parts.append((_COMMIT, 0, match["commit"]))
    if match["revision"]:
        parts.append((_REVISION, int(match["revision"]), ""))
    return [*parts, (_END, 0, "")]


def _digits(text: str) -> _Part:
    # A part that begins with 0 sorts before all others, so its number is -1.
    return (_DIGITS, -1, text) if text.startswith("0") else (_DIGITS, int(text), "")


def _suffix(name: str) -> _Part:
    if name in _BEFORE:
        return (_PRE_RELEASE, _BEFORE.index(name), "")
    return (_POST_RELEASE, _AFTER.index(name), "")
