"""Problems of a policy that can be found without a comparison."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from envlock.config.policy_tables import Demand, Expectation
from envlock.diff.filters import IgnoreRules
from envlock.diff.policy.baseline import Baseline, Pair
from envlock.diff.policy.policy import Policy
from envlock.diff.policy.presets import PRESETS
from envlock.errors import UsageError
from envlock.model.facts import SECTIONS, Kind, VersionOrder, kind_of, order_of
from envlock.model.glob import compile_globs
from envlock.versions.ordering import compare

_WILD = re.compile(r"[*?]")


def policy_problems(policy: Policy, ignore: Iterable[str], names: Collection[str]) -> Iterator[str]:
    """Yield the problems: expired waivers, unknown environments and sections, ...

    `names` are the environments of the project; if there are none, names are not checked.
    """
    for rule in ignore:
        try:
            IgnoreRules([rule])
        except UsageError as error:
            yield f"diff.ignore: {error.message}"
    for name in policy.presets:
        if name not in PRESETS:
            yield f"diff.presets: no preset is called {name}"
    for expectation in policy.expect:
        for problem in _expectation(expectation, names):
            yield f"expect {expectation.subject}: {problem}"
    yield from _waivers(policy, names)
    yield from _baseline(policy.baseline, names)


def _expectation(expectation: Expectation, names: Collection[str]) -> Iterator[str]:
    pattern = compile_globs((expectation.section,))
    known = [section for section in SECTIONS if pattern.match(section)]
    if not known:
        yield f"no section is called {expectation.section}"
    yield from _unknown_environments((*sorted(expectation.names), *expectation.environments), names)
    if expectation.demand is not Demand.AT_LEAST:
        return
    fact = expectation.fact or "version"
    for section in known:
        order = order_of(section) if kind_of(section, fact) is Kind.VERSION else VersionOrder.DOTTED
        try:
            compare(order, expectation.version, expectation.version)
        except ValueError as error:
            if not _WILD.search(expectation.section):
                yield f"{expectation.words}: {error}"


def _waivers(policy: Policy, names: Collection[str]) -> Iterator[str]:
    seen: set[tuple[str, Pair, Pair]] = set()
    for waiver in policy.waive:
        title = f"waive {waiver.id}"
        if waiver.expires < policy.today:
            yield f"{title}: expired on {waiver.expires}: {waiver.reason}"
        for problem in _unknown_environments(waiver.environments, names):
            yield f"{title}: {problem}"
        identity = (waiver.id, waiver.environments, waiver.values)
        if identity in seen:
            yield f"{title}: is listed twice"
        seen.add(identity)


def _baseline(baseline: Baseline, names: Collection[str]) -> Iterator[str]:
    for pair, rows in baseline.pairs.items():
        for problem in _unknown_environments(pair, names):
            yield f"{baseline.where}: {problem}"
        if pair < pair[::-1] and baseline.of(pair[::-1]):
            yield f"{baseline.where}: {pair[0]} and {pair[1]} are listed in both orders"
        for id_, row in rows.items():
            if row.left == row.right and "expect:" not in row.what:
                yield f"{baseline.where}: {id_} accepts a difference of two equal values"


def _unknown_environments(referenced: Iterable[str], names: Collection[str]) -> Iterator[str]:
    for name in dict.fromkeys(referenced):
        if names and name not in names:
            yield f"no environment is called {name}"
