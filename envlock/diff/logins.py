"""Who may log in by ssh on the right side and could not on the left: new lists of keys.

Whoever has a key of an account acts as that account, so a list of one that can become root is told
like a rule of sudo.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.files import SECTION
from envlock.diff.rules.state import ROOT_GROUPS
from envlock.model.lock import Lock
from envlock.model.severity import Severity

_KEYS = re.compile(r"(?P<home>/.{0,4096})/\.ssh/authorized_keys2?\Z", re.DOTALL)
_ELSEWHERE = re.compile(r"/etc/ssh/authorized_keys(?:\.d)?/(?P<name>[^/]{1,256})\Z")
"""The two places that systems set as `AuthorizedKeysFile` in sshd_config(5)."""


def with_logins(deltas: Iterable[Delta], right: Lock) -> Iterator[Delta]:
    """Yield the differences; those that let somebody log in on the right side are told as that.

    `right` is the lock of the right side, which says who can become root there.
    """
    powerful: frozenset[str] | None = None
    for delta in deltas:
        account = _account(delta.key, right) if _adds_keys(delta) else ""
        if not account:
            yield delta
            continue
        if powerful is None:
            powerful = _can_become_root(right)
        severity = Severity.HIGH if account in powerful else None
        yield delta._replace(special_rule="login-keys", severity=severity)


def _adds_keys(delta: Delta) -> bool:
    """True for a file that is new on the right side, or has other content there."""
    if delta.section != SECTION or delta.explained_by or delta.special_rule:
        return False
    is_new = delta.kind is ChangeKind.ADDED and not delta.field
    return is_new or (delta.kind is ChangeKind.CHANGED and delta.field in ("sha256", "target"))


def _account(path: str, lock: Lock) -> str:
    """Return the account that a list of keys is for, empty for a path that is no such list."""
    if match := _ELSEWHERE.match(path):
        return match["name"]
    match = _KEYS.match(path)
    if match is None:
        return ""
    home = match["home"]
    for name, facts in lock.sections.get("user", {}).items():
        if home == facts.get("home", f"/home/{name}"):
            return name
    return home.rpartition("/")[2]


def _can_become_root(lock: Lock) -> frozenset[str]:
    """Return the accounts with the number 0, in a group that gives root, or named for sudo."""
    users, groups = (lock.sections.get(name, {}) for name in ("user", "group"))
    found, given = {"root"}, set(ROOT_GROUPS)
    for facts in lock.sections.get("sudo", {}).values():
        for who in facts.get("who", "").split():
            (given if who[:1] in "%:" else found).add(who.lstrip("%:"))
    numbers = {facts.get("gid", "") for name, facts in groups.items() if name in given} - {""}
    for name, facts in groups.items():
        found.update(facts.get("members", "").split(",") if name in given else ())
    found.update(
        name
        for name, facts in users.items()
        if facts.get("uid") == "0" or facts.get("gid") in numbers
    )
    return frozenset(found - {""})
