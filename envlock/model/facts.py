"""The closed vocabulary: which sections exist, what they hold, and how each fact is compared.

A new section can be compared as soon as it has a row in `SECTIONS`; the diff never imports a
collector.
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


class VersionOrder(StrEnum):
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


class Family(StrEnum):
    """What kind of package manager writes a section: selects the rules that judge it."""

    DEBIAN = "debian"
    """dpkg, with rules of its own."""
    SYSTEM = "system"
    """The package manager of another operating system."""
    APP = "app"
    """Applications in images of their own, beside the packages of the operating system."""
    PYTHON = "python"
    """Python distributions, with rules of their own."""
    LANGUAGE = "language"
    """The package manager of another language."""
    HPC = "hpc"
    """A package manager of computing centres."""


class Kind(StrEnum):
    """How a fact is compared."""

    VERSION = "version"
    """Ordered by the section's `VersionOrder`: a difference is newer or older."""
    DIGEST = "digest"
    """Opaque: equal or different."""
    MODE = "mode"
    """Octal permission bits."""
    TEXT = "text"
    """Equal or different, shown as it is."""
    PROVENANCE = "provenance"
    """Where an artifact comes from.  In no digest, and compared only if both sides have it:
    ``apt-get update`` adds digests to the records of a machine without changing it (ADR 0003)."""
    ADDRESS = "address"
    """An address in the store, a path, a count, or the package that needs it.  In no digest and
    never compared."""


class Section(NamedTuple):
    """One row of the table of sections: everything that differs from section to section.

    `title` names the section for people, in the plural.  `keyed` is False for a single table.
    `collector` is the name that its coverage is recorded under, empty when that is the section's
    own.  `provenance` and `address` are facts that have this kind in this section only.

    Only sections of packages have a `family`.  `install` and `remove` are templates of commands,
    empty where no command does it; `envlock.diff.fixes` fills in the fields: ``{name}`` and
    ``{version}``; ``{environment}``, the part of the key before the first slash, and ``{path}``,
    its directory; ``{import_path}`` of a Go program; ``{group}`` of a Java archive; ``{build}``,
    ``{toolchain}`` and ``{suffix}``, each with its separator or empty.  `core_libraries` are the
    packages that nearly every program of the system is linked against.  `is_derived`: the records
    say what others mean, or where they come from, and are not compared themselves.
    """

    name: str
    title: str
    part: Part = Part.ENVIRONMENT
    keyed: bool = True
    order: VersionOrder = VersionOrder.NONE
    collector: str = ""
    provenance: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    family: Family | None = None
    install: str = ""
    remove: str = ""
    core_libraries: frozenset[str] = frozenset()
    is_derived: bool = False


def _packages(
    name: str,
    title: str,
    family: Family,
    order: VersionOrder,
    *,
    install: str = "",
    remove: str = "",
    core: tuple[str, ...] = (),
    provenance: tuple[str, ...] = (),
    address: tuple[str, ...] = (),
) -> Section:
    """Return the row of a section of packages: family and version order are required."""
    return Section(
        name,
        title,
        order=order,
        family=family,
        install=install,
        remove=remove,
        core_libraries=frozenset(core),
        provenance=provenance,
        address=address,
    )


