"""Commands for variables, files, accounts, services, alternatives and kernel settings."""

from __future__ import annotations

import re

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.fixes.commands import NO_FIX, Commands, Surroundings, command, is_name, is_text
from envlock.diff.fixes.packages import reinstall
from envlock.diff.predicates import is_lower_level

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MODE = re.compile(r"[0-7]{3,5}\Z")
_OWNER = re.compile(r"[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+\Z")
_USER = "user/"


def variable(delta: Delta, around: Surroundings) -> Commands:
    """Return how to set a variable as on the left side, or to remove it."""
    if not _VARIABLE.match(delta.key):
        return NO_FIX
    if delta.kind is ChangeKind.ADDED and not delta.field:
        return command("unset", delta.key)
    is_value = not delta.field or delta.field == "value"
    if delta.left is None or not is_value or "value" not in _left_facts(delta, around):
        return NO_FIX
    return command("export", f"{delta.key}={delta.left}")


def _left_facts(delta: Delta, around: Surroundings) -> dict[str, str]:
    known = around.before(delta.section, delta.key)
    if known:
        return dict(known)
    # Without the locks, a value that is shown is a value: secrets are described in words.
    return {"value": delta.left or ""} if delta.left not in (None, "(secret)") else {}


def permissions(delta: Delta, _around: Surroundings) -> Commands:
    """Return how to give a path the mode or owner of the left side."""
    value = delta.left or ""
    if not _is_path(delta.key):
        return NO_FIX
    if delta.field == "mode" and _MODE.match(value):
        return command("chmod", value, delta.key)
    if delta.field == "owner" and _OWNER.match(value):
        return command("chown", "--no-dereference", value, delta.key)
    return NO_FIX


def packaged_permissions(delta: Delta, _around: Surroundings) -> Commands:
    """Return how to give a path of the right side the owner and mode that its package sets."""
    if delta.kind is not ChangeKind.ADDED or not _is_path(delta.key):
        return NO_FIX
    owner = delta.facts.get("packaged-owner", "")
    mode = delta.facts.get("packaged-mode", "")
    # chown(2) clears set-id bits, so that the mode comes last.
    given = command("chown", owner, delta.key) if _OWNER.match(owner) else NO_FIX
    return given + (command("chmod", mode, delta.key) if _MODE.match(mode) else NO_FIX)


def restore(delta: Delta, around: Surroundings) -> Commands:
    """Return how to get a file back from its package, if the right side is the one without it."""
    # A record of a deviating file that only the left side has is none of the right side.
    is_packaged = delta.facts.get("class") in ("package", "conffile")
    is_right = delta.kind is not ChangeKind.REMOVED or is_packaged
    owner = delta.facts.get("owned-by", "")
    if not is_right or not owner:
        return NO_FIX
    is_conffile = delta.facts.get("class", "").startswith("conffile")
    return reinstall(owner, around, conffile=is_conffile)


def drop_capabilities(delta: Delta, _around: Surroundings) -> Commands:
    """Return how to take capabilities from a program that has none on the left side."""
    is_gained = delta.left is None and delta.right is not None and _is_path(delta.key)
    return command("setcap", "-r", delta.key) if is_gained else NO_FIX


def members(delta: Delta, _around: Surroundings) -> Commands:
    """Return how to add and remove members of a group."""
    if delta.section != "group" or delta.field != "members" or not is_name(delta.key):
        return NO_FIX
    left, right = ({*(value or "").split(",")} - {""} for value in (delta.left, delta.right))
    if not all(map(is_name, left ^ right)):
        return NO_FIX
    steps = [("-d", name) for name in sorted(right - left)]
    steps += [("-a", name) for name in sorted(left - right)]
    return tuple(("gpasswd", option, name, delta.key) for option, name in steps)


