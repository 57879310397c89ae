"""One rule of severity: what it applies to, and its judgement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from envlock.diff.drift import ChangeKind, Delta, Severity
from envlock.versions.relation import Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One judgement.

    Every condition that is set must hold; one that is empty holds for all.  `keys` are globs,
    `classes` file classes, `when` a question about the difference as a whole.  `why` and `fix`
    may name ``{key}``, ``{package}``, ``{field}``, ``{left}``, ``{right}``, ``{left_name}``,
    ``{right_name}`` and ``{install}``, the command that installs the left version.  `source` tells
    where the judgement comes from.
    """

    id: str
    severity: Severity
    why: str
    fix: str = "look at it on {left_name} and on {right_name}, and keep one"
    source: str
    sections: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    kinds: tuple[ChangeKind, ...] = ()
    relation: Relation | None = None
    classes: tuple[str, ...] = ()
    when: Callable[[Delta], bool] | None = None
