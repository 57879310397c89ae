"""The tables of policy in envlock.toml: ``[[expect]]`` and ``[[waive]]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from envlock.config.setting import LEVELS, Kind, Setting, Table, Value
from envlock.versions.likeness import Likeness

PRESETS = ("ci-runner", "container-vs-host", "volatile-debian")
"""The names of the presets; `envlock.diff.policy.presets` defines them."""

_FINGERPRINT = re.compile(r"[0-9a-f]{12}\Z")
_BOUND = re.compile(r"(?:sha256:[0-9a-f]{32}|absent)\Z")


class Demand(StrEnum):
    """The demand of an expectation; the value is the name of its field in envlock.toml."""

    MUST_DIFFER = "must-differ"
    ONLY_IN = "only-in"
    AT_LEAST = "at-least"
    SATISFIES = "satisfies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One ``[[expect]]``: which records, what is demanded of them, and why.

    `section`, `key` and `fact` are patterns.  `names` belongs to ONLY_IN, `version` to AT_LEAST,
    `likeness` to SATISFIES.  With `environments` it applies to that pair only, in this order.
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
        """The records it applies to, in the form of `diff.ignore`."""
        return f"{self.section}:{self.key}"

    @property
    def words(self) -> str:
        """The demand, in the words of envlock.toml."""
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

    `id` is the fingerprint of the finding, `what` describes it for readers.  `values` are digests
    of the two values (`envlock.diff.policy.bind`), in the order of `environments`.
    """

    id: str
    what: str
    reason: str
    expires: date
    environments: tuple[str, str]
    values: tuple[str, str]


def to_expectation(row: Mapping[str, Value]) -> Expectation:
    """Return the expectation of a valid row of `EXPECT`."""
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
    """Return the waiver of a valid row of `WAIVE`."""
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
        return (
            'needs environments: with "min" the second must have at least the version of the first'
        )
    return ""


def _check_waiver(row: Mapping[str, Value]) -> str:
    if not row["reason"]:
        return "needs a reason"
    if not _FINGERPRINT.match(str(row["id"])):
        return "has an invalid id: it must be 12 hex digits, as a diff shows them"
    if not all(_BOUND.match(value) for value in _texts(row, "values")):
        return 'has invalid values: each must be "sha256:" and 32 hex digits, or "absent"'
    return ""


EXPECT = Table(
    key="expect",
    is_array=True,
    help="What should differ, and what must not. A met expectation hides the change, and reports "
    "count it; an unmet one is a finding of its own.",
    fields=(
        Setting(
            key="section", kind=Kind.TEXT, default="", help='A section, or a pattern: "host.*".'
        ),
        Setting(
            key="key",
            kind=Kind.TEXT,
            default="**",
            help="A pattern of keys; * does not match a slash, ** does.",
        ),
        Setting(
            key="fact",
            kind=Kind.TEXT,
            default="",
            help="A fact, or a pattern; without it the version, and for must-differ every fact.",
        ),
        Setting(
            key="must-differ",
            kind=Kind.SWITCH,
            default=False,
            help="If both sides have it, the values must differ.",
        ),
        Setting(
            key="only-in",
            kind=Kind.TEXTS,
            default=(),
            help="The only environments that may have it.",
        ),
        Setting(
            key="at-least",
            kind=Kind.TEXT,
            default="",
            help="The lowest allowed version, in the order of the section; a higher one is not "
            "drift.",
        ),
        Setting(
            key="satisfies",
            kind=Kind.CHOICE,
            default="",
            help="How similar the versions must be. exact: equal; patch: same major and minor; "
            "minor: same major; min: the second is not lower; present: both have one.",
            choices=tuple(likeness.value for likeness in Likeness),
        ),
        Setting(
            key="environments",
            kind=Kind.TEXTS,
            default=(),
            items=2,
            help="The two environments it applies to; without it, any two.",
        ),
        Setting(
            key="severity",
            kind=Kind.CHOICE,
            default="high",
            help="Severity of the finding if it is not met.",
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
            "reason": "earlier versions have a known vulnerability",
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
    help="Findings that are accepted until a date; `envlock waive` writes them.",
    fields=(
        Setting(key="id", kind=Kind.TEXT, default="", help="The fingerprint of the finding."),
        Setting(key="what", kind=Kind.TEXT, default="", help="The finding in words, for readers."),
        Setting(key="reason", kind=Kind.TEXT, default="", help="Why it is acceptable for now."),
        Setting(
            key="expires", kind=Kind.DATE, default="", help="The last day on which it is valid."
        ),
        Setting(
            key="environments",
            kind=Kind.TEXTS,
            default=(),
            items=2,
            help="The two environments it applies to.",
        ),
        Setting(
            key="values",
            kind=Kind.TEXTS,
            default=(),
            items=2,
            help="Digests of the two values: if one changes, the waiver is no longer valid.",
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
