"""The record that a file belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping

from envlock.scope.graph import Around, Item
from envlock.scope.python_envs import SECTION, environments

_LIBRARY = re.compile(r"(?P<prefix>.*)/lib(?:64)?/(?:python|pypy)\d+\.\d+t?/(?!site-packages/)")

_ARCHIVES = (".jar", ".war", ".ear")


def record_of(path: str, around: Around) -> Item:
    """Return the record that a file at a real path belongs to; ``file PATH`` where none has it.

    After the package that claims it: software without a package by its path, and for a standard
    library that no package brought the Python environment that it serves.
    """
    owner = around.view.owner(path)
    if owner:
        return Item.of_owner(owner)
    if path in around.lock.sections.get("software", {}):
        return Item("software", path)
    if path.endswith(_ARCHIVES):
        key = around.once(_archives).get(path)
        if key:
            return Item("java", key)
    library = _LIBRARY.match(path)
    for environment in environments(around) if library else ():
        if library and environment.prefix == (library["prefix"] or "/"):
            return Item(SECTION, environment.key)
    return Item("file", path)


def _archives(around: Around) -> Mapping[str, str]:
    """Return path of a Java archive -> key of its record."""
    records = around.lock.sections.get("java", {})
    return {facts["path"]: key for key, facts in records.items() if "path" in facts}


def can_be_compared(item: Item, around: Around) -> bool:
    """True for a record, a program and a library; false for a file of which no lock knows more."""
    if item.section != "file" or item.key in around.lock.sections.get("file", {}):
        return True
    return around.view.linkage(item.key) is not None
