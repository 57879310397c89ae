"""Accounts that can log in by password, and sudo rules; no hash and no command is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.ignored_jobs import is_leftover
from envlock.formats.system.settings import SETTINGS_LIMIT, parse_lines
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.redact import digest_lines

_SHADOW = "/etc/shadow"
_LOCKED = "locked"
_SHADOW_FIELDS, _FOR_EVER, _DIGITS = 9, 9999, 7
"""Fields of shadow(5); days from which on a password is valid for ever; digits of a day."""
_SUDOERS = ("/etc/sudoers", "/etc/sudo-rs/sudoers", "/etc/doas.conf")
_SUDOERS_FOLDER = "/etc/sudoers.d"
_IGNORED = re.compile(r".*\..*|.*~\Z", re.DOTALL)
"""Names in an included directory that sudo ignores (sudoers(5))."""
_INCLUDE = re.compile(r"[@#](include(?:dir)?)\s+(\S+)")
_SETTING = ("Defaults", "User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias", "Cmd_Alias")
_COMMENT = re.compile(r"#(?!\d|include(?:dir)?\s).*")


def collect(context: Context) -> Iterator[Record]:
    """Yield each account whose password is not locked, and a record for each file of sudo rules.

    ``password`` is ``set``, or ``none`` when no password is required.  Facts of a file of rules:
    ``sha256`` (of the rules, independent of layout), ``rules`` (their number), ``who`` (users and
    groups they apply to), ``nopasswd`` (number of rules without password), ``includes``.
    """
    for name, facts in _states(context).items():
        if facts:
            yield Record("login", name, facts)
    for name in context.names(_SUDOERS_FOLDER):
        path = f"{_SUDOERS_FOLDER}/{name}"
        if _IGNORED.match(name) and not is_leftover(path):
            yield Record("sudo", path, {"ignored": "sudo passes over names with a dot or a tilde"})
    for path in (*_SUDOERS, *_included(context)):
        text = context.text(path, SETTINGS_LIMIT)
        if text is not None:
            refused = _refused(path, context)
            facts = _rules(text) | ({"refused": refused} if refused else {})
            yield Record("sudo", path, facts)


def _states(context: Context) -> dict[str, dict[str, str]]:
    """Return account -> its facts; of duplicate names the first counts."""
    states: dict[str, dict[str, str]] = {}
    for line in (context.text(_SHADOW) or "").split("\n"):
        name, *rest = line.split(":")
        if name and rest and name[0] not in "#+-":
            state = _state(rest[0])
            ageing = _ageing(rest)
            if state == _LOCKED:  # nobody is asked to change it
                ageing.pop("must-change", None)
            facts = {} if state == _LOCKED else {"password": state}
            states.setdefault(name, facts | ageing)
        elif line and line[0] not in "#+-":
            context.gap(_SHADOW, "malformed account entry")
    return states


def _ageing(fields: list[str]) -> dict[str, str]:
    """Return when an account ends, and whether its password has to be changed.

    The day of the last change differs between any two machines and is left out.

    >>> _ageing("!:19000:0:90:7::19500:".split(":"))
    {'max-days': '90', 'expires': '2023-05-23'}
    """
    padded = [*fields, *[""] * _SHADOW_FIELDS]
    changed, longest, ends = (padded[at] for at in (1, 3, 6))
    facts = {"must-change": "true"} if changed == "0" else {}
    if longest.isdecimal() and int(longest) < _FOR_EVER:
        facts["max-days"] = longest
    if ends.isdecimal() and len(ends) < _DIGITS:
        facts["expires"] = (date(1970, 1, 1) + timedelta(days=int(ends))).isoformat()
    return facts


def _state(field: str) -> str:
    """Return the state of a password field of shadow(5).

    >>> [_state(field) for field in ("", "*", "!$6$x", "$y$j9T$x")]
    ['none', 'locked', 'locked', 'set']
    """
    if not field:
        return "none"
    return _LOCKED if field[0] in "!*" or field == "x" else "set"


def _included(context: Context) -> Iterator[str]:
    for name in context.names(_SUDOERS_FOLDER):
        if not _IGNORED.match(name):
            yield f"{_SUDOERS_FOLDER}/{name}"


def _refused(path: str, context: Context) -> str:
    """Return why sudo does not read a file, empty when it does; doas has other rules."""
    entry, etc = context.stat(context.resolve(path)), context.stat("/etc")
    if entry is None or (path not in (*_SUDOERS[:2],) and not path.startswith(_SUDOERS_FOLDER)):
        return ""
    if entry.mode & 0o002:
        return "everyone may write it"
    if entry.mode & 0o020 and entry.gid:
        return "a group other than root may write it"
    return "it does not belong to root" if entry.uid and etc is not None and not etc.uid else ""


def _rules(text: str) -> dict[str, str]:
    # Handled by _COMMENT, since a number sign may also precede a user ID or an include.
    lines = [_COMMENT.sub("", line).strip() for line in parse_lines(text, comment="\0")]
    lines = [line for line in lines if line]
    includes = [match[2] for line in lines if (match := _INCLUDE.match(line))]
    grants = [line for line in lines if not _INCLUDE.match(line) and not line.startswith(_SETTING)]
    without_password = [line for line in grants if "NOPASSWD" in line or " nopass" in line]
    facts = {
        "sha256": digest_lines("/etc/sudoers", lines),
        "rules": str(len(grants)),
        "who": " ".join(sorted({_who(line) for line in grants}, key=sort_key)),
        "nopasswd": str(len(without_password)) if without_password else "",
        "includes": " ".join(includes),
    }
    return {name: value for name, value in facts.items() if value}


def _who(line: str) -> str:
    """Return the user or group of a rule of sudoers(5) or doas.conf(5).

    >>> _who("%sudo ALL=(ALL:ALL) ALL"), _who("permit nopass :wheel as root cmd id")
    ('%sudo', ':wheel')
    """
    words = line.split()
    if words[0] in ("permit", "deny"):
        options = {"nopass", "nolog", "persist", "keepenv"}
        rest = [word for word in words[1:] if word not in options]
        return rest[0] if rest else words[0]
    return words[0]


COLLECTOR = Collector(
    name="login",
    sections=("login", "sudo"),
    reads=(_SHADOW, *_SUDOERS, f"{_SUDOERS_FOLDER}/*"),
    collect=collect,
    sources=("shadow(5)", "sudoers(5)", "doas.conf(5)"),
)
