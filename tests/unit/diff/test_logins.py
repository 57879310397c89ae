"""A list of keys on the right side is access for somebody, and root's where the account can be."""

from __future__ import annotations

import pytest

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.logins import with_logins
from envlock.diff.severity import classify
from envlock.model.lock import Lock

RIGHT = Lock(
    sections={
        "user": {
            "root": {"uid": "0", "gid": "0", "home": "/root"},
            "toor": {"uid": "0", "gid": "0", "home": "/srv/toor"},
            "ada": {"uid": "1000", "gid": "1000", "kind": "person"},
            "bob": {"uid": "1001", "gid": "1001", "kind": "person"},
            "eve": {"uid": "1002", "gid": "27", "kind": "person"},
            "deploy": {"uid": "900", "gid": "900", "home": "/var/lib/deploy"},
            "dan": {"uid": "1003", "gid": "1003", "kind": "person"},
        },
        "group": {"sudo": {"gid": "27", "members": "ada"}, "ops": {"gid": "50", "members": "dan"}},
        "sudo": {"/etc/sudoers": {"who": "%ops deploy"}},
    }
)
NO_LIST = {
    "/root/.ssh/known_hosts": "low",
    "/root/.ssh/authorized_keys.bak": "low",
    "/home/bob/.ssh/id_ed25519.pub": "low",
    "/srv/authorized_keys": "low",
}


def severity(path: str, kind: ChangeKind = ChangeKind.ADDED, field: str = "") -> str:
    sides = {ChangeKind.ADDED: (None, "x"), ChangeKind.REMOVED: ("x", None)}
    delta = Delta("file", path, field, kind, *sides.get(kind, ("a", "b")), {"class": "unowned"})
    (told,) = with_logins([delta], RIGHT)
    return classify(told, "left", "right").severity.value


@pytest.mark.parametrize(
    ("path", "expected"),
    {
        "/root/.ssh/authorized_keys": "high",
        "/root/.ssh/authorized_keys2": "high",
        "/srv/toor/.ssh/authorized_keys": "high",
        "/home/ada/.ssh/authorized_keys": "high",
        "/home/eve/.ssh/authorized_keys": "high",
        "/home/dan/.ssh/authorized_keys": "high",
        "/var/lib/deploy/.ssh/authorized_keys": "high",
        "/etc/ssh/authorized_keys/ada": "high",
        "/etc/ssh/authorized_keys.d/bob": "medium",
        "/home/bob/.ssh/authorized_keys": "medium",
        "/home/nobody-knows/.ssh/authorized_keys": "medium",
        **NO_LIST,
    }.items(),
)
def test_a_new_list_of_keys(path, expected):
    assert severity(path) == expected


def test_other_keys_are_told_alike_and_a_list_that_is_gone_is_no_access():
    path = "/root/.ssh/authorized_keys"
    assert severity(path, ChangeKind.CHANGED, "sha256") == "high"
    assert severity(path, ChangeKind.CHANGED, "owner") == "medium"
    assert severity(path, ChangeKind.REMOVED) == "medium"
