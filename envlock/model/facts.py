"""The closed vocabulary: which sections exist, which facts they hold, how each is compared.

A new section becomes diffable by a row in `SECTIONS` and, where it needs one, a fact in `FACTS`;
the diff never imports a collector.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Part(StrEnum):
    """Which digest a section belongs to."""

    ENVIRONMENT = "environment"
    HOST = "host"
    NONE = "none"


class Order(StrEnum):
    """How the versions of a section are ordered; `NONE` means only equal or different."""

    DEB = "deb"
    RPM = "rpm"
    APK = "apk"
    ALPM = "alpm"
    PEP440 = "pep440"
    SEMVER = "semver"
    DOTTED = "dotted"
    CONDA = "conda"
    GEM = "gem"
    NONE = "none"


class Kind(StrEnum):
    """How a fact is compared."""

    VERSION = "version"
    """Ordered by the section's `Order`: a difference is newer or older."""
    DIGEST = "digest"
    """Opaque: equal or different."""
    MODE = "mode"
    """Octal permission bits."""
    TEXT = "text"
    """Equal or different, shown as it is."""
    PROVENANCE = "provenance"
    """Where an artifact is to be had.  In no digest, and compared only when both sides know it:
    running ``apt-get update`` teaches a machine digests without changing it (ADR 0003)."""
    ADDRESS = "address"
    """Points into the store, counts, or tells who needs it.  In no digest and never compared."""


class Section(NamedTuple):
    """A section of the lockfile.

    `keyed` is False for a single table.  `title` names the section for people, plural.
    `collector` is the name its coverage stands under, empty when that is the section's own.
    """

    name: str
    title: str
    part: Part = Part.ENVIRONMENT
    keyed: bool = True
    order: Order = Order.NONE
    collector: str = ""


SECTIONS: Mapping[str, Section] = {
    section.name: section
    for section in (
        Section("os", "operating system", keyed=False, order=Order.DOTTED),
        Section("deb", "Debian packages", order=Order.DEB),
        Section("rpm", "RPM packages", order=Order.RPM),
        Section("apk", "Alpine packages", order=Order.APK),
        Section("pacman", "Arch packages", order=Order.ALPM),
        Section("repository", "package repositories"),
        Section("snap", "snaps"),
        Section("flatpak", "Flatpaks"),
        Section("python", "Python packages", order=Order.PEP440),
        Section("conda", "conda packages", order=Order.CONDA),
        Section("npm", "Node packages", order=Order.SEMVER),
        Section("gem", "Ruby gems", order=Order.GEM),
        Section("go", "Go programs", order=Order.SEMVER),
        Section("cargo", "Rust programs", order=Order.SEMVER),
        Section("r", "R packages", order=Order.DOTTED),
        Section("java", "Java archives", order=Order.DOTTED),
        Section("composer", "PHP packages", order=Order.SEMVER),
        Section("spack", "Spack packages", order=Order.DOTTED),
        Section("easybuild", "EasyBuild software", order=Order.DOTTED),
        Section("cuda", "CUDA libraries", order=Order.DOTTED),
        Section("rocm", "ROCm libraries", order=Order.DOTTED),
        Section("blas", "BLAS libraries", order=Order.DOTTED),
        Section("apt-source", "apt sources"),
        Section("apt-pin", "apt pins", collector="apt-source"),
        Section("alternative", "alternatives"),
        Section("diversion", "dpkg diversions", collector="alternative"),
        Section("statoverride", "dpkg stat overrides", collector="alternative"),
        Section("env", "environment variables"),
        Section("file", "files"),
        Section("user", "users"),
        Section("group", "groups", collector="user"),
        Section("subid", "ranges of subordinate numbers", collector="user"),
        Section("login", "password states", part=Part.NONE),
        Section("sudo", "rules for becoming root", collector="login"),
        Section("service", "services"),
        Section("cron", "cron jobs"),
        Section("locale", "locale and time zone", keyed=False),
        Section("setting", "system settings"),
        Section("certificate", "trusted certificates"),
        Section("software", "software without a package"),
        Section("missing-library", "missing shared libraries", collector="software"),
        Section("abi", "symbol versions needed", order=Order.DOTTED, collector="software"),
        Section("tree", "file tree", keyed=False),
        Section("process", "process", part=Part.NONE, keyed=False, collector="env"),
        Section("module", "loaded modules", part=Part.NONE, order=Order.DOTTED, collector="env"),
        Section("loaded", "loaded libraries", part=Part.NONE, order=Order.DOTTED),
        Section("host.kernel", "kernel", part=Part.HOST, keyed=False, order=Order.DOTTED),
        Section("host.module", "kernel modules", part=Part.HOST, order=Order.DOTTED),
        Section(
            "host.dkms",
            "DKMS modules",
            part=Part.HOST,
            order=Order.DOTTED,
            collector="host.module",
        ),
        Section("host.driver", "drivers", part=Part.HOST, order=Order.DOTTED),
        Section("host.gpu", "GPUs", part=Part.HOST, order=Order.DOTTED, collector="host.driver"),
        Section("host.infiniband", "InfiniBand adapters", part=Part.HOST, order=Order.DOTTED),
        Section("host.cpu", "CPU", part=Part.HOST, keyed=False),
        Section("host.libc", "C library loader", part=Part.HOST, keyed=False, order=Order.DOTTED),
        Section("host.firmware", "firmware", part=Part.HOST),
        Section("host.sysctl", "sysctl", part=Part.HOST),
        Section("host.limits", "limits", part=Part.HOST),
        Section("host.mount", "mounts", part=Part.HOST),
        Section("host.setting", "host settings", part=Part.HOST),
    )
}
"""Every section, in the order reports show them."""

