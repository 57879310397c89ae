"""Packages that are not fully installed, doubled, or lack what they depend on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.diff.inconsistencies.inconsistency import Family, Inconsistency
from envlock.model.lock import Lock

_HALF = frozenset({"half-installed", "reinst-required"})
_UNCONFIGURED = frozenset({"unpacked", "half-configured"})
_SEVERAL = re.compile(
    r"(?:kernel|kmod|gpg-pubkey|linux-image|akmod|dkms|installonly|nvidia-open|microcode)"
)
"""Packages of which rpm keeps several versions by intention."""


def _states(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get("deb", {}).items():
        _, _, state = (*facts.get("status", "").split(), "", "", "")[:3]
        is_broken = "reinstreq" in facts.get("status", "")
        if is_broken or state in _HALF:
            yield Inconsistency("PACKAGE-HALF", "deb", key, f"its state is {state}", "status")
        elif state in _UNCONFIGURED:
            message = f"it is not configured: its state is {state}"
            yield Inconsistency("PACKAGE-NOT-CONFIGURED", "deb", key, message, "status")
        if facts.get("unmet"):
            message = f"nothing installed meets {facts['unmet']}"
            yield Inconsistency("PACKAGE-DEPENDS", "deb", key, message, "unmet")
    for section in ("rpm", "apk", "pacman"):
        for key, facts in lock.sections.get(section, {}).items():
            if facts.get("unmet"):
                message = f"nothing installed meets {facts['unmet']}"
                yield Inconsistency("PACKAGE-DEPENDS", section, key, message, "unmet")
            if facts.get("status"):
                message = f"its state is {facts['status']}"
                yield Inconsistency("PACKAGE-BROKEN", section, key, message, "status")


def _doubled(lock: Lock) -> Iterator[Inconsistency]:
    """Check that of each RPM package one version is installed, but for those with several."""
    versions: dict[str, list[tuple[str, str]]] = {}
    for key, facts in lock.sections.get("rpm", {}).items():
        version = facts.get("version", "")
        name, found, arch = key.rpartition(f"-{version}")
        if version and found and not _SEVERAL.match(name):
            versions.setdefault(f"{name}{arch}", []).append((key, version))
    for several in versions.values():
        if len(several) > 1:
            listed = " and ".join(version for _, version in several)
            message = f"{listed} are installed at once"
            yield Inconsistency("PACKAGE-DOUBLED", "rpm", several[0][0], message)


def _keys(lock: Lock) -> Iterator[Inconsistency]:
    """Check that the keys are there by which apt and dnf verify a repository."""
    for key, facts in lock.sections.get("apt-source", {}).items():
        if facts.get("enabled") == "false" or facts.get("trusted") == "yes":
            continue
        keyring = facts.get("signed-by", "its keyring")
        if facts.get("keyring-sha256") == "absent":
            message = f"{keyring}, which has its key, does not exist"
            yield Inconsistency("APT-KEY", "apt-source", key, message, "keyring-sha256")
        if facts.get("keyring-mode"):
            message = f"the account _apt cannot read {keyring}, mode {facts['keyring-mode']}"
            yield Inconsistency("APT-KEY", "apt-source", key, message, "keyring-mode")


PACKAGES: tuple[Family, ...] = (_states, _doubled, _keys)
