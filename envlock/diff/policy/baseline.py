"""The baseline: differences that existed when it was created, in a file that only shrinks.

It is TOML, sorted, with one table for each difference, so that a pull request shows what was
removed::

    baseline-version = "1"

    [pair."dev"."prod"."e7d5d1abdacd"]
    what = "deb curl:amd64 version"
    left = "sha256:..."
    right = "sha256:..."

Several pairs may share a file.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from envlock.diff.drift import Change, ChangeKind
from envlock.diff.policy.bind import ABSENT, mirrored_id
from envlock.diff.rules import CONSEQUENCES
from envlock.errors import ConfigError
from envlock.model.document import parse_toml
from envlock.model.text import escape

_HEAD = """\
# Differences that existed when this file was created.  It only shrinks: nothing is added, and
# `envlock diff --update-baseline` removes what no longer differs.
"""
_VERSION = "1"
_FINGERPRINT = re.compile(r"[0-9a-f]{12}\Z")
_BOUND = re.compile(rf"(?:sha256:[0-9a-f]{{32}}|{ABSENT})\Z")

Pair = tuple[str, str]
"""The names of two environments, left and right."""


class Accepted(NamedTuple):
    """One accepted difference: a description for people, and the digests of its values."""

    what: str
    left: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Pair -> fingerprint -> what was accepted.  `where` names the file in messages."""

    pairs: Mapping[Pair, Mapping[str, Accepted]]
    where: str = ""

    def of(self, pair: Pair) -> Mapping[str, Accepted]:
        """Return what is accepted for a pair in this order."""
        return self.pairs.get(pair, {})

    def covers(self, change: Change, pair: Pair) -> bool:
        """True when the change with its values is accepted, in either order of the pair."""
        return any(True for _ in self._hits(change, pair))

    def _hits(self, change: Change, pair: Pair) -> Iterator[tuple[Pair, str]]:
        for order, id_, bound in (
            (pair, change.id, change.bound),
            (pair[::-1], mirrored_id(change), change.bound[::-1]),
        ):
            row = self.of(order).get(id_)
            if row is not None and row[1:] == bound:
                yield order, id_

    def missing(self, changes: Iterable[Change], pair: Pair) -> frozenset[tuple[Pair, str]]:
        """Return what is accepted for a pair, in either order, but no longer occurs."""
        found = {hit for change in changes for hit in self._hits(change, pair)}
        orders = dict.fromkeys((pair, pair[::-1]))
        return frozenset((order, id_) for order in orders for id_ in self.of(order)) - found

    def without(self, gone: Iterable[tuple[Pair, str]]) -> Baseline:
        """Return the baseline without some of its entries."""
        dropped = frozenset(gone)
        kept = {
            pair: {id_: row for id_, row in rows.items() if (pair, id_) not in dropped}
            for pair, rows in self.pairs.items()
        }
        return Baseline(pairs={pair: rows for pair, rows in kept.items() if rows}, where=self.where)

    def begin(self, pair: Pair, changes: Iterable[Change]) -> Baseline:
        """Return the baseline with all current changes of a pair that it does not contain yet.

        Raise ConfigError if it contains the pair: a baseline only shrinks.
        """
        if self.of(pair) or self.of(pair[::-1]):
            raise ConfigError(
                f"a baseline of {pair[0]} and {pair[1]} exists, and it only shrinks",
                where=self.where,
                hint="--update-baseline removes what no longer differs; "
                "`envlock waive` accepts a difference for a limited time",
            )
        rows = {change.id: Accepted(describe(change), *change.bound) for change in changes}
        return Baseline(pairs={**self.pairs, pair: rows}, where=self.where)


NO_BASELINE = Baseline(pairs={})
"""A baseline that accepts nothing."""


def can_be_accepted(change: Change) -> bool:
    """True for what a baseline or waiver may cover: known, and no consequence of another change.

    A change that is only shown below one of the same cause is covered by itself.
    """
    is_consequence = change.explained_by and change.rule in CONSEQUENCES
    return change.kind is not ChangeKind.UNKNOWN and not is_consequence


def describe(change: Change) -> str:
    """Return what a change is about: ``deb curl:amd64 version``."""
    return escape(" ".join(filter(None, (change.section, change.key, change.field))))


def parse_baseline(raw: bytes, where: str) -> Baseline:
    """Return the baseline in a file.  Raise ConfigError if it is not valid."""
    try:
        document = parse_toml(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not a baseline: {error}", where=where) from error
    if document.get("baseline-version") != _VERSION:
        raise ConfigError(f'not a baseline of version "{_VERSION}"', where=where)
    pairs = {
        (left, right): {id_: _accepted(id_, row, where) for id_, row in _table(rows, where).items()}
        for left, others in _table(document.get("pair", {}), where).items()
        for right, rows in _table(others, where).items()
    }
    return Baseline(pairs=pairs, where=where)


def render_baseline(baseline: Baseline) -> bytes:
    """Return the content of a baseline file; equal baselines give equal bytes."""
    blocks = [f'{_HEAD}baseline-version = "{_VERSION}"\n']
    for pair, rows in sorted(baseline.pairs.items()):
        for id_, row in sorted(rows.items(), key=lambda item: (item[1].what, item[0])):
            names = ".".join(_quoted(name) for name in (*pair, id_))
            facts = "".join(f"{n} = {_quoted(v)}\n" for n, v in row._asdict().items())
            blocks.append(f"[pair.{names}]\n{facts}")
    return "\n".join(blocks).encode()


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ConfigError("not a baseline: pair must hold tables", where=where)
    return value


def _accepted(id_: str, row: object, where: str) -> Accepted:
    facts = _table(row, where)
    values = [facts.get(name) for name in Accepted._fields]
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) != len(values) or len(facts) != len(values):
        names = ", ".join(Accepted._fields)
        raise ConfigError(f"not a baseline: {id_} must hold {names}", where=where)
    accepted = Accepted(*texts)
    if not _FINGERPRINT.match(id_) or not all(_BOUND.match(text) for text in accepted[1:]):
        raise ConfigError(f"not a baseline: {id_} has a value that is not a digest", where=where)
    return accepted


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