_KINDS: Mapping[str, Kind] = {
    "version": Kind.VERSION,
    "release": Kind.VERSION,
    "libc": Kind.TEXT,
    "sha256": Kind.DIGEST,
    "sha1": Kind.DIGEST,
    "content": Kind.DIGEST,
    "srcversion": Kind.DIGEST,
    "disk-srcversion": Kind.DIGEST,
    "edited": Kind.DIGEST,
    "keyring-sha256": Kind.DIGEST,
    "startup-code": Kind.DIGEST,
    "mode": Kind.MODE,
    "packaged-mode": Kind.MODE,
    "object": Kind.ADDRESS,
    "entries": Kind.ADDRESS,
    "residue": Kind.ADDRESS,
    "epoch": Kind.ADDRESS,
}

_KINDS_IN_SECTION: Mapping[tuple[str, str], Kind] = {
    ("deb", "sha256"): Kind.PROVENANCE,
    ("deb", "origin"): Kind.PROVENANCE,
    ("deb", "needed-by"): Kind.ADDRESS,
    ("rpm", "origin"): Kind.PROVENANCE,
    ("pacman", "origin"): Kind.PROVENANCE,
    ("python", "sha256"): Kind.PROVENANCE,
    ("python", "artifact"): Kind.PROVENANCE,
    ("python", "installer"): Kind.PROVENANCE,
    ("python", "requested"): Kind.PROVENANCE,
    ("npm", "integrity"): Kind.PROVENANCE,
    ("conda", "sha256"): Kind.PROVENANCE,
    ("conda", "md5"): Kind.PROVENANCE,
    ("conda", "requested"): Kind.PROVENANCE,
    ("go", "integrity"): Kind.PROVENANCE,
    ("go", "path"): Kind.ADDRESS,
    ("cargo", "path"): Kind.ADDRESS,
    ("java", "path"): Kind.ADDRESS,
    ("cargo", "requested"): Kind.PROVENANCE,
    ("process", "container"): Kind.ADDRESS,
}


def kind_of(section: str, fact: str) -> Kind:
    """Return how `fact` of `section` is compared; facts without a rule are text."""
    return _KINDS_IN_SECTION.get((section, fact)) or _KINDS.get(fact, Kind.TEXT)


def is_identity(section: str, fact: str) -> bool:
    """True when the fact enters the leaf digest of its record."""
    return kind_of(section, fact) not in (Kind.PROVENANCE, Kind.ADDRESS)


def section_names() -> frozenset[str]:
    """Return the names of all sections, and of families of them (``host``)."""
    return frozenset({*SECTIONS, *(name.partition(".")[0] for name in SECTIONS)})


def part_of(section: str) -> Part:
    """Return the digest part of a section; sections of a newer minor version count by prefix."""
    known = SECTIONS.get(section)
    if known:
        return known.part
    return Part.HOST if section.startswith("host.") else Part.ENVIRONMENT


def is_keyed(section: str) -> bool:
    """True when the section holds many records rather than a single table."""
    known = SECTIONS.get(section)
    return known is None or known.keyed


def coverage_of(section: str) -> str:
    """Return the name under which the coverage of `section` stands in a lock."""
    known = SECTIONS.get(section)
    return (known and known.collector) or section


def order_of(section: str) -> Order:
    """Return how versions of `section` are ordered."""
    known = SECTIONS.get(section)
    return known.order if known else Order.NONE


def fact_sort_key(fact: str) -> tuple[bool, str]:
    """Sort key of fact names inside a record: ``version`` first, the rest by name."""
    return (fact != "version", fact)
