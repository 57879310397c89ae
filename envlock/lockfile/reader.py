"""Read a lockfile: a fast parser for the text that the writer writes, tomllib for any other TOML.

The fast parser reads 10,000 records in tens of milliseconds; TOML libraries take ten to a hundred
times as long.  It accepts only the exact canonical form and leaves everything else (comments, CRLF,
another order, a failed merge) to tomllib, so the two cannot disagree.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from envlock.errors import LockfileError, LockfileVersionError
from envlock.lockfile.syntax import (
    COVERAGE,
    HEADER,
    LOCK_MAJOR,
    VERSION_KEY,
    is_section_name,
)
from envlock.model.document import parse_toml
from envlock.model.facts import SECTIONS, is_keyed
from envlock.model.lock import Lock
from envlock.model.record import Facts, Record
from envlock.model.state import SECTION as STATE
from envlock.model.text import escape, sort_key, unescape, whole_number
from envlock.reading import read_file

_BASIC = r'"([^"\\\x00-\x1f\x7f]*(?:\\["\\][^"\\\x00-\x1f\x7f]*)*)"'
_TABLE = re.compile(rf"([A-Za-z0-9_.-]+?)(?:\.{_BASIC})?\]\n(.*)\Z", re.DOTALL)
_FACT = re.compile(rf"^([A-Za-z0-9_-]+) = {_BASIC}\n", re.MULTILINE)
_VERSION = re.compile(r'lock-version = "([0-9.]+)"\n?\Z')
_NUMBERS = re.compile(r"([0-9]{1,9})\.[0-9]{1,9}\Z")
_CONFLICT = re.compile(r"^(?:<<<<<<<|=======|>>>>>>>)", re.MULTILINE)
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_LINE = re.compile(r"at line (\d+)")
_SHOWN = 200
_HINT = "capture the environment again, or restore the file from version control"

MAX_SIZE = 128 << 20
"""The largest lockfile, in bytes: some hundred times that of a machine with many packages."""
MAX_FOREIGN_SIZE = 8 << 20
"""The largest lockfile that is not as the writer writes it, which takes seconds to parse."""


def read_lock(path: Path) -> Lock:
    """Read the lockfile at `path`.  Raise LockfileError when there is none, or as `parse_lock`."""
    return parse_lock(read_lock_file(path), where=str(path))


def read_lock_file(path: Path) -> bytes:
    """Return the bytes of the lockfile at `path`.  Raise LockfileError when it cannot be read.

    Its cause is the OSError.
    """
    try:
        return read_file(path, MAX_SIZE)
    except (OSError, ValueError) as error:  # a name with a null character is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        raise LockfileError(
            f"cannot read the lockfile: {reason}",
            where=str(path),
            hint="name a file that `envlock capture` wrote",
        ) from error


ParsedTables = dict[str, Record]
"""Text of a table -> its record: tables that an earlier lock had are not parsed again."""


def parse_lock(raw: bytes, where: str, known: ParsedTables | None = None) -> Lock:
    """Return the lock in `raw`.

    `where` names it in messages.  `known`, shared by calls for similar locks, is filled with the
    tables of each, so that equal tables are parsed once.  Raise LockfileError with the line or key
    of the mistake, or LockfileVersionError when this envlock does not know the format version.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise LockfileError("not UTF-8", where=f"{where}, line {line}", hint=_HINT) from error
    try:
        lock = _parse_canonical(text, {} if known is None else known)
    except ValueError:  # an invalid escape: the slow parser reports where
        lock = None
    if lock is None:
        if len(raw) > MAX_FOREIGN_SIZE:
            raise LockfileError(
                f"more than {MAX_FOREIGN_SIZE:,} bytes that envlock did not write like this",
                where=where,
                hint=_HINT,
            )
        lock = _from_document(_parse_toml(text, where), where)
    for key, facts in lock.sections.get(STATE, {}).items():
        if whole_number(facts.get("size", "0")) is None:
            raise _wrong((STATE, key, "size"), "a number of bytes", where)
    return lock


def _parse_canonical(text: str, known: ParsedTables) -> Lock | None:
    """Return the lock in canonical text, or None for any other text."""
    head, *tables = text.split("\n[")
    version = _VERSION.match(head.removeprefix(HEADER))
    if version is None or _major(version[1]) != LOCK_MAJOR:
        return None
    sections: dict[str, dict[str, Facts]] = {}
    for table in tables:
        record = known.get(table) or _parse_table(table)
        if record is None:
            return None
        known[table] = record
        section, key, facts = record
        entries = sections.get(section)
        if entries is None:
            entries = sections[section] = {}
        if key in entries:
            return None
        entries[key] = facts
    return _lock(sections, version[1])


