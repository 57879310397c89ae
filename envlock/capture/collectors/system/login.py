"""Accounts that can log in by password, and sudo rules; no hash and no command is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.system.settings import SETTINGS_LIMIT, parse_lines
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.redact import digest_lines

_SHADOW = "/etc/shadow"
_LOCKED = "locked"
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
    for name, state in _states(context).items():
        if state != _LOCKED:
            yield Record("login", name, {"password": state})
    for path in (*_SUDOERS, *_included(context)):
        text = context.text(path, SETTINGS_LIMIT)
        if text is not None:
            yield Record("sudo", path, _rules(text))


def _states(context: Context) -> dict[str, str]:
    """Return account -> state; of duplicate names the first counts."""
    states: dict[str, str] = {}
    for line in (context.text(_SHADOW) or "").split("\n"):
        name, *rest = line.split(":", 2)
        if name and rest and name[0] not in "#+-":
            states.setdefault(name, _state(rest[0]))
        elif line and line[0] not in "#+-":
            context.gap(_SHADOW, "malformed account entry")
    return states


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
