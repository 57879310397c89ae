"""The policy of one comparison."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from envlock.config.policy_tables import Expectation, Waiver
from envlock.diff.policy.baseline import NO_BASELINE, Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a team has decided about differences, in addition to the severity rules.

    `presets` names sets of ignore rules that envlock ships.  `today` is the date used to decide
    whether a waiver has expired; by default all waivers have.
    """

    presets: tuple[str, ...] = ()
    expect: tuple[Expectation, ...] = ()
    baseline: Baseline = NO_BASELINE
    waive: tuple[Waiver, ...] = ()
    today: date = date.max


NO_POLICY = Policy()
"""An empty policy."""