SECTIONS: Mapping[str, Section] = {
    section.name: section
    for section in (
        Section("os", "operating system", keyed=False, order=VersionOrder.DOTTED),
        _packages("deb", "Debian packages", Family.DEBIAN, VersionOrder.DEB,
            install="apt-get install --no-install-recommends {name}={version}",
            remove="apt-get remove {name}",
            core=("libc6", "libgcc-s1", "libstdc++6", "musl"), provenance=("sha256", "origin"),
            address=("needed-by",)),
        _packages("rpm", "RPM packages", Family.SYSTEM, VersionOrder.RPM,
            install="dnf install {name}-{version}", remove="dnf remove {name}-{version}",
            core=("glibc", "libgcc", "libstdc++", "musl"), provenance=("origin",)),
        _packages("apk", "Alpine packages", Family.SYSTEM, VersionOrder.APK,
            install="apk add {name}={version}", remove="apk del {name}",
            core=("musl", "libgcc", "libstdc++")),
        _packages("opkg", "opkg packages", Family.SYSTEM, VersionOrder.DEB,
            remove="opkg remove {name}", core=("libc", "libgcc1", "libstdcpp6", "glibc", "musl")),
        _packages("chisel", "packages cut by Chisel", Family.SYSTEM, VersionOrder.DEB,
            core=("libc6", "libgcc-s1", "libstdc++6"), provenance=("sha256",)),
        _packages("pacman", "Arch packages", Family.SYSTEM, VersionOrder.ALPM,
            remove="pacman -R {name}", core=("glibc", "gcc-libs", "libgcc", "libstdc++"),
            provenance=("origin", "mtree")),
        Section("unread", "package systems that are not read", address=("database",)),
        Section("repository", "package repositories", address=("mirrors",)),
        _packages("snap", "snaps", Family.APP, VersionOrder.NONE,
            remove="snap remove {name}"),
        _packages("flatpak", "Flatpaks", Family.APP, VersionOrder.NONE,
            remove="flatpak uninstall {name}"),
        _packages("python", "Python packages", Family.PYTHON, VersionOrder.PEP440,
            install="pip install {name}=={version}", remove="pip uninstall {name}",
            provenance=("sha256", "artifact", "installer", "requested"), address=("path",)),
        _packages("conda", "conda packages", Family.LANGUAGE, VersionOrder.CONDA,
            install="conda install -p {path} {name}={version}{build}",
            remove="conda remove -p {path} {name}",
            provenance=("sha256", "md5", "requested", "artifact"), address=("path", "url")),
        _packages("npm", "Node packages", Family.LANGUAGE, VersionOrder.SEMVER,
            install="npm install {name}@{version}", remove="npm uninstall {name}",
            provenance=("integrity",), address=("path",)),
        _packages("gem", "Ruby gems", Family.LANGUAGE, VersionOrder.GEM,
            install="gem install {name} -v {version}", remove="gem uninstall {name} -v {version}",
            provenance=("sha256",), address=("url",)),
        _packages("go", "Go programs", Family.LANGUAGE, VersionOrder.SEMVER,
            install="go install {import_path}@{version}",
            provenance=("integrity",), address=("path",)),
        _packages("cargo", "Rust programs", Family.LANGUAGE, VersionOrder.SEMVER,
            install="cargo install {name} --version {version}", remove="cargo uninstall {name}",
            provenance=("requested",), address=("path",)),
        _packages("r", "R packages", Family.LANGUAGE, VersionOrder.DOTTED,
            install="Rscript -e 'remotes::install_version(\"{name}\", \"{version}\")'",
            remove="Rscript -e 'remove.packages(\"{name}\")'"),
        _packages("java", "Java archives", Family.LANGUAGE, VersionOrder.DOTTED,
            install="mvn dependency:copy -Dartifact={group}:{name}:{version}",
            address=("path",)),
        _packages("composer", "PHP packages", Family.LANGUAGE, VersionOrder.SEMVER,
            install="composer require --working-dir {path} {name}:{version}",
            remove="composer remove --working-dir {path} {name}", address=("path",)),
        _packages("dotnet", ".NET frameworks and libraries", Family.LANGUAGE, VersionOrder.SEMVER,
            install="dotnet add package {name} --version {version}",
            remove="dotnet remove package {name}", provenance=("integrity",), address=("path",)),
        _packages("homebrew", "Homebrew formulae", Family.LANGUAGE, VersionOrder.DOTTED),
        _packages("jenkins", "Jenkins plug-ins", Family.LANGUAGE, VersionOrder.DOTTED,
            install="jenkins-plugin-cli --plugins {name}:{version}"),
        _packages("perl", "Perl distributions", Family.LANGUAGE, VersionOrder.DOTTED,
            install="cpanm {name}@{version}", provenance=("archive",)),
        _packages("pear", "PEAR and PECL packages", Family.LANGUAGE, VersionOrder.DOTTED,
            install="pecl install {name}-{version}", remove="pecl uninstall {name}"),
        _packages("spack", "Spack packages", Family.HPC, VersionOrder.DOTTED,
            install="spack install {name}@{version}", remove="spack uninstall {name}@{version}"),
        _packages("easybuild", "EasyBuild software", Family.HPC, VersionOrder.DOTTED,
            install="eb --robot {name}-{version}{toolchain}{suffix}.eb"),
        Section("cuda", "CUDA libraries", order=VersionOrder.DOTTED),
        Section("rocm", "ROCm libraries", order=VersionOrder.DOTTED),
        Section("blas", "BLAS libraries", order=VersionOrder.DOTTED),
        Section("apt-source", "apt sources"),
        Section("apt-pin", "apt pins", collector="apt-source"),
        Section("alternative", "alternatives"),
        Section("diversion", "dpkg diversions", collector="alternative"),
        Section("statoverride", "dpkg stat overrides", collector="alternative"),
        Section("env", "environment variables", provenance=("fingerprint",)),
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
        Section("truststore", "trusted certificates of Java"),
        Section("software", "software without a package"),
        Section("missing-library", "missing shared libraries", collector="software"),
        Section("missing-symbol", "missing versions of symbols", collector="software"),
        Section("abi", "symbol versions needed", order=VersionOrder.DOTTED, collector="software"),
        Section("dangling", "names that lead to nothing"),
        Section("state", "data of services", part=Part.NONE, order=VersionOrder.DOTTED,
            address=("kept", "size")),
        Section("tree", "file tree", keyed=False),
        Section("process", "process", part=Part.NONE, keyed=False, collector="env",
            address=("container",)),
        Section("module", "loaded modules", part=Part.NONE, order=VersionOrder.DOTTED,
            collector="env",
            install="module load {name}/{version}", remove="module unload {name}/{version}"),
        Section("loaded", "loaded libraries", part=Part.NONE, order=VersionOrder.DOTTED),
        Section("scope", "what the applications need", part=Part.NONE, is_derived=True),
        Section("declared", "declaration", part=Part.NONE, keyed=False, is_derived=True),
        Section("component", "packages of two package systems", part=Part.NONE,
            order=VersionOrder.DOTTED, address=("package",)),
        Section("host.kernel", "kernel", part=Part.HOST, keyed=False, order=VersionOrder.DOTTED),
        Section("host.module", "kernel modules", part=Part.HOST, order=VersionOrder.DOTTED),
        Section("host.dkms", "DKMS modules", part=Part.HOST, order=VersionOrder.DOTTED,
            collector="host.module"),
        Section("host.driver", "drivers", part=Part.HOST, order=VersionOrder.DOTTED),
        Section("host.gpu", "GPUs", part=Part.HOST, order=VersionOrder.DOTTED,
            collector="host.driver"),
        Section("host.infiniband", "InfiniBand adapters", part=Part.HOST,
            order=VersionOrder.DOTTED),
        Section("host.cpu", "CPU", part=Part.HOST, keyed=False),
        Section("host.libc", "C library loader", part=Part.HOST, keyed=False,
            order=VersionOrder.DOTTED),
        Section("host.firmware", "firmware", part=Part.HOST),
        Section("host.sysctl", "sysctl", part=Part.HOST),
        Section("host.limits", "limits", part=Part.HOST),
        Section("host.mount", "mounts", part=Part.HOST),
        Section("host.setting", "host settings", part=Part.HOST),
    )
}  # fmt: skip
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
    "redacted": Kind.ADDRESS,
}