def account(delta: Delta, around: Surroundings) -> Commands:
    """Return how to change an account; numbers are not changed, for they own files."""
    if delta.field == "members":
        return members(delta, around)
    if delta.section == "user" and is_name(delta.key) and is_text(delta.left or ""):
        option = {"shell": "--shell", "home": "--home"}.get(delta.field)
        if option and (delta.left or "").startswith("/"):
            return command("usermod", option, delta.left or "", delta.key)
    return NO_FIX


def lock_password(delta: Delta, _around: Surroundings) -> Commands:
    """Return how to lock an account that needs no password."""
    return command("passwd", "--lock", delta.key) if is_name(delta.key) else NO_FIX


def service(delta: Delta, around: Surroundings) -> Commands:
    """Return how to enable, disable, mask or unmask a unit as on the left side."""
    is_user, unit = delta.key.startswith(_USER), delta.key.removeprefix(_USER)
    if not is_name(unit):
        return NO_FIX
    scope = ("--global",) if is_user else ()
    left, right = (facts(delta.section, delta.key) for facts in (around.before, around.after))
    was_masked, is_masked = left.get("state") == "masked", right.get("state") == "masked"
    if was_masked != is_masked:
        return command("systemctl", *scope, "mask" if was_masked else "unmask", unit)
    if delta.field not in ("", "wanted-by") or "@." in unit:
        return NO_FIX
    starts = bool(left.get("wanted-by")), bool(right.get("wanted-by"))
    if starts == (True, False):
        return command("systemctl", *scope, "enable", unit)
    if starts == (False, True):
        return command("systemctl", *scope, "disable", unit)
    return NO_FIX


def alternative(delta: Delta, around: Surroundings) -> Commands:
    """Return how to let the system choose a program, or to choose that of the left side."""
    before = around.before(delta.section, delta.key)
    value = before.get("value") or (delta.left if delta.field == "value" else "") or ""
    if not is_name(delta.key) or (delta.kind is ChangeKind.ADDED and not delta.field):
        return NO_FIX
    if before.get("mode") == "auto" and delta.field:
        return command("update-alternatives", "--auto", delta.key)
    is_chosen = bool(delta.field) and value.startswith("/") and is_text(value)
    return command("update-alternatives", "--set", delta.key, value) if is_chosen else NO_FIX


def override(delta: Delta, _around: Surroundings) -> Commands:
    """Return how to add or remove an entry of dpkg-statoverride, or remove a diversion."""
    if not _is_path(delta.key) or delta.field:
        return NO_FIX
    if delta.section == "diversion":
        is_extra = delta.kind is ChangeKind.ADDED
        return command("dpkg-divert", "--remove", "--rename", delta.key) if is_extra else NO_FIX
    if delta.kind is ChangeKind.ADDED:
        return command("dpkg-statoverride", "--remove", delta.key)
    owner, mode = delta.facts.get("owner", ""), delta.facts.get("mode", "")
    if not _OWNER.match(owner) or not _MODE.match(mode):
        return NO_FIX
    user, _, group = owner.partition(":")
    return command("dpkg-statoverride", "--update", "--add", user, group, mode, delta.key)


def kernel_setting(delta: Delta, _around: Surroundings) -> Commands:
    """Return how to set a sysctl as on the left side, unless the right one has more."""
    is_sysctl = delta.section == "host.sysctl" and is_name(delta.key)
    if not is_sysctl or not delta.left or not delta.right or not delta.left.isprintable():
        return NO_FIX
    mirrored = delta._replace(left=delta.right, right=delta.left)
    return (
        NO_FIX if is_lower_level(mirrored) else command("sysctl", "-w", f"{delta.key}={delta.left}")
    )


def time_zone(delta: Delta, _around: Surroundings) -> Commands:
    """Return how to set the time zone of the left side, with or without systemd (localtime(5))."""
    zone = delta.left or ""
    if delta.field != "timezone" or not is_name(zone) or ":" in zone or ".." in zone:
        return NO_FIX
    return command("ln", "-snf", f"/usr/share/zoneinfo/{zone}", "/etc/localtime")


def _is_path(path: str) -> bool:
    return path.startswith("/") and is_text(path)
