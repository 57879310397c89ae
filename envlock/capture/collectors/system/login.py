"""Who may log in by password and who may become root; no hash and no command is recorded."""

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
"""Names in an included folder that sudo passes over (sudoers(5))."""
_INCLUDE = re.compile(r"[@#](include(?:dir)?)\s+(\S+)")
_SETTING = ("Defaults", "User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias", "Cmd_Alias")
_COMMENT = re.compile(r"#(?!\d|include(?:dir)?\s).*")


def collect(context: Context) -> Iterator[Record]:
    """Yield each account whose password is not locked, and a record for each file of rules.

    ``password`` is ``set`` or ``none`` (nobody is asked for one).  Facts of rules:
    ``sha256`` (of what they say, whatever the layout), ``rules`` (how many grant something),
    ``who`` (whom), ``nopasswd`` (how many ask for no password), ``includes``.
    """
    for name, state in _states(context).items():
        if state != _LOCKED:
            yield Record("login", name, {"password": state})
    for path in (*_SUDOERS, *_included(context)):
        text = context.text(path, SETTINGS_LIMIT)
        if text is not None:
            yield Record("sudo", path, _rules(text))


def _states(context: Context) -> dict[str, str]:
    """Return account -> state; of a doubled name the first counts."""
    states: dict[str, str] = {}
    for line in (context.text(_SHADOW) or "").split("\n"):
        name, *rest = line.split(":", 2)
        if name and rest and name[0] not in "#+-":
            states.setdefault(name, _state(rest[0]))
        elif line and line[0] not in "#+-":
            context.gap(_SHADOW, "a line that is no account")
    return states


def _state(field: str) -> str:
    """Return what shadow(5) makes of a password field.

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
    # What _COMMENT leaves: a number sign also stands before a user ID and an include.
    lines = [_COMMENT.sub("", line).strip() for line in parse_lines(text, comment="\0")]
    lines = [line for line in lines if line]
    includes = [match[2] for line in lines if (match := _INCLUDE.match(line))]
    grants = [line for line in lines if not _INCLUDE.match(line) and not line.startswith(_SETTING)]
    asks_nothing = [line for line in grants if "NOPASSWD" in line or " nopass" in line]
    facts = {
        "sha256": digest_lines(lines),
        "rules": str(len(grants)),
        "who": " ".join(sorted({_who(line) for line in grants}, key=sort_key)),
        "nopasswd": str(len(asks_nothing)) if asks_nothing else "",
        "includes": " ".join(includes),
    }
    return {name: value for name, value in facts.items() if value}


def _who(line: str) -> str:
    """Return whom a rule is about: the first word, or in doas.conf(5) the last before a keyword.

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
