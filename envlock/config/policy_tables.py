"""What a team says of differences: ``[[expect]]`` and ``[[waive]]``, read and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from envlock.config.setting import LEVELS, Kind, Setting, Table, Value
from envlock.versions.likeness import Likeness

PRESETS = ("ci-runner", "container-vs-host", "volatile-debian")
"""The names of the presets; `envlock.diff.policy.presets` says what is in them."""

_FINGERPRINT = re.compile(r"[0-9a-f]{12}\Z")
_BOUND = re.compile(r"(?:sha256:[0-9a-f]{32}|absent)\Z")


class Demand(StrEnum):
    """What an expectation demands, by the name of its field in envlock.toml."""

    MUST_DIFFER = "must-differ"
    ONLY_IN = "only-in"
    AT_LEAST = "at-least"
    SATISFIES = "satisfies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One ``[[expect]]``: which records, what is demanded of them, and why.

    `section`, `key` and `fact` are patterns.  `names` belongs to ONLY_IN, `version` to AT_LEAST,
    `likeness` to SATISFIES.  With `environments` it is only about that pair, in this order.
    """

    section: str
    key: str
    fact: str
    demand: Demand
    reason: str
    severity: str
    names: frozenset[str] = frozenset()
    version: str = ""
    likeness: Likeness = Likeness.EXACT
    environments: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The records it is about, as `diff.ignore` would name them."""
        return f"{self.section}:{self.key}"

    @property
    def words(self) -> str:
        """What it demands, as envlock.toml says it."""
        match self.demand:
            case Demand.MUST_DIFFER:
                return self.demand.value
            case Demand.ONLY_IN:
                return f"{self.demand.value} {', '.join(sorted(self.names))}"
            case Demand.AT_LEAST:
                return f"{self.demand.value} {self.version}"
            case Demand.SATISFIES:
                return f"{self.demand.value} {self.likeness.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One ``[[waive]]``: a finding of one pair that is accepted until the end of a day.

    `id` is the fingerprint of the finding, `what` names it for readers.  `values` are digests of
    the two values (`envlock.diff.policy.bind`), in the order of `environments`.
    """

    id: str
    what: str
    reason: str
    expires: date
    environments: tuple[str, str]
    values: tuple[str, str]


def to_expectation(row: Mapping[str, Value]) -> Expectation:
    """Return the expectation that a checked row of `EXPECT` describes."""
    demand = next(demand for demand in Demand if row.get(demand.value))
    return Expectation(
        section=str(row["section"]),
        key=str(row.get("key", "**")),
        fact=str(row.get("fact", "")),
        demand=demand,
        reason=str(row["reason"]),
        severity=str(row.get("severity", "high")),
        names=frozenset(_texts(row, Demand.ONLY_IN.value)),
        version=str(row.get(Demand.AT_LEAST.value, "")),
        likeness=Likeness(str(row.get(Demand.SATISFIES.value, "exact"))),
        environments=_texts(row, "environments"),
    )


def to_waiver(row: Mapping[str, Value]) -> Waiver:
    """Return the waiver that a checked row of `WAIVE` describes."""
    left, right = _texts(row, "environments")
    ours, theirs = _texts(row, "values")
    return Waiver(
        id=str(row["id"]),
        what=str(row.get("what", "")),
        reason=str(row["reason"]),
        expires=date.fromisoformat(str(row["expires"])),
        environments=(left, right),
        values=(ours, theirs),
    )


def _texts(row: Mapping[str, Value], name: str) -> tuple[str, ...]:
    value = row.get(name, ())
    return value if isinstance(value, tuple) else ()


def _check_expectation(row: Mapping[str, Value]) -> str:
    given = [demand.value for demand in Demand if row.get(demand.value)]
    if len(given) != 1:
        names = ", ".join(demand.value for demand in Demand)
        return f"needs exactly one of {names}"
    if not row["reason"]:
        return "needs a reason"
    if row.get(Demand.SATISFIES.value) == Likeness.MIN.value and not row.get("environments"):
        return 'needs environments: with "min" the second has at least what the first one has'
    return ""


