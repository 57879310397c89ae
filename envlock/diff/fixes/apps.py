"""Commands of snap and flatpak, which install a revision or commit by name.

Sources: snap(8); flatpak-install(1); flatpak-update(1).
"""

from __future__ import annotations

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.fixes.commands import NO_FIX, Commands, Surroundings, command, is_name
from envlock.model.record import Facts

_FLATPAK = ("flatpak", "--system", "--noninteractive")


def install_app(delta: Delta, around: Surroundings) -> Commands:
    """Return how to give the right side the snap or Flatpak of the left side."""
    facts = delta.facts if delta.kind is ChangeKind.REMOVED else around.before(*_record(delta))
    if not is_name(delta.key) or not facts or around.right.get(*_record(delta)) == facts:
        return NO_FIX
    make = {"snap": _snap, "flatpak": _flatpak}.get(delta.section)
    return make(delta, facts) if make else NO_FIX


def _record(delta: Delta) -> tuple[str, str]:
    return delta.section, delta.key


def _snap(delta: Delta, facts: Facts) -> Commands:
    """A revision that begins with x was installed from a file, and has no other source."""
    revision, channel = facts.get("revision", ""), facts.get("channel", "")
    if delta.field == "enabled":
        verb = {"true": "enable", "false": "disable"}.get(delta.left or "")
        return command("snap", verb, delta.key) if verb else NO_FIX
    if not revision.isdecimal() or delta.field not in ("", "version", "revision", "channel"):
        return NO_FIX
    options = (f"--channel={channel}",) if is_name(channel) else ()
    verb = "refresh" if delta.field else "install"
    return command("snap", verb, *options, f"--revision={revision}", delta.key)


def _flatpak(delta: Delta, facts: Facts) -> Commands:
    commit, origin = facts.get("commit", ""), facts.get("origin", "")
    if not is_name(commit):
        return NO_FIX
    chosen = command(_FLATPAK[0], "update", *_FLATPAK[1:], f"--commit={commit}", delta.key)
    if delta.field == "commit":
        return chosen
    if delta.field or not is_name(origin):
        return NO_FIX
    return command(_FLATPAK[0], "install", *_FLATPAK[1:], origin, delta.key) + chosen
