"""Fold what one side alone has below a directory into one change, and name what matters in it.

A directory stands for everything below it.  What decides who may log in, what runs at boot or how
the kernel is set up is never folded; of the rest, programs and settings are named first.  A
directory of a noisy class is no difference of its own, but it stands for the significant files in
it where there are several.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from envlock.diff.drift import Delta
from envlock.diff.predicates import holds_secret, is_privileged
from envlock.model.deciding import Kind, decides
from envlock.model.glob import compile_globs
from envlock.model.tree import Entry, EntryType

CONFIGURATION = ("/etc/", "/usr/etc/", "/usr/local/etc/")
"""Folders in which every file is configuration."""
_NAMED = 3
"""How many entries of a directory are named."""
_OWN_LINE = compile_globs(
    (
        "**/.ssh/*",
        "/etc/cron*/*",
        "/etc/init.d/*",
        "/etc/ld.so.conf.d/*",
        "/etc/modprobe.d/*",
        "/etc/modules-load.d/*",
        "/etc/pam.d/*",
        "/etc/polkit-1/**",
        "/etc/profile.d/*",
        "/etc/security/**",
        "/etc/ssh/**",
        "/etc/sudoers.d/*",
        "/etc/sysctl.d/*",
        "/etc/systemd/**",
        "/etc/udev/rules.d/*",
        "/etc/apt/**",
        "/etc/yum.repos.d/*",
        "/etc/tmpfiles.d/*",
        "/etc/sysusers.d/*",
        "/etc/environment.d/*",
        "/etc/fonts/conf.d/*",
        "/etc/ssl/**",
        "/etc/pki/**",
        "/usr/local/share/ca-certificates/**",
        "/home/*/.config/systemd/user/**",
        "/root/.config/systemd/user/**",
        "/var/spool/cron/**",
    )
).match
_OWN_LINES = 20
"""How many such entries of one directory are told apart; more are named like others."""


class OneSided(NamedTuple):
    """A path that one side has: its difference, and its entry there.

    `is_quiet`: its class is noisy, so that it is told only where it stands for what is below it.
    """

    delta: Delta
    entry: Entry
    is_quiet: bool = False


class Folded(NamedTuple):
    """The differences that are left, and the quiet paths that stand for nothing."""

    deltas: list[Delta]
    hidden: list[OneSided]


def fold(found: Mapping[str, OneSided]) -> Folded:
    """Return the differences of paths on one side only, folded under their directories."""
    below: dict[str, list[OneSided]] = {}
    top: dict[str, str] = {}
    for path in sorted(found):
        head = top.get(_parent(path), "")
        if head and _folds(found[head], found[path]):
            top[path] = head
            below.setdefault(head, []).append(found[path])
        else:
            top[path] = path
    folded = Folded([], [])
    for path, head in top.items():
        if path == head:
            _add(found[path], below.get(path, []), folded)
    return folded


def _add(head: OneSided, below: list[OneSided], folded: Folded) -> None:
    """Add one head with what is below it."""
    own = [each for each in below if _has_own_line(each)][:_OWN_LINES]
    folded.deltas.extend(each.delta for each in own)
    told = [each for each in below if not (each.is_quiet or each in own)]
    quiet = [each for each in (head, *below) if each.is_quiet]
    if head.is_quiet and len(told) <= 1:
        folded.deltas.extend(each.delta for each in told)
    else:
        if head.is_quiet:
            head = _closest(quiet, told)
            quiet.remove(head)
        folded.deltas.append(_with_below(head, told))
    folded.hidden.extend(quiet)


def _closest(quiet: list[OneSided], told: list[OneSided]) -> OneSided:
    """Return the deepest directory that holds everything that is told."""
    paths = [each.delta.key for each in told]
    holding = (q for q in quiet if all(path.startswith(f"{q.delta.key}/") for path in paths))
    return max(holding, key=lambda each: len(each.delta.key))


def _folds(head: OneSided, child: OneSided) -> bool:
    """True when a child is folded: same kind and reason, no privilege, no secret."""
    a, b = head.delta, child.delta
    is_same = (a.kind, a.explained_by, a.special_rule) == (b.kind, b.explained_by, b.special_rule)
    return is_same and not is_privileged(b) and not holds_secret(b)


def _has_own_line(each: OneSided) -> bool:
    """True for a file that decides by its place, and whose difference nothing explains."""
    delta = each.delta
    if each.entry.type is EntryType.DIRECTORY or delta.explained_by or delta.special_rule:
        return False
    return _OWN_LINE(delta.key) is not None


def _with_below(head: OneSided, below: list[OneSided]) -> Delta:
    delta = head.delta
    if not below:
        return delta
    text = f", {len(below)} {'entry' if len(below) == 1 else 'entries'} below"
    named = _important(delta.key, below)
    if named:
        text += f", among them {', '.join(named)}"
    return delta._replace(
        left=delta.left and delta.left + text,
        right=delta.right and delta.right + text,
        below=tuple(each.delta for each in below),
    )


def _important(folder: str, below: list[OneSided]) -> list[str]:
    """Return the names of the entries that matter most: programs, then settings.

    Where everything is configuration, any file is one that matters.
    """
    start = len(folder.rstrip("/")) + 1
    files = [e for e in below if e.entry.type is not EntryType.DIRECTORY]
    chosen: dict[str, None] = {}
    for kind in (Kind.PROGRAM, Kind.SETTING | Kind.KEY_STORE):
        of_kind = (e for e in files if decides(e.entry, kind, lambda _path: True))
        chosen.update(dict.fromkeys(each.delta.key[start:] for each in of_kind))
    if f"{folder}/".startswith(CONFIGURATION):
        chosen.update(dict.fromkeys(each.delta.key[start:] for each in files))
    return list(chosen)[:_NAMED]


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"
