"""Commands that mend what one environment proves broken; none for the left side of a comparison."""

from __future__ import annotations

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.fixes.commands import (
    NO_FIX,
    Commands,
    Fix,
    Surroundings,
    command,
    is_name,
    is_text,
)
from envlock.diff.fixes.packages import reinstall


def always(*words: str) -> Fix:
    """Return a fix that is the same command for every record."""

    def fix(delta: Delta, _around: Surroundings) -> Commands:
        return command(*words) if _holds_on_right(delta) else NO_FIX

    return fix


def choose_again(delta: Delta, _around: Surroundings) -> Commands:
    """Return how to lead an alternative to a program that exists."""
    name = delta.key.rpartition("/")[2]
    is_safe = _holds_on_right(delta) and is_name(name)
    return command("update-alternatives", "--auto", name) if is_safe else NO_FIX


def complete(delta: Delta, _around: Surroundings) -> Commands:
    """Return how to install what packages need; only apt has a command for all of them."""
    is_deb = _holds_on_right(delta) and delta.section == "deb"
    return command("apt-get", "--fix-broken", "install") if is_deb else NO_FIX


def disable_unit(delta: Delta, _around: Surroundings) -> Commands:
    """Return how to disable a unit that does not exist."""
    name = delta.key.rpartition("/")[2]
    is_system = delta.key.startswith("/etc/systemd/system/")
    is_safe = _holds_on_right(delta) and is_system and is_name(name)
    return command("systemctl", "disable", name) if is_safe else NO_FIX


def install_again(delta: Delta, around: Surroundings) -> Commands:
    """Return how to install a package of the system again."""
    return reinstall(delta.record, around) if _holds_on_right(delta) else NO_FIX


def _holds_on_right(delta: Delta) -> bool:
    """False for what was found on the left side only: it has a severity of its own."""
    return delta.severity is None and delta.kind is not ChangeKind.REMOVED


def set_mode(mode: str, *, owner: str = "") -> Fix:
    """Return a fix that gives the file that a record is named by a mode, and before it an owner."""

    def fix(delta: Delta, _around: Surroundings) -> Commands:
        if not _holds_on_right(delta) or not delta.key.startswith("/") or not is_text(delta.key):
            return NO_FIX
        owned = command("chown", owner, delta.key) if owner else NO_FIX
        return owned + command("chmod", mode, delta.key)

    return fix
