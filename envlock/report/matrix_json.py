"""Report of many environments for programs: JSON that follows ``matrix.schema.json``."""

from __future__ import annotations

import json

from envlock.diff.many.matrix import Finding, Outlier
from envlock.model.text import escape
from envlock.report.input import MatrixInput
from envlock.report.wording import shell_line

SCHEMA_VERSION = 1


def render_matrix_json(given: MatrixInput) -> str:
    """Return JSON with one finding a line, ended by a newline.

    Keys and values are escaped as in the lockfile, so that a path with any bytes is valid text.
    """
    matrix, report = given.matrix, given.report
    head = {
        "schema_version": SCHEMA_VERSION,
        "result": report.result,
        "environments": [escape(name) for name in matrix.environments],
        "scope": [escape(role) for role in report.scoping.roles] if report.scoping else [],
        "groups": [
            {"name": escape(name), "environments": [escape(member) for member in members]}
            for name, members in matrix.groups
        ],
    }
    tail = {
        "presence_only": {"variables": report.variables_by_presence},
        "hidden": dict(report.hidden),
        "summary": dict(report.summary),
        "outside": dict(report.outside),
        "parity": report.parity,
    }
    findings = ",\n    ".join(json.dumps(_finding(finding)) for finding in matrix.findings)
    listed = f"[\n    {findings}\n  ]" if findings else "[]"
    members = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    members.append(f'"findings": {listed}')
    members += [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in tail.items()]
    return "{\n  " + ",\n  ".join(members) + "\n}\n"


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "section": finding.section,
        "key": escape(finding.key),
        "field": escape(finding.field),
        "severity": finding.lead.severity,
        "scope": [escape(role) for role in finding.lead.scope or ()],
        "majority": _value(finding.majority),
        "agreeing": finding.agreeing,
        "outliers": [_outlier(outlier) for outlier in finding.outliers],
        "missing": [escape(name) for name in finding.missing],
    }


def _outlier(outlier: Outlier) -> dict[str, object]:
    change = outlier.change
    return {
        "id": change.id,
        "environments": [escape(name) for name in outlier.environments],
        "kind": change.kind,
        "value": _value(change.right),
        "relation": change.relation,
        "severity": change.severity,
        "rule": change.rule,
        "why": escape(change.why),
        "fix": shell_line(change.fix),
        "commands": [list(command) for command in change.fix],
        "next": escape(change.next),
        "explained_by": escape(change.explained_by),
        "status": change.status,
    }


def _value(text: str | None) -> str | None:
    return None if text is None else escape(text)
