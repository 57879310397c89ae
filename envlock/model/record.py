"""A record: one thing found in an environment, as named facts of plain text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Facts = Mapping[str, str]
"""Fact name -> text.  Always text: in Python ``False == 0`` and ``1 == 1.0``, which hides drift."""


class Record(NamedTuple):
    """One entry of a section.

    `section` is a name in `envlock.model.facts.SECTIONS`; `key` is unique in it, and empty if the
    section is a single table (``os``, ``process``, ``host.kernel``).  An absent fact is left out,
    never an empty string.
    """

    section: str
    key: str
    facts: Facts
