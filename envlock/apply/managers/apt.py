"""apt and dpkg: exact versions from a repository of one run's own, simulated first.

Nothing but the files of the plan can be a candidate: sources, lists and preferences of the machine
are not read.  Sources: apt-get(8), apt.conf(5), apt-secure(8), dpkg(1), and `algorithms.cc` of apt
for the lines of a simulation.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from envlock.apply.gap import Command
from envlock.apply.managers.base import Pool
from envlock.apply.place import Place
from envlock.apply.plan import Marks, PackageChange, Transaction, Verb
from envlock.apply.programs import Machine
from envlock.model.tree import Entry, EntryType
from envlock.writing import replace_file

NAME = "apt"
TOUCHES = (
    "/etc/group",
    "/etc/gshadow",
    "/etc/passwd",
    "/etc/shadow",
    "/etc/subgid",
    "/etc/subuid",
    "/var/lib/apt/extended_states",
)
_UPDATES = "/var/lib/dpkg/updates"
_INST = re.compile(
    r"Inst (?P<name>[^ :]+)(?::(?P<foreign>[^ ]+))?(?: \[(?P<old>[^]]*)\])?"
    r" \((?P<new>[^ ]+)[^\[)]*(?:\[(?P<arch>[^]]*)\])?"
)
_GONE = re.compile(r"(?:Remv|Purg) (?P<name>[^ :]+)(?::(?P<arch>[^ ]+))?")
_POLICY = "/usr/sbin/policy-rc.d"
_NO_DAEMONS = b"#!/bin/sh\n# envlock apply: start nothing in here\nexit 101\n"
_PIECE = 1 << 20


class Apt:
    """`envlock.apply.managers.base.PackageTool` for Debian and Ubuntu."""

    name = NAME
    touches: tuple[str, ...] = TOUCHES

    def obstacle(self, machine: Machine) -> str:
        """Say when dpkg was interrupted, or is not there."""
        if not machine.has("apt-get") or not machine.has("dpkg"):
            return "there is no apt-get on it"
        folder = Path(machine.root + _UPDATES)
        if folder.is_dir() and any(name.isdecimal() for name in os.listdir(folder)):
            return "dpkg was interrupted on it; run `dpkg --configure -a` there first"
        return ""

    def stage(self, machine: Machine, pool: Pool) -> None:
        """Write the index of the package files, and let apt read it."""
        entries = []
        for path in sorted(pool.path.glob("*.deb")):
            control = machine.run(("dpkg-deb", "--field", f"{pool.inside}/{path.name}")).strip()
            digest = hashlib.sha256()
            with path.open("rb") as stream:
                while piece := stream.read(_PIECE):
                    digest.update(piece)
            entries.append(
                f"{control}\nFilename: ./{path.name}\nSize: {path.stat().st_size}\n"
                f"SHA256: {digest.hexdigest()}\n"
            )
        replace_file(pool.path / "Packages", "\n".join(entries).encode())
        replace_file(
            pool.path / "sources.list", f"deb [trusted=yes] file:{pool.inside} ./\n".encode()
        )
        for name in ("lists/partial", "cache/archives/partial", "none", "log"):
            (pool.path / name).mkdir(parents=True, exist_ok=True)
        machine.run(_apt_get(pool, "update"))

    def simulate(self, machine: Machine, pool: Pool, wanted: Transaction) -> list[str]:
        """Return what apt would do that is not in the transaction."""
        if not wanted.changes:
            return []
        told = machine.run(_apt_get(pool, "--simulate", *_request(wanted)))
        return list(_surplus(told, wanted))

    def run(self, machine: Machine, pool: Pool, wanted: Transaction) -> None:
        """Unhold, install and remove at once, then mark: what is named becomes manual."""
        _mark(machine, Marks(unhold=wanted.marks.unhold))
        if wanted.changes:
            with _QuietDaemons(machine):
                machine.run(_apt_get(pool, *_request(wanted)))
        _mark(machine, wanted.marks._replace(unhold=()))

    def finish_interrupted(self, machine: Machine) -> None:
        """Let dpkg configure what is unpacked."""
        with _QuietDaemons(machine):
            machine.run(("dpkg", "--force-confdef", "--force-confold", "--configure", "-a"))

    def undo(self, machine: Machine, pool: Pool, done: Transaction) -> None:
        """Install the old versions, purge the new packages; then holds as they were."""
        back = [
            f"{each.name}:{each.arch}={each.before}".replace(":all=", "=")
            for each in done.changes
            if each.before and each.has_undo and each.before != each.after
        ]
        gone = [f"{_word(each)}-" for each in done.changes if not each.before]
        _mark(machine, Marks(unhold=done.marks.hold))
        if back or gone:
            options = ("install", "--allow-downgrades", "--allow-change-held-packages", "--purge")
            with _QuietDaemons(machine):
                machine.run(_apt_get(pool, *options, *back, *gone))
        _mark(machine, Marks(hold=done.marks.unhold))


def _apt_get(pool: Pool, *words: str) -> Command:
    here = pool.inside
    settings = (
        f"Dir::Etc::sourcelist={here}/sources.list",
        f"Dir::Etc::sourceparts={here}/none",
        f"Dir::Etc::preferences={here}/none/preferences",
        f"Dir::Etc::preferencesparts={here}/none",
        f"Dir::State::lists={here}/lists",
        f"Dir::Cache={here}/cache",
        f"Dir::Log={here}/log",
        "APT::Sandbox::User=root",
        "APT::Install-Recommends=false",
        "APT::Install-Suggests=false",
        "APT::AutoRemove::RecommendsImportant=true",
        "Acquire::Languages=none",
        "Acquire::AllowInsecureRepositories=false",
        "DPkg::Lock::Timeout=60",
        "Dpkg::Use-Pty=0",
        "Dpkg::Options::=--force-confdef",
        "Dpkg::Options::=--force-confold",
    )
    options = (word for setting in settings for word in ("-o", setting))
    return ("apt-get", "--yes", "--quiet", *options, *words)


def _request(wanted: Transaction) -> tuple[str, ...]:
    """Return the words that ask for a transaction."""
    names = []
    for each in wanted.changes:
        is_gone = each.verb is Verb.REMOVE
        names.append(f"{_word(each)}-" if is_gone else f"{_word(each)}={each.after}")
    removes = any(each.verb is Verb.REMOVE for each in wanted.changes)
    return (
        "install",
        *(() if removes else ("--no-remove",)),
        "--allow-downgrades",
        "--allow-change-held-packages",
        *names,
    )


def _word(change: PackageChange) -> str:
    return change.name if change.arch == "all" else f"{change.name}:{change.arch}"


def _surplus(told: str, wanted: Transaction) -> Iterator[str]:
    """Yield what the lines of a simulation do beside the transaction."""
    installs = {(c.name, c.arch): c for c in wanted.changes if c.verb is not Verb.REMOVE}
    removals = {c.name for c in wanted.changes if c.verb is Verb.REMOVE}
    for line in told.splitlines():
        if found := _INST.match(line):
            change = installs.get((found["name"], found["arch"] or found["foreign"] or ""))
            if change is None or found["new"] != change.after:
                yield f"install {found['name']} {found['new']}"
        elif (found := _GONE.match(line)) and found["name"] not in removals:
            yield f"remove {found['name']}"


def _mark(machine: Machine, marks: Marks) -> None:
    for verb, names in marks._asdict().items():
        if names:
            machine.run(("apt-mark", verb, *names))


class _QuietDaemons:
    """While it is entered, packages start no daemons in a root that is not running.

    On a machine that runs, they do as its distribution says (Debian Policy 9.3.3).
    """

    def __init__(self, machine: Machine) -> None:
        self._root = machine.root
        self._is_needed = not machine.is_own

    def __enter__(self) -> None:
        if self._is_needed:
            with Place(self._root) as place:
                self._is_needed = place.find(_POLICY) is None or _is_ours(place)
                if self._is_needed:
                    place.put(Entry(_POLICY, EntryType.FILE, 0o755), [_NO_DAEMONS])

    def __exit__(self, *_error: object) -> None:
        if self._is_needed:
            with Place(self._root) as place:
                place.remove(_POLICY)


def _is_ours(place: Place) -> bool:
    """True for the file of a run that was killed."""
    found = place.find(_POLICY)
    is_file = found is not None and found.type is EntryType.FILE
    return is_file and b"".join(place.content(_POLICY)) == _NO_DAEMONS
