"""The steps of a plan that write files: single paths, and whole virtual environments."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from envlock.apply.gap import Difference, Phase, State
from envlock.apply.plan import Step, StepKind
from envlock.apply.situation import Draft, Situation
from envlock.model.tree import OBSERVED, REDACTED, Entry, EntryType, FileClass, Row

_KINDS = (EntryType.FILE, EntryType.DIRECTORY, EntryType.SYMLINK)
_SECRET = "its content is no part of the lock, since it holds a secret: bring it by hand"
_NO_TREE = "the store has no file tree of the lock: capture it with --deep, or pull it"
_SPECIAL = "no step makes a file of this type"
_ENV_MARK = "pyvenv.cfg"


class Folders(NamedTuple):
    """Virtual environments: those that are built anew, and path -> why others are not."""

    built: tuple[str, ...]
    left: Mapping[str, str]

    def holding(self, path: str) -> str:
        """Return the environment that a path lies in, empty for none."""
        places = (*self.built, *self.left)
        return next((each for each in places if f"{path}/".startswith(f"{each}/")), "")


def plan_folders(situation: Situation, draft: Draft) -> Folders:
    """Add a step for each virtual environment that differs."""
    found: dict[str, list[Difference]] = {}
    for each in situation.found:
        if each.section == "python":
            found.setdefault(each.key.partition("/")[0], []).append(each)
    built: list[str] = []
    left: dict[str, str] = {}
    for name, differences in found.items():
        path = situation.wanted.get("python", name).get("path", "")
        rows = _below(path, situation) if path.startswith("/") else []
        if f"{path}/{_ENV_MARK}" not in {row.entry.path for row in rows}:
            draft.leave(differences, _why_no_environment(path, situation))
            continue
        if obstacle := _obstacle(name, path, rows, situation):
            draft.leave(differences, obstacle)
            left[path] = obstacle
            continue
        draft.steps.append(_folder(path, rows, differences, situation))
        built.append(path)
    return Folders(tuple(built), left)


def _why_no_environment(path: str, situation: Situation) -> str:
    if not situation.wanted_rows:
        return _NO_TREE
    return "it is no virtual environment of the lock, and comes with packages" if path else ""


def _below(path: str, situation: Situation) -> list[Row]:
    """Return the rows of a folder and of what is in it, without caches and logs."""
    start = f"{path}/"
    return [
        row
        for row in situation.wanted_rows.values()
        if (row.entry.path == path or row.entry.path.startswith(start))
        and (row.file_class.is_significant or row.file_class is FileClass.GENERATED)
    ]


def _obstacle(name: str, path: str, rows: Sequence[Row], situation: Situation) -> str:
    """Return why an environment cannot be built anew, empty if it can."""
    if any(row.entry.type not in _KINDS for row in rows):
        return _SPECIAL
    own = sorted(
        key.partition("/")[2]
        for key in situation.present.sections.get("python", {})
        if key.startswith(f"{name}/") and not situation.wanted.get("python", key)
    )
    if own and not situation.choice.remove:
        return f"it has packages of its own: {', '.join(own[:5])}; --remove builds it without them"
    with_content = [row for row in rows if row.entry.type is EntryType.FILE and row.entry.size]
    if any(_is_secret(row) for row in with_content):
        return f"in {path}: {_SECRET}"
    lacking = situation.supplies.lacking(with_content)
    return next(iter(lacking.values()), "")


def _folder(
    path: str, rows: Sequence[Row], found: Iterable[Difference], situation: Situation
) -> Step:
    entries = [row.entry for row in rows]
    is_there = situation.place.find(path) is not None
    return Step(
        id=f"environment-{path}",
        kind=StepKind.FOLDER,
        phase=Phase.LANGUAGES,
        summary=f"virtual environment {path}: {len(entries):,} paths, built anew",
        risk="programs that run from it keep the old files until they are restarted"
        if is_there
        else "",
        gaps=tuple(each.id for each in found),
        after=next(entry for entry in entries if entry.path == path),
        entries=tuple(entry for entry in entries if entry.path != path),
        is_replaced=is_there,
    )


def plan_files(situation: Situation, draft: Draft, folders: Folders) -> None:
    """Add a step for each path that differs, but for those in virtual environments."""
    wanted: dict[str, list[Difference]] = {}
    for each in situation.found:
        if each.section != "file" or each.follows.startswith("deb "):
            continue  # a package brings it
        if folder := folders.holding(each.key):
            if folder in folders.left:
                draft.leave([each], folders.left[folder])
            _cover(draft, each, folder)
            continue
        for path in _paths(each, situation):
            if not folders.holding(path):
                wanted.setdefault(path, []).append(each)
    for path in _missing_parents((*wanted, *folders.built), situation):
        wanted.setdefault(path, [])
    rows = {path: situation.wanted_rows.get(path) for path in wanted}
    lacking = _lacking([row for row in rows.values() if row], situation)
    removals = {path for path, found in wanted.items() if _is_removal(found)}
    for path in (*sorted(wanted.keys() - removals), *sorted(removals, reverse=True)):
        _plan_path(path, rows[path], wanted[path], lacking, situation, draft)


def _cover(draft: Draft, found: Difference, folder: str) -> None:
    """Let the step of a folder remove a difference too."""
    for number, step in enumerate(draft.steps):
        if step.path == folder and found.id not in step.gaps:
            draft.steps[number] = replace(step, gaps=(*step.gaps, found.id))


def _paths(found: Difference, situation: Situation) -> Iterator[str]:
    """Yield the paths of a difference; a folder stands for everything in it."""
    is_whole = not found.field
    rows = situation.present_rows if found.state is State.EXTRA else situation.wanted_rows
    yield found.key
    row = rows.get(found.key)
    if not is_whole or row is None or row.entry.type is not EntryType.DIRECTORY:
        return
    start = f"{found.key}/"
    for path, each in rows.items():
        if path.startswith(start) and each.file_class.is_significant:
            is_there = situation.place.find(path) is not None
            if is_there == (found.state is State.EXTRA):
                yield path


def _missing_parents(paths: Iterable[str], situation: Situation) -> Iterator[str]:
    for path in list(paths):
        parent = posixpath.dirname(path)
        while parent != "/" and situation.place.find(parent) is None:
            if path in situation.wanted_rows:
                yield parent
            parent = posixpath.dirname(parent)


def _lacking(rows: Sequence[Row], situation: Situation) -> dict[str, str]:
    """Return why contents of files cannot be had, by path; those that stay are not looked for."""
    wanted = []
    for row in rows:
        if row.entry.type is EntryType.FILE and row.entry.size and not _is_secret(row):
            found = situation.place.read(row.entry.path)
            if found is None or found.sha256 != row.entry.sha256:
                wanted.append(row)
    return dict(situation.supplies.lacking(wanted)) if wanted else {}


def _is_secret(row: Row) -> bool:
    return row.source.startswith((OBSERVED, REDACTED)) or not row.entry.sha256


def _plan_path(
    path: str,
    row: Row | None,
    found: Sequence[Difference],
    lacking: dict[str, str],
    situation: Situation,
    draft: Draft,
) -> None:
    before = situation.place.read(path)
    is_removal = _is_removal(found)
    if is_removal and _hides_content(path, None, situation):
        draft.leave(found, "it may hold a secret, and is removed by hand")
        return
    if row is None and not is_removal:
        draft.leave(found, _NO_TREE if not situation.wanted_rows else "the lock does not have it")
        return
    if (row and row.entry.type not in _KINDS) or (before and before.type not in _KINDS):
        draft.leave(found, _SPECIAL)
        return
    if path in lacking:
        draft.leave(found, lacking[path])
        return
    after = None if is_removal or row is None else row.entry
    if row is not None and after is not None and after.type is EntryType.FILE:
        is_same = before is not None and before.sha256 == after.sha256
        if _is_secret(row) and not _is_dress(found, before):
            draft.leave(found, _SECRET)
            return
        if is_same or _is_secret(row):
            after = after._replace(sha256="", size=before.size if before else 0)
    if before is not None and _hides_content(path, row, situation):
        before = before._replace(sha256="")
    if before != after:
        draft.steps.append(_step(path, before, after, found))


def _is_removal(found: Iterable[Difference]) -> bool:
    return any(each.state is State.EXTRA and not each.field for each in found)


def _is_dress(found: Sequence[Difference], before: Entry | None) -> bool:
    """True when only owner, mode or attributes differ."""
    return before is not None and all(each.field not in ("", "sha256", "size") for each in found)


def _hides_content(path: str, row: Row | None, situation: Situation) -> bool:
    """True where a digest of the content must not be written down: it may hold a secret."""
    rows = (row, situation.present_rows.get(path))
    return any(
        row.entry.type is EntryType.FILE and _is_secret(row) for row in rows if row is not None
    )


def _step(
    path: str, before: Entry | None, after: Entry | None, found: Sequence[Difference]
) -> Step:
    if after is None:
        verb = "remove"
    elif before is None:
        verb = "make"
    else:
        verb = (
            "set owner and mode of" if not after.sha256 and before.type is after.type else "write"
        )
    return Step(
        id=f"file-{path}",
        kind=StepKind.FILE,
        phase=Phase.SOURCES if path.startswith("/etc/apt/") else Phase.FILES,
        summary=f"{verb} {path}",
        risk="removes it" if after is None else "",
        gaps=tuple(dict.fromkeys(each.id for each in found)),
        before=before,
        after=after,
    )