_KINDS_IN_SECTION: Mapping[tuple[str, str], Kind] = {
    (section.name, fact): kind
    for section in SECTIONS.values()
    for kind, names in ((Kind.PROVENANCE, section.provenance), (Kind.ADDRESS, section.address))
    for fact in names
}


def kind_of(section: str, fact: str) -> Kind:
    """Return how `fact` of `section` is compared; text unless a table says otherwise."""
    return _KINDS_IN_SECTION.get((section, fact)) or _KINDS.get(fact, Kind.TEXT)


def packages_of(*families: Family) -> tuple[str, ...]:
    """Return the names of the sections of packages, in table order; of some families if given."""
    wanted = families or tuple(Family)
    return tuple(name for name, section in SECTIONS.items() if section.family in wanted)


def is_identity(section: str, fact: str) -> bool:
    """True when the fact enters the leaf digest of its record."""
    return kind_of(section, fact) not in (Kind.PROVENANCE, Kind.ADDRESS)


def section_names() -> frozenset[str]:
    """Return the names of all sections, and of groups of them (``host``)."""
    return frozenset({*SECTIONS, *(name.partition(".")[0] for name in SECTIONS)})


def part_of(section: str) -> Part:
    """Return which digest a section belongs to; an unknown one is judged by its prefix."""
    known = SECTIONS.get(section)
    if known:
        return known.part
    return Part.HOST if section.startswith("host.") else Part.ENVIRONMENT


def is_keyed(section: str) -> bool:
    """True when the section holds keyed records rather than a single table."""
    known = SECTIONS.get(section)
    return known is None or known.keyed


def coverage_of(section: str) -> str:
    """Return the name that the coverage of `section` is recorded under."""
    known = SECTIONS.get(section)
    return (known and known.collector) or section


def order_of(section: str) -> VersionOrder:
    """Return how versions of `section` are ordered."""
    known = SECTIONS.get(section)
    return known.order if known else VersionOrder.NONE


def fact_sort_key(fact: str) -> tuple[bool, str]:
    """Return the sort key of a fact name within a record: ``version`` first, the rest by name."""
    return (fact != "version", fact)
