"""Users, groups and subordinate ID ranges; no full names and no password hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.system.settings import SETTINGS_LIMIT, parse_lines, parse_pairs
from envlock.model.record import Record
from envlock.model.text import sort_key

_PASSWD = ("", "password", "uid", "gid", "", "home", "shell")
_GROUP = ("", "password", "gid", "members")
_SUBORDINATE = (("/etc/subuid", "uid-ranges"), ("/etc/subgid", "gid-ranges"))
_RANGE = re.compile(r"\d+:\d+", re.ASCII)
_NO_PASSWORD = "none"
_DEFAULT_RANGE = (1000, 60000)
"""Defaults of UID_MIN and UID_MAX in login.defs(5)."""


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each user, each group and each owner of subordinate IDs.

    Accounts in the range of login.defs(5) have ``kind = "person"``, and a ``home`` only when it is
    not /home/NAME.  ``password = "none"`` means that no password is required,
    ``shell-missing`` that the shell does not exist.
    """
    persons = _person_range(context)
    lacks_shell = context.lacks_shell()  # then nobody is meant to log in
    for name, facts in _accounts("/etc/passwd", _PASSWD, context):
        if facts["uid"].isdecimal() and int(facts["uid"]) in persons:
            facts["kind"] = "person"
            if facts["home"] == f"/home/{name}":
                facts["home"] = ""
        if not lacks_shell and context.is_gone(facts.get("shell", "/")):
            facts["shell-missing"] = "true"
        yield Record("user", name, {fact: value for fact, value in facts.items() if value})
    for name, facts in _accounts("/etc/group", _GROUP, context):
        members = {member for member in facts["members"].split(",") if member}
        facts["members"] = ",".join(sorted(members, key=sort_key))
        yield Record("group", name, {fact: value for fact, value in facts.items() if value})
    yield from _subordinate(context)


def _accounts(
    path: str, names: tuple[str, ...], context: Context
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each account of a file with its fields; of duplicate names the first counts."""
    seen: set[str] = set()
    for at, line in enumerate((context.text(path) or "").split("\n"), start=1):
        if not line or line[0] in "#+-":  # comments, and entries from other databases
            continue
        fields = line.split(":")
        number = fields[2] if len(fields) == len(names) else ""
        if not fields[0] or not number or fields[0] in seen:
            context.gap(path, f"malformed account entry in line {at}")
            continue
        seen.add(fields[0])
        facts = {name: value for name, value in zip(names, fields, strict=True) if name}
        # Group passwords are unused; an account whose field is empty is open to everyone.
        is_open = not facts.pop("password") and path == "/etc/passwd"
        yield fields[0], facts | ({"password": _NO_PASSWORD} if is_open else {})


def _person_range(context: Context) -> range:
    found = parse_pairs(parse_lines(context.text("/etc/login.defs", SETTINGS_LIMIT) or ""))
    first, last = (
        int(value) if (value := found.get(name, "")).isdecimal() else default
        for name, default in zip(("UID_MIN", "UID_MAX"), _DEFAULT_RANGE, strict=True)
    )
    return range(first, last + 1)


def _subordinate(context: Context) -> Iterator[Record]:
    found: dict[str, dict[str, list[str]]] = {}
    for path, fact in _SUBORDINATE:
        for line in parse_lines(context.text(path, SETTINGS_LIMIT) or ""):
            owner, _, numbers = line.partition(":")
            if not owner or not _RANGE.fullmatch(numbers):
                context.gap(path, "malformed ID range")
                continue
            found.setdefault(owner, {}).setdefault(fact, []).append(numbers)
    for owner, facts in found.items():
        yield Record("subid", owner, {fact: " ".join(sorted(r)) for fact, r in facts.items()})


COLLECTOR = Collector(
    name="user",
    sections=("user", "group", "subid"),
    reads=("/etc/passwd", "/etc/group", "/etc/login.defs", "/etc/subuid", "/etc/subgid"),
    collect=collect,
    sources=("passwd(5)", "group(5)", "subuid(5)", "login.defs(5)"),
)
