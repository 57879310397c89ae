"""Judge once more what a report would show: a lock may be older than a rule, or written by hand.

Every format shows what `disclosed` returns and nothing else.  Captures of this version hold no
secrets, so of their comparisons nothing is changed.
"""

from __future__ import annotations

from dataclasses import replace

from envlock.diff.contents import NOT_SHOWN_EITHER
from envlock.diff.drift import Change, DriftReport
from envlock.diff.many.matrix import Finding, Matrix, Outlier
from envlock.diff.records import NOT_RECORDED, OTHER_VALUE
from envlock.model.scoping import Scoping
from envlock.model.text import to_bytes
from envlock.report.input import MatrixInput, PairInput
from envlock.secrets.arguments import redact_arguments
from envlock.secrets.disclose import NOT_SHOWN
from envlock.secrets.files import FileKind, judge_file
from envlock.secrets.records import clean_name, clean_text
from envlock.secrets.values import judge_value

_CONTENT = "content:"
_VARIABLES = "env"
_PHRASES = frozenset({NOT_SHOWN, NOT_SHOWN_EITHER, NOT_RECORDED, OTHER_VALUE})
"""What stands where a value is not shown, and is none itself."""


def disclosed(given: PairInput | MatrixInput) -> PairInput | MatrixInput:
    """Return what a renderer may use, without the secrets that would be shown."""
    if isinstance(given, MatrixInput):
        return given._replace(matrix=_matrix(given.matrix))
    return given._replace(report=_report(given.report))


def disclosed_change(change: Change) -> Change:
    """Return one difference as it may be shown."""
    section, key, field = change.section, change.key, change.field
    left, right = (
        disclosed_value(section, key, field, value) for value in (change.left, change.right)
    )
    return replace(
        change,
        key=clean_name(key),
        field=clean_name(field),
        left=left,
        right=right,
        why=clean_text(change.why),
        fix=tuple(map(redact_arguments, change.fix)),
        next=clean_text(change.next),
        explained_by=clean_text(change.explained_by),
        policy=clean_text(change.policy),
        via=clean_text(change.via),
    )


def _report(report: DriftReport) -> DriftReport:
    return replace(
        report,
        changes=tuple(map(disclosed_change, report.changes)),
        notes=tuple(note._replace(text=clean_text(note.text)) for note in report.notes),
        scoping=_scoping(report.scoping) if report.scoping else None,
    )


def _scoping(scoping: Scoping) -> Scoping:
    pairs = (
        replace(
            pair,
            left=clean_text(pair.left),
            right=clean_text(pair.right),
            basis=clean_text(pair.basis),
            declare=tuple(map(clean_text, pair.declare)),
            members=tuple(
                member._replace(key=clean_name(member.key), via=clean_text(member.via))
                for member in pair.members
            ),
        )
        for pair in scoping.pairs
    )
    return replace(scoping, pairs=tuple(pairs))


def disclosed_value(section: str, key: str, field: str, value: str | None) -> str | None:
    """Return what may be shown of a value; of the lines of a secret file nothing may be."""
    if value is None or value in _PHRASES:
        return value
    name = key if section == _VARIABLES else field.removeprefix(_CONTENT)
    is_content = field.startswith(_CONTENT)
    if is_content and _is_secret_content(key, value):
        return NOT_SHOWN
    if (is_content or section == _VARIABLES) and judge_value(name, value):
        return NOT_SHOWN
    return clean_text(value)


def _is_secret_content(path: str, value: str) -> bool:
    """Return whether a line or value is a secret because of the file that it is from."""
    content = to_bytes(value)
    judged = judge_file(path, mode=0o644, content=content, size=len(content) or 1)
    return judged.kind is not FileKind.PUBLIC


def _matrix(matrix: Matrix) -> Matrix:
    return replace(
        matrix, findings=tuple(map(_finding, matrix.findings)), report=_report(matrix.report)
    )


def _finding(finding: Finding) -> Finding:
    section, key, field = finding.section, finding.key, finding.field
    return replace(
        finding,
        key=clean_name(key),
        field=clean_name(field),
        majority=disclosed_value(section, key, field, finding.majority),
        outliers=tuple(
            Outlier(disclosed_change(outlier.change), outlier.environments)
            for outlier in finding.outliers
        ),
    )
