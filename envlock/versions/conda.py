"""The order of conda versions.

Sources: conda documentation, "Package match specifications"; the docstring of conda's class
``VersionOrder``.  A version is an epoch, numbers and words in parts, and a local version after
``+``.  Words come before numbers, ``dev`` before every other word and ``post`` after every number.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import NamedTuple

_VERSION = re.compile(
    r"(?:(?P<epoch>[0-9]+)!)?(?P<main>[0-9a-z._]+)(?:\+(?P<local>[0-9a-z._]+))?\Z"
)
_ATOM = re.compile(r"[0-9]+|[^0-9]+")


class _Atom(NamedTuple):
    """A run of digits or letters of a part, as a sort key."""

    rank: int
    number: int
    word: str


_DEV, _WORD, _NUMBER, _POST = range(4)
_ZERO = _Atom(_NUMBER, 0, "")
_Part = tuple[_Atom, ...]


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, the same as, or newer than `right`.

    Raise ValueError for a string that is not a conda version.
    """
    a, b = _parse(left), _parse(right)
    if a.epoch != b.epoch:
        return 1 if a.epoch > b.epoch else -1
    return _order(a.main, b.main) or _order(a.local, b.local)


class _Version(NamedTuple):
    epoch: int
    main: list[_Part]
    local: list[_Part]


def _parse(version: str) -> _Version:
    text = version.strip().lower()
    if "_" not in text:
        text = text.replace("-", "_")
    match = _VERSION.match(text)
    if match is None:
        raise ValueError(f"not a conda version: {version!r}")
    # A final underscore belongs to the number before it, as in OpenSSL's 1.0.1_.
    main, last = match["main"], ""
    if main.endswith("_"):
        main, last = main[:-1], "_"
    local = match["local"] or ""
    return _Version(
        int(match["epoch"] or 0), _parts(main, last, version), _parts(local, "", version)
    )


def _parts(text: str, last: str, version: str) -> list[_Part]:
    if not text:
        return []
    names = text.replace("_", ".").split(".")
    names[-1] += last
    if not all(names):
        raise ValueError(f"not a conda version: {version!r}")
    return [_part(name) for name in names]


def _part(name: str) -> _Part:
    atoms = tuple(_atom(text) for text in _ATOM.findall(name))
    # A part that begins with a word gets a leading 0, so that 1.1 and 1.a1 are comparable.
    return atoms if name[0].isdigit() else (_ZERO, *atoms)


def _atom(text: str) -> _Atom:
    if text.isdigit():
        return _Atom(_NUMBER, int(text), "")
    rank = {"dev": _DEV, "post": _POST}.get(text, _WORD)
    return _Atom(rank, 0, text if rank == _WORD else "")


def _order(left: list[_Part], right: list[_Part]) -> int:
    for a, b in zip_longest(left, right, fillvalue=(_ZERO,)):
        for x, y in zip_longest(a, b, fillvalue=_ZERO):
            if x != y:
                return 1 if x > y else -1
    return 0
