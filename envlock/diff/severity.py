"""Give each difference a severity, a reason and a fix: the first matching rule decides."""

from __future__ import annotations

from functools import lru_cache

from envlock.diff.drift import Change, ChangeKind, Delta
from envlock.diff.fixes.commands import Surroundings
from envlock.diff.predicates import package_name
from envlock.diff.rules import INCONSISTENCY_RULES, RULES, SPECIAL_RULES, Rule
from envlock.errors import UsageError
from envlock.model.glob import compile_globs
from envlock.model.severity import Severity

_NOTHING_KNOWN = Surroundings()


def classify(
    delta: Delta, left_name: str, right_name: str, around: Surroundings = _NOTHING_KNOWN
) -> Change:
    """Return `delta` as a change with severity, rule, reason, and a fix or what to do next."""
    rule = _rule_for(delta)
    words = {
        "key": delta.key,
        "package": package_name(delta),
        "environment": delta.key.partition("/")[0],
        "field": delta.field,
        "left": delta.left or "nothing",
        "right": delta.right or "nothing",
        "left_name": left_name,
        "right_name": right_name,
    }
    fix = rule.fix(delta, around) if rule.fix is not None else ()
    return Change(
        id=delta.id,
        section=delta.section,
        key=delta.key,
        field=delta.field,
        kind=delta.kind,
        left=delta.left,
        right=delta.right,
        relation=delta.relation,
        severity=delta.severity or rule.severity,
        rule=rule.id,
        why=delta.note or rule.why.format_map(words),
        fix=fix,
        next="" if fix else rule.next.format_map(words),
        explained_by=delta.explained_by,
    )


def severity_of(delta: Delta) -> Severity:
    """Return the severity that `classify` gives a difference."""
    return delta.severity or _rule_for(delta).severity


def explain(rule_id: str) -> Rule:
    """Return the rule called `rule_id`.  Raise UsageError when there is none."""
    for rule in (*RULES, *SPECIAL_RULES.values(), *INCONSISTENCY_RULES.values()):
        if rule.id == rule_id:
            return rule
    raise UsageError(f"no rule is called {rule_id}", hint="rule ids are in the JSON report")


def _rule_for(delta: Delta) -> Rule:
    if delta.special_rule:
        special = SPECIAL_RULES.get(delta.special_rule)
        return special or INCONSISTENCY_RULES[delta.special_rule]
    if delta.explained_by:
        return SPECIAL_RULES["explained"]
    if delta.kind is ChangeKind.UNKNOWN:
        return SPECIAL_RULES["unknown"]
    rules = _rules_for(delta.section)
    return next(rule for rule in rules if _matches(rule, delta) and _has_values(rule, delta))


@lru_cache(maxsize=64)
def _rules_for(section: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if not rule.sections or section in rule.sections)


def _has_values(rule: Rule, delta: Delta) -> bool:
    """False when the text of a rule names the value of a fact that a side does not have."""
    words = f"{rule.why} {rule.next}"
    sides = (("{left}", delta.left), ("{right}", delta.right))
    return not delta.field or all(value is not None or word not in words for word, value in sides)


def _matches(rule: Rule, delta: Delta) -> bool:
    return (
        (not rule.fields or delta.field in rule.fields)
        and (not rule.kinds or delta.kind in rule.kinds)
        and (rule.relation is None or delta.relation is rule.relation)
        and (not rule.classes or delta.facts.get("class", "") in rule.classes)
        and (not rule.keys or compile_globs(rule.keys).match(delta.key) is not None)
        and (rule.when is None or rule.when(delta))
    )
