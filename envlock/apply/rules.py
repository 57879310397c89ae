"""Where a difference belongs in the order, what its fix needs, and what is never automatic.

Sources: `docs/explanation/joining.md` says why; sudoers(5), pam(7), fstab(5), apt-get(8).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from envlock.apply.gap import Auto, Difference, Gap, Need, Phase, State
from envlock.model.facts import SECTIONS, Family, Part, part_of

_PHASES: Mapping[str, Phase] = {
    "os": Phase.MACHINE,
    "unread": Phase.MACHINE,
    "machine": Phase.MACHINE,
    "repository": Phase.SOURCES,
    "apt-source": Phase.SOURCES,
    "apt-pin": Phase.SOURCES,
    "user": Phase.ACCOUNTS,
    "group": Phase.ACCOUNTS,
    "subid": Phase.ACCOUNTS,
    "login": Phase.ACCOUNTS,
    "sudo": Phase.ACCOUNTS,
    "alternative": Phase.CHOICES,
    "diversion": Phase.CHOICES,
    "statoverride": Phase.CHOICES,
    "locale": Phase.TRUST,
    "certificate": Phase.TRUST,
    "truststore": Phase.TRUST,
    "service": Phase.SERVICES,
    "cron": Phase.SERVICES,
    "env": Phase.SESSION,
    "process": Phase.SESSION,
    "host.sysctl": Phase.KERNEL,
    "host.limits": Phase.SESSION,
}
"""Step of a section that is no package; all others are files, or hardware when of the host."""

_HOMES = "/home/"
_GRAPHIC = re.compile(r"nvidia-(?:driver|kernel|dkms)|amdgpu|cuda-drivers")
_BOOT = re.compile(
    r"(?:linux-(?:image|headers|modules|firmware)|grub|shim|initramfs-tools|dracut|systemd-boot"
    r"|kernel|firmware-|(?:intel|amd64)-microcode|u-boot)"
)
_CORE = frozenset({"libc6", "libc-bin", "dpkg", "apt", "systemd", "systemd-sysv", "glibc", "rpm"})
_ACCESS = (
    "/etc/sudoers",
    "/etc/pam",
    "/etc/nsswitch.conf",
    "/etc/ssh/sshd",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/passwd",
    "/etc/group",
    "/etc/security/",
)
_BEGINNING = (
    "/etc/fstab",
    "/etc/crypttab",
    "/etc/network",
    "/etc/netplan/",
    "/etc/systemd/network/",
    "/etc/NetworkManager/",
    "/etc/nftables",
    "/etc/iptables",
    "/etc/selinux/",
    "/etc/default/grub",
    "/boot/",
)
_DATA = ("/var/lib/", "/srv/", "/home/", "/root/")


class Caution(NamedTuple):
    """A row of `CAUTIONS`: which differences it holds for, who may run their fix, and why.

    `kind` is the word with which ``apply --allow`` permits it, empty where nothing does.
    """

    when: Callable[[Difference], bool]
    auto: Auto
    why: str
    kind: str = ""


def _name(found: Difference) -> str:
    return found.key.partition(":")[0]


def _is_package(found: Difference) -> bool:
    return SECTIONS[found.section].family is not None if found.section in SECTIONS else False


CAUTIONS: tuple[Caution, ...] = (
    Caution(
        lambda d: _is_package(d) and _BOOT.match(_name(d)) is not None,
        Auto.NEVER,
        "the kernel, its boot loader and firmware decide whether the machine starts",
        "kernel",
    ),
    Caution(
        lambda d: _is_package(d) and _GRAPHIC.search(_name(d)) is not None,
        Auto.NEVER,
        "a driver is changed with its kernel module, and takes a restart",
        "driver",
    ),
    Caution(
        lambda d: _is_package(d) and d.is_newer and _name(d) in _CORE,
        Auto.NEVER,
        "an older version of this package can leave a machine on which no program starts",
        "core",
    ),
    Caution(
        lambda d: d.section == "os",
        Auto.NEVER,
        "another release or architecture is another machine",
    ),
    Caution(
        lambda d: d.section == "sudo" or d.key.startswith(_ACCESS),
        Auto.NEVER,
        "an error in it locks people out",
        "access",
    ),
    Caution(
        lambda d: d.section == "login",
        Auto.NEVER,
        "passwords are set by those who own them",
        "login",
    ),
    Caution(
        lambda d: d.key.startswith(_BEGINNING),
        Auto.NEVER,
        "an error in it keeps the machine from starting, or from the network",
        "boot",
    ),
    Caution(
        lambda d: d.section in ("user", "group") and d.field in ("uid", "gid"),
        Auto.NEVER,
        "files keep the old number",
    ),
    Caution(
        lambda d: d.section in ("user", "group") and d.state is State.EXTRA,
        Auto.NEVER,
        "an account may own files that no lock lists",
    ),
    Caution(
        lambda d: d.state is State.EXTRA and f"{d.key}/".startswith(_DATA),
        Auto.NEVER,
        "it may be data",
    ),
    Caution(lambda d: d.state is State.EXTRA, Auto.ASK, "it is removed only on demand"),
    Caution(
        lambda d: _is_package(d) and d.is_newer,
        Auto.ASK,
        "it installs an older version",
    ),
    Caution(
        lambda d: d.section == "service" and "ssh" in d.key,
        Auto.NEVER,
        "it can end the session that it is done in",
        "ssh",
    ),
)
"""What is not done without a person; the first row that holds decides."""


def caution_of(found: Difference) -> Caution | None:
    """Return the first row that holds for a difference, None where no caution is needed."""
    return next((row for row in CAUTIONS if row.when(found)), None)


def gap_of(found: Difference) -> Gap:
    """Return a difference with its step, what its fix needs, and who may run it."""
    phase = phase_of(found)
    if found.state is State.UNKNOWN:
        return Gap(difference=found, phase=phase, caution="it could not be read")
    row = caution_of(found)
    if not found.fix:
        why = row.why if row else "no command does it"
        return Gap(difference=found, phase=phase, needs=_needs(found, phase), caution=why)
    return Gap(
        difference=found,
        phase=phase,
        needs=_needs(found, phase),
        auto=row.auto if row else Auto.YES,
        caution=row.why if row else "",
    )


def phase_of(found: Difference) -> Phase:
    """Return the step that a difference belongs to."""
    known = _PHASES.get(found.section)
    if known is not None:
        return known
    row = SECTIONS.get(found.section)
    if row is not None and row.family is not None:
        return _PACKAGES[row.family]
    return Phase.HARDWARE if part_of(found.section) is Part.HOST else Phase.FILES


_PACKAGES: Mapping[Family, Phase] = {
    Family.DEBIAN: Phase.PACKAGES,
    Family.SYSTEM: Phase.PACKAGES,
    Family.APP: Phase.APPS,
    Family.PYTHON: Phase.LANGUAGES,
    Family.LANGUAGE: Phase.LANGUAGES,
    Family.HPC: Phase.LANGUAGES,
}
_UNPRIVILEGED = frozenset({Phase.SESSION})
"""Steps whose commands act on the session of the user."""


def _needs(found: Difference, phase: Phase) -> tuple[Need, ...]:
    """Return what a fix takes, in the order of `Need`."""
    needs = set()
    if phase is Phase.HARDWARE:
        needs.add(Need.ADMIN)
    if found.fix and phase not in _UNPRIVILEGED and not _is_own(found):
        needs.add(Need.ROOT)
    if found.section in ("host.kernel", "host.driver") or (
        _is_package(found) and (_BOOT.match(_name(found)) or _GRAPHIC.search(_name(found)))
    ):
        needs.add(Need.REBOOT)
    is_membership = found.section == "group" and found.field == "members"
    if phase is Phase.SESSION or is_membership or found.section == "locale":
        needs.add(Need.RELOGIN)
    return tuple(need for need in Need if need in needs)


def _is_own(found: Difference) -> bool:
    """True when every command works on something in a home directory."""
    return bool(found.fix) and all(
        any(word.startswith(_HOMES) for word in command) for command in found.fix
    )
