"""A package that is needed for what its files do needs its configuration below /etc."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from envlock.model.scope import MemberClass
from envlock.scope.graph import Around, EdgeKind, File, Item, Need, Node
from envlock.scope.owners import record_of
from envlock.scope.packages import SYSTEMS, installed

_FOLDER = re.compile(r"(/etc/[^/]+)/.")
_SHARED = frozenset(
    {"/etc/alternatives", "/etc/apt", "/etc/bash_completion.d", "/etc/binfmt.d", "/etc/cron.d",
     "/etc/cron.daily", "/etc/cron.hourly", "/etc/cron.monthly", "/etc/cron.weekly", "/etc/default",
     "/etc/dpkg", "/etc/init.d", "/etc/init", "/etc/kernel", "/etc/ld.so.conf.d", "/etc/logcheck",
     "/etc/logrotate.d", "/etc/modprobe.d", "/etc/modules-load.d", "/etc/pam.d", "/etc/profile.d",
     "/etc/security", "/etc/skel", "/etc/ssl", "/etc/sudoers.d", "/etc/sysconfig", "/etc/sysctl.d",
     "/etc/systemd", "/etc/tmpfiles.d", "/etc/udev", "/etc/ufw", "/etc/update-motd.d", "/etc/vim",
     "/etc/X11", "/etc/xdg", "/etc/rc.d", "/etc/conf.d", "/etc/pki", "/etc/opt", "/etc/php",
     "/etc/fonts",
     "/etc/apparmor.d", "/etc/dbus-1", "/etc/emacs", "/etc/insserv.conf.d", "/etc/network"}
)  # fmt: skip
"""Directories below /etc in which many packages have files."""


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield the changed files below /etc that a package owns or that are in its directories.

    A program also has the directory of its own name there, whose files another package may own:
    ``/usr/sbin/nginx`` and ``/etc/nginx`` are of two packages.
    """
    if isinstance(node, File):
        package = record_of(node.path, around)
        folder, name = posixpath.split(node.path)
        if posixpath.basename(folder) in ("bin", "sbin") and f"/etc/{name}" not in _SHARED:
            for path in around.once(_recorded):
                if path.startswith(f"/etc/{name}/"):
                    yield Need(Item("file", path), "configuration", MemberClass.LOADED)
    elif node.section in SYSTEMS:
        package = node
    else:
        return
    if package.section in SYSTEMS:
        for path in around.once(_configuration, *package):
            yield Need(Item("file", path), "configuration", MemberClass.LOADED)


def _configuration(around: Around, system: str, key: str) -> tuple[str, ...]:
    """Return the keys of records of section ``file`` that are the configuration of a package."""
    recorded = around.once(_recorded)
    if not recorded:
        return ()
    own = {path for path in installed(around, system).files(key) if path.startswith("/etc/")}
    folders = {match[1] for path in own if (match := _FOLDER.match(path))} - _SHARED
    return tuple(
        path
        for path in recorded
        if path in own or ((match := _FOLDER.match(path)) and match[1] in folders)
    )


def _recorded(around: Around) -> tuple[str, ...]:
    records = around.lock.sections.get("file", {})
    return tuple(path for path in records if path.startswith("/etc/"))


EDGE = EdgeKind(
    name="configuration",
    of="a package of the operating system that the closure reaches by a file; a program",
    to="those of its files below /etc, and of the files in its directories there, that have a "
    "record: changed, or added; the directory of its name there",
    evidence="package databases, and the section `file` of the lock",
    sources=("Debian Policy 10.7", "FHS 3.0, /etc"),
    needs=needs,
)
