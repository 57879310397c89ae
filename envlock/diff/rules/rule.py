"""One severity rule: its conditions and its judgement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.fixes.commands import Fix
from envlock.model.severity import Severity
from envlock.versions.relation import Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A severity with its reason and fix, for the differences that meet all conditions.

    An empty condition is always met.  `keys` are globs, `classes` are file classes, and `when` is a
    predicate on the whole difference.  `why` and `next` are format strings with the fields
    ``{key}``, ``{package}``, ``{environment}``, ``{field}``, ``{left}``, ``{right}``,
    ``{left_name}`` and ``{right_name}``; those of a rule for one environment use the first three
    only.  `fix` returns the commands that remove the difference; where it returns none, the
    sentence `next` says what to do.  `source` names what the judgement is based on.
    `breaks` marks what stops a program: a report shows it before other changes of its severity.
    """

    id: str
    severity: Severity
    breaks: bool = False
    why: str
    fix: Fix | None = None
    next: str = "compare it on {left_name} and on {right_name}, and keep one"
    source: str
    sections: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    kinds: tuple[ChangeKind, ...] = ()
    relation: Relation | None = None
    classes: tuple[str, ...] = ()
    when: Callable[[Delta], bool] | None = None
