"""The commands of many fixes as few: what one call can do at once is one call.

A package manager decides by what it is given at once: the packages of one transaction are solved
together, where one after the other would fail on versions that require each other (apt-get(8)).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from envlock.apply.gap import Command

_TRANSACTIONS: tuple[tuple[tuple[str, ...], frozenset[str]], ...] = (
    (("apt-get", "install"), frozenset({"--no-install-recommends", "--allow-downgrades"})),
    (("apt-get", "install", "--reinstall"), frozenset({"-o", "Dpkg::Options::=--force-confmiss"})),
    (("apt-get", "remove"), frozenset()),
    (("apt-get", "purge"), frozenset()),
    (("apt-mark", "auto"), frozenset()),
    (("apt-mark", "manual"), frozenset()),
    (("apt-mark", "hold"), frozenset()),
    (("apt-mark", "unhold"), frozenset()),
    (("dnf", "install"), frozenset()),
    (("dnf", "remove"), frozenset()),
    (("apk", "add"), frozenset()),
)
"""Beginnings of commands that can be joined, and the options that may follow each."""
_PIP = ("install", "--no-deps")


class _Start(NamedTuple):
    """What commands that can be joined have in common, and the options of one of them."""

    words: tuple[str, ...]
    options: tuple[str, ...]
    operands: tuple[str, ...]


def merged(commands: Iterable[Command]) -> tuple[Command, ...]:
    """Return commands that do the same, in the same order: equal ones once, joinable ones as one.

    A joined command stands where the first of its parts stood.  What is half installed is finished
    first and holds are lifted; marks follow all packages, which apt would mark again.

    >>> merged([("apt-get", "install", "a=1"), ("apt-mark", "auto", "a"),
    ...         ("apt-get", "install", "b=2")])
    (('apt-get', 'install', 'a=1', 'b=2'), ('apt-mark', 'auto', 'a'))
    """
    joined: dict[tuple[str, ...], tuple[dict[str, None], dict[str, None]]] = {}
    order: list[tuple[str, ...]] = []
    for command in commands:
        start = _start(command)
        if start.words not in joined:
            joined[start.words] = ({}, {})
            order.append(start.words)
        options, operands = joined[start.words]
        options.update(dict.fromkeys(start.options))
        operands.update(dict.fromkeys(start.operands))
    order.sort(key=_turn)
    return tuple((*words, *joined[words][0], *joined[words][1]) for words in order)


def _turn(words: tuple[str, ...]) -> int:
    """Return the sort key of a command: what lets packages be changed, packages, their marks."""
    if words[:1] == ("dpkg",) or words == ("apt-mark", "unhold"):
        return 0
    return 2 if words[0] == "apt-mark" else 1


def _start(command: Command) -> _Start:
    """Split a command at the first word that may stand beside others of its kind."""
    for words, known in _TRANSACTIONS:
        if command[: len(words)] == words and not _is_reinstallation(command, words):
            rest = command[len(words) :]
            options = tuple(word for word in rest if word in known)
            operands = tuple(word for word in rest if word not in known)
            if not any(word.startswith("-") for word in operands):
                return _Start(words, options, operands)
    beginning = 1 + len(_PIP)
    if command[1:beginning] == _PIP and len(command) == beginning + 1:
        return _Start(command[:beginning], (), command[beginning:])
    return _Start(command, (), ())


def _is_reinstallation(command: Command, words: tuple[str, ...]) -> bool:
    """True for a reinstallation that is held against the row of an installation."""
    return "--reinstall" in command and "--reinstall" not in words