def _parse_table(table: str) -> Record | None:
    match = _TABLE.match(table)
    if match is None:
        return None
    section, key, body = match.groups()
    found = _FACT.findall(body)
    facts = {name: _unquote(value) for name, value in found}
    # Every line is a fact, no name occurs twice, and no value is empty.
    is_whole = body.endswith("\n") and len(facts) == len(found) == body.count("\n")
    if not is_whole or not facts or "" in facts.values():
        return None
    fits = section not in SECTIONS or (key is not None) == is_keyed(section)
    if key == "" or not fits or not is_section_name(section):
        return None
    return Record(section, _unquote(key) if key else "", facts)


def _unquote(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted
    return unescape(quoted.replace('\\"', '"').replace("\\\\", "\\"))


def _parse_toml(text: str, where: str) -> Mapping[str, object]:
    try:
        return parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        conflict = _CONFLICT.search(text)
        if conflict:
            line = text.count("\n", 0, conflict.start()) + 1
            raise LockfileError(
                "the file has unresolved merge conflicts",
                where=f"{where}, line {line}",
                hint="set the merge driver up with `envlock init`, or resolve them by hand",
            ) from error
        at = _LINE.search(str(error))
        line_text = f", line {at[1]}" if at else ""
        message = str(error).partition(" (at ")[0]
        raise LockfileError(
            f"not TOML: {message}", where=f"{where}{line_text}", hint=_HINT
        ) from error


def _from_document(document: Mapping[str, object], where: str) -> Lock:
    version = document.get(VERSION_KEY)
    if not isinstance(version, str):
        raise LockfileError(
            f"not a lockfile: it has no {VERSION_KEY}", where=where, hint="run `envlock capture`"
        )
    if _major(version) != LOCK_MAJOR:
        raise LockfileVersionError(
            f"unknown lock version {_short(version)}; this envlock reads {LOCK_MAJOR}.x",
            where=where,
            hint="install the newer envlock that wrote it",
        )
    sections: dict[str, dict[str, Facts]] = {}
    for name, table in document.items():
        if name != VERSION_KEY:
            for record in _records((name,), table, where):
                sections.setdefault(record.section, {})[record.key] = record.facts
    return _lock(sections, version)


def _records(path: tuple[str, ...], table: object, where: str) -> list[Record]:
    """Return the records in one table of the document; `path` is its dotted key, in parts."""
    if not isinstance(table, Mapping):
        raise _wrong(path, "a table", where)
    if not any(isinstance(value, Mapping) for value in table.values()):
        section, key = _split(path)
        if not is_section_name(section):
            raise LockfileError(
                "not the name of a section", where=f"{where}, {_dotted(path)}", hint=_HINT
            )
        if not key and section in SECTIONS and is_keyed(section):
            raise _wrong(path, "a table for each record", where)
        facts = _typed_facts(path, table, where)
        return [Record(section, _unescaped(key, path, where), facts)]
    records: list[Record] = []
    for name, value in table.items():
        records += _records((*path, name), value, where)
    return records


def _split(path: tuple[str, ...]) -> tuple[str, str]:
    whole = ".".join(path)
    single = len(path) == 1 or (whole in SECTIONS and not is_keyed(whole)) or path[:-1] == ("host",)
    return (whole, "") if single else (".".join(path[:-1]), path[-1])


def _typed_facts(path: tuple[str, ...], table: Mapping[str, object], where: str) -> Facts:
    facts = {}
    for name, value in table.items():
        if not isinstance(value, str):
            raise _wrong((*path, name), "a string", where)
        if not value:
            raise _wrong((*path, name), "a string that is not empty", where)
        facts[name] = _unescaped(value, (*path, name), where)
    if not facts:
        raise _wrong(path, "a table with facts", where)
    return facts


def _unescaped(text: str, path: tuple[str, ...], where: str) -> str:
    try:
        return unescape(text)
    except ValueError as error:
        raise LockfileError(
            "malformed escape", where=f"{where}, {_dotted(path)}", hint=_HINT
        ) from error


def _wrong(path: tuple[str, ...], expected: str, where: str) -> LockfileError:
    return LockfileError(f"expected {expected}", where=f"{where}, {_dotted(path)}", hint=_HINT)


def _dotted(path: tuple[str, ...]) -> str:
    return _short(".".join(part if _BARE.match(part) else f'"{part}"' for part in path))


def _short(text: str) -> str:
    """Return `text` on one line of a message, with the end cut off when it is long."""
    text = escape(text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _lock(sections: Mapping[str, Mapping[str, Facts]], version: str) -> Lock:
    ordered = {name: sections[name] for name in sorted(sections, key=sort_key)}
    return Lock(
        sections={
            name: {key: entries[key] for key in sorted(entries, key=sort_key)}
            for name, entries in ordered.items()
            if name != COVERAGE
        },
        coverage=dict(sorted(sections.get(COVERAGE, {}).items())),
        version=version,
    )


def _major(version: str) -> int:
    """Return the major version, -1 for what is not a version."""
    match = _NUMBERS.match(version)
    return int(match[1]) if match else -1
