"""A plan as JSON and back; what is read is checked against ``plan.schema.json``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envlock.apply.gap import Phase
from envlock.apply.plan import (
    Archive,
    Left,
    Marks,
    PackageChange,
    Plan,
    Step,
    StepKind,
    Transaction,
    Verb,
)
from envlock.errors import UsageError
from envlock.model.document import parse_json
from envlock.model.text import escape, unescape
from envlock.model.tree import Entry, EntryType
from envlock.reading import read_file

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

VERSION = 1
PLAN_LIMIT = 64 << 20
"""The largest plan that is read, in bytes."""
_TOLD = 200


def document_of(plan: Plan) -> dict[str, Any]:
    """Return the JSON value of a plan."""
    return {
        "schema_version": VERSION,
        "lock": escape(plan.lock),
        "lock_digest": plan.lock_digest,
        "target": escape(plan.target),
        "machine": plan.machine,
        "roles": [escape(role) for role in plan.roles],
        "bytes": sum(step.size for step in plan.steps),
        "steps": [step_document(step) for step in plan.steps],
        "left": [
            {name: escape(text) for name, text in each._asdict().items()} for each in plan.left
        ],
    }


def plan_bytes(plan: Plan) -> bytes:
    """Return the plan as a JSON file, the same bytes for equal plans."""
    return (json.dumps(document_of(plan), indent=2, sort_keys=True) + "\n").encode()


def step_document(step: Step) -> dict[str, Any]:
    """Return the JSON value of a step."""
    found: dict[str, Any] = {
        "id": step.id,
        "kind": step.kind.value,
        "phase": step.phase.value,
        "summary": escape(step.summary),
        "risk": step.risk,
        "gaps": list(step.gaps),
        "undo": step.has_undo,
    }
    if step.commands:
        found["commands"] = _words(step.commands)
        found["undo_commands"] = _words(step.undo)
        found["touches"] = [escape(path) for path in step.touches]
    if step.kind is StepKind.FILE:
        found["before"] = entry_document(step.before)
        found["after"] = entry_document(step.after)
    if step.kind is StepKind.FOLDER:
        found["after"] = entry_document(step.after)
        found["replaces"] = step.is_replaced
        found["entries"] = [entry_document(entry) for entry in step.entries]
    if step.packages:
        found["packages"] = _transaction(step.packages)
    return found


def _words(commands: Iterable[Iterable[str]]) -> list[list[str]]:
    return [[escape(word) for word in command] for command in commands]


def _transaction(found: Transaction) -> dict[str, Any]:
    changes = []
    for change in found.changes:
        told = change._asdict()
        told["archive"] = change.archive and change.archive._asdict()
        told["old"] = change.old and change.old._asdict()
        changes.append(told)
    marks = {name: list(names) for name, names in found.marks._asdict().items()}
    return {"manager": found.manager, "changes": changes, "marks": marks}


def entry_document(entry: Entry | None) -> dict[str, Any] | None:
    """Return the JSON value of a path: mode in octal, attributes in hex."""
    if entry is None:
        return None
    return {
        "path": escape(entry.path),
        "type": entry.type.value,
        "mode": f"{entry.mode:04o}",
        "uid": entry.uid,
        "gid": entry.gid,
        "mtime": entry.mtime,
        "size": entry.size,
        "target": escape(entry.target),
        "sha256": entry.sha256,
        "xattrs": {name: value.hex() for name, value in entry.xattrs},
    }


def entry_from(found: Mapping[str, Any] | None) -> Entry | None:
    """Return the path of such a value.  Raise ValueError or KeyError for another one."""
    if found is None:
        return None
    return Entry(
        path=unescape(found["path"]),
        type=EntryType(found["type"]),
        mode=int(found["mode"], 8),
        uid=found["uid"],
        gid=found["gid"],
        mtime=found["mtime"],
        size=found["size"],
        target=unescape(found["target"]),
        xattrs=tuple((name, bytes.fromhex(value)) for name, value in found["xattrs"].items()),
        sha256=found["sha256"],
    )


def read_plan(path: Path, limit: int = PLAN_LIMIT) -> Plan:
    """Read the plan in a file of at most `limit` bytes.  Raise UsageError when it is none."""
    hint = "make one with `envlock apply LOCK --dry-run -o FILE`"
    try:
        raw = read_file(path, limit)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or error
        raise UsageError(f"cannot read the plan: {reason}", where=str(path), hint=hint) from error
    try:
        return plan_from(parse_json(raw))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"no plan of envlock: {error}", where=str(path), hint=hint) from error


def plan_from(found: Any) -> Plan:
    """Return the plan of a JSON value.  Raise ValueError for one that breaks the schema."""
    check(found, "plan.schema.json")
    return Plan(
        lock=unescape(found["lock"]),
        lock_digest=found["lock_digest"],
        target=unescape(found["target"]),
        machine=found["machine"],
        roles=tuple(unescape(role) for role in found["roles"]),
        steps=tuple(_step(step) for step in found["steps"]),
        left=tuple(Left(**{k: unescape(v) for k, v in each.items()}) for each in found["left"]),
    )


def _step(found: Mapping[str, Any]) -> Step:
    packages = found.get("packages")
    return Step(
        id=found["id"],
        kind=StepKind(found["kind"]),
        phase=Phase(found["phase"]),
        summary=unescape(found["summary"]),
        risk=found["risk"],
        gaps=tuple(found["gaps"]),
        commands=_commands(found.get("commands", ())),
        undo=_commands(found.get("undo_commands", ())),
        touches=tuple(unescape(path) for path in found.get("touches", ())),
        before=entry_from(found.get("before")),
        after=entry_from(found.get("after")),
        entries=tuple(e for e in map(entry_from, found.get("entries", ())) if e),
        is_replaced=found.get("replaces", False),
        packages=_packages(packages) if packages else None,
        has_undo=found["undo"],
    )


def _commands(found: Iterable[Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(unescape(word) for word in command) for command in found)


def _packages(found: Mapping[str, Any]) -> Transaction:
    changes = []
    for told in found["changes"]:
        archive, old = (Archive(**told[n]) if told[n] else None for n in ("archive", "old"))
        verb = Verb(told["verb"])
        changes.append(PackageChange(**{**told, "verb": verb, "archive": archive, "old": old}))
    marks = Marks(**{name: tuple(names) for name, names in found["marks"].items()})
    return Transaction(found["manager"], tuple(changes), marks)


def check(found: object, schema: str) -> None:
    """Raise ValueError with the first place where a value breaks a schema of this package."""
    errors = sorted(_validator(schema).iter_errors(found), key=lambda error: error.json_path)
    if errors:
        raise ValueError(f"{escape(errors[0].json_path)}: {escape(errors[0].message[:_TOLD])}")


@cache
def _validator(schema: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    text = resources.files("envlock.apply").joinpath(schema).read_text(encoding="utf-8")
    return Draft202012Validator(parse_json(text))