def _check_waiver(row: Mapping[str, Value]) -> str:
    if not row["reason"]:
        return "needs a reason"
    if not _FINGERPRINT.match(str(row["id"])):
        return "has an id that is no fingerprint: 12 hex digits, as a diff shows them"
    if not all(_BOUND.match(value) for value in _texts(row, "values")):
        return 'has values that are neither "sha256:" and 32 hex digits nor "absent"'
    return ""


EXPECT = Table(
    key="expect",
    is_array=True,
    help="What is meant to differ, or must not: an expectation that is met hides the change and "
    "counts it, one that is not met is a finding of its own.",
    fields=(
        Setting(
            key="section", kind=Kind.TEXT, default="", help='A section, or a pattern: "host.*".'
        ),
        Setting(
            key="key",
            kind=Kind.TEXT,
            default="**",
            help="A pattern of keys; * stays within a path component, ** crosses them.",
        ),
        Setting(
            key="fact",
            kind=Kind.TEXT,
            default="",
            help="The fact it is about, or a pattern; else version, and for must-differ every one.",
        ),
        Setting(
            key="must-differ",
            kind=Kind.SWITCH,
            default=False,
            help="Where both sides have it, it differs.",
        ),
        Setting(
            key="only-in",
            kind=Kind.TEXTS,
            default=(),
            help="The environments that may have it; no other may.",
        ),
        Setting(
            key="at-least",
            kind=Kind.TEXT,
            default="",
            help="The least version, by the order of the section; more is no drift.",
        ),
        Setting(
            key="satisfies",
            kind=Kind.CHOICE,
            default="",
            help="How alike versions must be: patch lets all but major and minor differ, minor all "
            "but major, min lets the second environment have more, present asks only for both.",
            choices=tuple(likeness.value for likeness in Likeness),
        ),
        Setting(
            key="environments",
            kind=Kind.TEXTS,
            default=(),
            items=2,
            help="The pair it is about; without it, any.",
        ),
        Setting(
            key="severity",
            kind=Kind.CHOICE,
            default="high",
            help="How much it weighs when it is not met.",
            choices=LEVELS,
        ),
        Setting(key="reason", kind=Kind.TEXT, default="", help="Why; shown with the finding."),
    ),
    example={
        "section": "env",
        "key": "APP_REGION",
        "fact": "value",
        "must-differ": True,
        "environments": ("dev", "prod"),
        "severity": "critical",
        "reason": "each environment has its own region",
    },
    further=(
        {
            "section": "deb",
            "key": "gdb:*",
            "only-in": ("dev", "ci"),
            "reason": "debuggers stay out of production",
        },
        {
            "section": "deb",
            "key": "libssl3:*",
            "at-least": "3.0.15",
            "reason": "what came before has a known hole",
        },
        {
            "section": "python",
            "key": "app/*",
            "satisfies": "patch",
            "reason": "patch releases go out one environment after the other",
        },
    ),
    required=frozenset({"section", "reason"}),
    check=_check_expectation,
)

WAIVE = Table(
    key="waive",
    is_array=True,
    help="Findings that are accepted for a while; `envlock waive` writes them.",
    fields=(
        Setting(key="id", kind=Kind.TEXT, default="", help="The fingerprint of the finding."),
        Setting(key="what", kind=Kind.TEXT, default="", help="The finding in words, for readers."),
        Setting(key="reason", kind=Kind.TEXT, default="", help="Why it may stay for now."),
        Setting(key="expires", kind=Kind.DATE, default="", help="The last day on which it holds."),
        Setting(
            key="environments",
            kind=Kind.TEXTS,
            default=(),
            items=2,
            help="The pair it is about.",
        ),
        Setting(
            key="values",
            kind=Kind.TEXTS,
            default=(),
            items=2,
            help="Digests of the two values: when one moves, the waiver no longer holds.",
        ),
    ),
    example={
        "id": "e7d5d1abdacd",
        "what": "deb curl:amd64 version",
        "reason": "prod is rebuilt with the next release",
        "expires": "2027-01-31",
        "environments": ("dev", "prod"),
        "values": (
            "sha256:0123456789abcdef0123456789abcdef",
            "sha256:fedcba9876543210fedcba9876543210",
        ),
    },
    required=frozenset({"id", "reason", "expires", "environments", "values"}),
    check=_check_waiver,
)
