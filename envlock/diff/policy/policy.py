"""The policy of one comparison, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from envlock.config.policy_tables import Expectation, Waiver
from envlock.diff.policy.baseline import NO_BASELINE, Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What decides over differences beside the rules of severity.

    `presets` are names of shipped sets of what to ignore.  `today` is what the expiry of waivers is
    compared with; without one every waiver has expired.
    """

    presets: tuple[str, ...] = ()
    expect: tuple[Expectation, ...] = ()
    baseline: Baseline = NO_BASELINE
    waive: tuple[Waiver, ...] = ()
    today: date = date.max


NO_POLICY = Policy()
"""A policy that says nothing."""
