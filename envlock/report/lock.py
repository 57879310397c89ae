"""A lock as text and as JSON: its records, its coverage gaps and its digests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from envlock.lockfile.writer import render_lock
from envlock.model.coverage import Status
from envlock.model.digest import digests
from envlock.model.facts import SECTIONS, fact_sort_key, is_keyed
from envlock.model.lock import Lock, Section
from envlock.model.record import Facts
from envlock.model.text import escape
from envlock.report.lines import Line, Piece, line, paint
from envlock.report.lock_disclosure import disclosed_lock
from envlock.report.visible import cells, visible

SCHEMA_VERSION = 1
_COVERAGE = "coverage"
_LABEL_LIMIT = 44
_LONGEST_VALUE = 60
"""Longer values are left out of the summary."""
_TELLING: Mapping[str, tuple[str, ...]] = {
    "host.kernel": ("release", "build"),
    "host.cpu": ("model", "level", "count"),
}
"""The facts of a section without keys that say something without their name; else all."""


def lock_document(
    lock: Lock, sections: Iterable[str] = (), *, raw: bytes | None = None
) -> dict[str, object]:
    """Return a lock as the JSON document of ``envlock show --json``.

    A section with keys maps key -> facts, one without is its facts; text is escaped as in the
    lockfile.  `sections` limits the document to these, all if empty.  `raw` are the bytes of the
    lockfile; without them the file digest is that of the canonical lockfile.
    """
    found = digests(lock)
    shown = disclosed_lock(lock)
    wanted = frozenset(sections)
    return {
        "schema_version": SCHEMA_VERSION,
        "environment_digest": found.environment,
        "host_digest": found.host,
        "file_digest": f"sha256:{hashlib.sha256(raw or render_lock(lock)).hexdigest()}",
        "sections": {
            name: _escaped(entries) if is_keyed(name) or "" not in entries else _plain(entries[""])
            for name, entries in shown.sections.items()
            if not wanted or name in wanted
        },
        "coverage": _escaped(shown.coverage),
    }


def render_lock_summary(lock: Lock, *, color: bool = False) -> str:
    """Return a summary of a lock: digests, records per section, coverage gaps."""
    return paint(_summary(lock), color=color)


def render_sections(lock: Lock, sections: Iterable[str], *, color: bool = False) -> str:
    """Return every record of some sections, one a line; ``coverage`` counts as a section."""
    lines: list[Line] = []
    lock = disclosed_lock(lock)
    for name in sections:
        entries = lock.coverage if name == _COVERAGE else lock.sections.get(name, {})
        lines += [line(), *_section(name, entries)] if lines else _section(name, entries)
    return paint(lines, color=color)


def _summary(lock: Lock) -> Iterator[Line]:
    found = digests(lock)
    lock = disclosed_lock(lock)
    yield line("environment  ", Piece(found.environment, "bold"))
    yield line(f"host         {found.host}")
    yield line()
    width = max((len(_title(name)) for name in lock.sections), default=0)
    for name in sorted(lock.sections, key=_section_order):
        entries = lock.sections[name]
        shown = _telling(name, entries) if name in _TELLING else entries
        yield line(f"{_title(name):<{width}}  ", _DETAILS.get(name, _count)(shown))
    yield from _gaps(lock)


def _gaps(lock: Lock) -> Iterator[Line]:
    """Yield what is not covered: a line for each gap.

    There is one for all that a target cannot have, and one for all that nobody asked for.
    """
    gaps = {
        name: facts
        for name, facts in lock.coverage.items()
        if facts.get("status") not in (Status.OK, Status.ABSENT)
    }
    if gaps:
        yield line()
        yield line(Piece("not covered", "bold yellow"))
    unsupported = [n for n, facts in gaps.items() if facts.get("status") == Status.UNSUPPORTED]
    skipped = [n for n, facts in gaps.items() if facts.get("status") == Status.SKIPPED]
    skipped = skipped if len(skipped) > 1 else []
    for name, facts in gaps.items():
        if name in unsupported or name in skipped:
            continue
        reason = f"  {facts['reason']}" if "reason" in facts else ""
        count = f", {facts['gaps']} gaps" if "gaps" in facts else ""
        yield line("? ", visible(f"{name}: {facts.get('status', '')}{count}{reason}"))
    if skipped:
        yield line("? ", visible(f"skipped: {', '.join(skipped)}"))
    if unsupported:
        yield line("? ", visible(f"not supported by the target: {', '.join(unsupported)}"))


def _section(name: str, entries: Section) -> Iterator[Line]:
    yield line(Piece(visible(name), "bold"))
    labels = {key: visible(key) for key in entries}
    width = max((min(cells(label), _LABEL_LIMIT) for label in labels.values()), default=0)
    for key, facts in entries.items():
        if not key:
            yield from (line(f"  {fact}  {visible(facts[fact])}") for fact in _fact_names(facts))
            continue
        shown = [f"{fact} {visible(facts[fact])}" for fact in _fact_names(facts)]
        padding = " " * (width - cells(labels[key]))
        yield line(f"  {labels[key]}{padding}  {'  '.join(shown)}")


def _fact_names(facts: Facts) -> list[str]:
    return sorted(facts, key=fact_sort_key)


def _count(entries: Section) -> str:
    if "" not in entries:
        return f"{len(entries)}"
    return ", ".join(
        visible(value) for value in entries[""].values() if len(value) <= _LONGEST_VALUE
    )


def _telling(name: str, entries: Section) -> Section:
    """Return the records of a section with the facts that the summary shows."""
    facts = entries.get("", {})
    return {"": {fact: facts[fact] for fact in _TELLING[name] if fact in facts}}


def _packages(entries: Section) -> str:
    manual = sum(facts.get("mark") == "manual" for facts in entries.values())
    return f"{len(entries)} ({manual} manual)" if manual else f"{len(entries)}"


def _variables(entries: Section) -> str:
    secret = sum("secret" in facts for facts in entries.values())
    return f"{len(entries)} ({secret} by name only)" if secret else f"{len(entries)}"


def _tree(entries: Section) -> str:
    facts = entries.get("", {})
    size = f", {facts['residue']} bytes stored by value" if "residue" in facts else ""
    return visible(f"{facts.get('entries', 'some')} paths{size}")


_DETAILS: Mapping[str, Callable[[Section], str]] = {
    "deb": _packages,
    "rpm": _packages,
    "apk": _packages,
    "pacman": _packages,
    "env": _variables,
    "tree": _tree,
}


def _title(name: str) -> str:
    known = SECTIONS.get(name)
    return known.title if known else visible(name)


def _section_order(name: str) -> tuple[int, str]:
    names = list(SECTIONS)
    return names.index(name) if name in SECTIONS else len(names), name


def _escaped(entries: Section) -> dict[str, dict[str, str]]:
    return {escape(key): _plain(facts) for key, facts in entries.items()}


def _plain(facts: Facts) -> dict[str, str]:
    return {name: escape(value) for name, value in facts.items()}
