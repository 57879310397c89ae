"""Inconsistencies of a single lock, as ``envlock check`` prints them."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.diff.inconsistencies.scoped import Judged, Judgement, judge_scope
from envlock.errors import LockfileError
from envlock.lockfile.reader import parse_lock
from envlock.model.severity import Severity
from envlock.model.text import escape
from envlock.report.wording import shell_line


def judge_lock(raw: bytes, where: str, *, whole: bool) -> Judgement:
    """Return what is wrong in the lockfile `raw`, nothing if it cannot be read.

    It is judged for its applications, or with `whole` for the machine.
    """
    try:
        return judge_scope(parse_lock(raw, where=where), whole=whole)
    except LockfileError:
        return Judgement(())


def is_failure(judgement: Judgement, level: Severity | None) -> bool:
    """True when something that counts makes the check fail; what is less severe is advice."""
    return level is not None and any(
        one.found.severity.rank <= level.rank for one in judgement.counted
    )


def to_lines(judgement: Judgement) -> Iterator[str]:
    """Yield a line for each finding that counts."""
    return map(_line, judgement.counted)


def scope_lines(judgement: Judgement) -> Iterator[str]:
    """Yield how many findings concern no application, or why everything counts."""
    count = len(judgement.outside)
    if count:
        *others, last = (escape(role.name) for role in judgement.roles)
        names = " and ".join(filter(None, (", ".join(others), last)))
        what = "finding" if count == 1 else "findings"
        yield f"outside of {names}: {count:,} {what} (--whole shows them)"
    if judgement.note:
        yield f"scope: {escape(judgement.note)}"


def _line(judged: Judged) -> str:
    """Return one line: severity, record, problem, whose it is, rule, remedy."""
    found = judged.found
    record = escape(found.record.strip())
    via = f"; {escape(' and '.join(judged.scope or ()))} needs it: {escape(judged.via)}"
    message = f"{escape(found.message)}{via if judged.via else ''}"
    line = f"{found.severity}: {record}: {message} ({found.rule})"
    if found.fix:
        return f"{line}; fix: {shell_line(found.fix)}"
    return f"{line}; next: {found.next}" if found.next else line


def to_json(judged: Judged) -> dict[str, object]:
    """Return a finding as a JSON object; `scope` is empty where everything is judged."""
    found = judged.found
    section, _, key = found.record.partition(" ")
    return {
        "rule": found.rule,
        "severity": found.severity.value,
        "section": section,
        "key": key,
        "message": found.message,
        "fix": shell_line(found.fix),
        "commands": [list(command) for command in found.fix],
        "next": "" if found.fix else found.next,
        "scope": [escape(role) for role in judged.scope or ()],
        "via": escape(judged.via),
    }


def roles_document(judgement: Judgement) -> dict[str, object]:
    """Return the applications that were judged as a JSON object, by role."""
    return {
        escape(role.name): {"root": escape(str(role.root)), "assumed": role.assumed}
        for role in judgement.roles
    }
