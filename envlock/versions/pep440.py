"""The order of Python versions, as in the version specifiers specification (PEP 440)."""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(
    r"""
    \s* v?
    (?:(?P<epoch>[0-9]+)!)?
    (?P<release>[0-9]+(?:\.[0-9]+)*)
    (?P<pre>[-_.]?(?P<pre_name>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_number>[0-9]+)?)?
    (?P<post>-(?P<post_bare>[0-9]+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>[0-9]+)?)?
    (?P<dev>[-_.]?dev[-_.]?(?P<dev_number>[0-9]+)?)?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?
    \s* \Z
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_PRE_NAMES = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_LOWEST = ("", -1)
_HIGHEST = ("~", 0)


class _Key(NamedTuple):
    """A version as a sort key."""

    epoch: int
    release: tuple[int, ...]
    pre: tuple[str, int]
    post: int
    dev: float
    local: tuple[tuple[int, str], ...]


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as `left` is older than, the same as, or newer than `right`.

    Raise ValueError for a string that is not a PEP 440 version.
    """
    a, b = _key(left), _key(right)
    return (a > b) - (a < b)


def satisfies(version: str, operator: str, wanted: str) -> bool:
    """Return whether a version satisfies one clause of a version specifier.

    >>> satisfies("1.4.2", "~=", "1.4"), satisfies("1.4.2", "==", "1.3.*")
    (True, False)

    Raise ValueError as `compare`, and for an unknown operator.
    """
    if operator == "===":
        return version == wanted
    if wanted.endswith(".*") and operator in ("==", "!="):
        return _begins(version, wanted.removesuffix(".*")) is (operator == "==")
    if operator == "~=":
        return compare(version, wanted) >= 0 and _begins(version, wanted.rpartition(".")[0])
    # A specifier without a local version speaks of every local version.
    order = compare(version if "+" in wanted else version.partition("+")[0], wanted)
    if operator == "!=":
        return order != 0
    known = {"==": (0,), "<=": (-1, 0), ">=": (0, 1), "<": (-1,), ">": (1,)}
    if operator not in known:
        raise ValueError(f"not an operator: {operator!r}")
    return order in known[operator]


def _begins(version: str, wanted: str) -> bool:
    """True when a version has the epoch and begins with the release numbers of another."""
    match, start = _match(version), _match(wanted)
    numbers, first = (tuple(map(int, each["release"].split("."))) for each in (match, start))
    numbers += (0,) * (len(first) - len(numbers))
    return (match["epoch"] or "0") == (start["epoch"] or "0") and numbers[: len(first)] == first


def release(version: str) -> tuple[int, ...]:
    """Return the release segment, at least three numbers.  Raise ValueError as `compare`."""
    numbers = tuple(map(int, _match(version)["release"].split(".")))
    return numbers + (0,) * (3 - len(numbers))


def _match(version: str) -> re.Match[str]:
    match = _VERSION.match(version)
    if match is None:
        raise ValueError(f"not a PEP 440 version: {version!r}")
    return match


def _key(version: str) -> _Key:
    match = _match(version)
    numbers = [int(part) for part in match["release"].split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return _Key(
        epoch=int(match["epoch"] or 0),
        release=tuple(numbers),
        pre=_pre(match),
        post=int(match["post_bare"] or match["post_number"] or 0) if match["post"] else -1,
        dev=int(match["dev_number"] or 0) if match["dev"] else float("inf"),
        local=_local(match["local"]),
    )


def _pre(match: re.Match[str]) -> tuple[str, int]:
    """Return the sort key of the pre-release: a development release first, the final one last."""
    if match["pre"]:
        name = match["pre_name"].lower()
        return _PRE_NAMES.get(name, name), int(match["pre_number"] or 0)
    return _LOWEST if match["dev"] and not match["post"] else _HIGHEST


def _local(text: str | None) -> tuple[tuple[int, str], ...]:
    """Return the sort key of a local version: numbers by value, after words."""
    parts = re.split(r"[-_.]", text.lower()) if text else ()
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)
