"""Report for programs: one JSON document that follows ``diff.schema.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping

from envlock.diff.drift import Change
from envlock.model.text import escape
from envlock.report.input import PairInput
from envlock.report.scope import roles_document
from envlock.report.wording import shell_line

SCHEMA_VERSION = 1


def render_json(given: PairInput) -> str:
    """Return JSON with one change a line, ended by a newline.

    Keys and values are escaped as in the lockfile, so that a path with any bytes is valid text.
    """
    report = given.report
    head = {
        "schema_version": SCHEMA_VERSION,
        "result": report.result,
        "left": escape(report.left_name),
        "right": escape(report.right_name),
        "base": escape(report.base_name),
        "scope": roles_document(report),
    }
    tail = {
        "notes": [
            {"kind": note.kind, "subject": escape(note.subject), "text": escape(note.text)}
            for note in report.notes
        ],
        "presence_only": {
            "variables": report.variables_by_presence,
            "files": report.files_by_presence,
        },
        "hidden": {escape(name): count for name, count in report.hidden.items()},
        "summary": dict(report.summary),
        "outside": dict(report.outside),
        "parity": report.parity,
    }
    changes = ",\n    ".join(json.dumps(_change(change)) for change in report.changes)
    listed = f"[\n    {changes}\n  ]" if changes else "[]"
    return f'{{\n  {_members(head)},\n  "changes": {listed},\n  {_members(tail)}\n}}\n'


def _members(values: Mapping[str, object]) -> str:
    return ",\n  ".join(
        f"{json.dumps(name)}: {json.dumps(value)}" for name, value in values.items()
    )


def _change(change: Change) -> dict[str, object]:
    return {
        "id": change.id,
        "section": change.section,
        "key": escape(change.key),
        "field": escape(change.field),
        "kind": change.kind,
        "left": None if change.left is None else escape(change.left),
        "right": None if change.right is None else escape(change.right),
        "relation": change.relation,
        "severity": change.severity,
        "rule": change.rule,
        "why": escape(change.why),
        "fix": shell_line(change.fix),
        "commands": [list(command) for command in change.fix],
        "next": escape(change.next),
        "explained_by": escape(change.explained_by),
        "status": change.status,
        "policy": escape(change.policy),
        "moved": change.moved,
        "scope": [escape(role) for role in change.scope or ()],
        "via": escape(change.via),
    }
