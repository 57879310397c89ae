"""Rules for the packages of operating systems other than Debian: RPM, Alpine, Arch."""

from __future__ import annotations

from envlock.diff import predicates
from envlock.diff.drift import ChangeKind
from envlock.diff.rules.rule import Rule
from envlock.model.facts import Family, packages_of
from envlock.model.severity import Severity
from envlock.versions.relation import Relation

CRITICAL, HIGH, MEDIUM, LOW, INFO = Severity
ADDED, REMOVED, CHANGED, UNKNOWN = ChangeKind
OLDER = Relation.OLDER

_PACKAGES = packages_of(Family.SYSTEM)
_INSTALL = "on {right_name}: {install}"
_BOTH = "bring both sides to {right}"
_NAMES = "naming conventions of the distributions"
_ORDER = "rpm-version(7); apk-package(5); vercmp(8)"
_ASKED = "dnf mark; apk-world(5); pacman(8) --asexplicit"


OS_PACKAGE_RULES: tuple[Rule, ...] = (
    Rule(
        id="SYSTEM-CORE-LIBRARY",
        severity=CRITICAL,
        sections=_PACKAGES,
        fields=("",),
        kinds=(REMOVED,),
        when=predicates.is_core_library,
        why="nearly every program is linked against it and does not start without it",
        fix=_INSTALL,
        source="compatibility of programs with the platform below them",
    ),
    Rule(
        id="SYSTEM-CORE-OLDER",
        severity=CRITICAL,
        sections=_PACKAGES,
        fields=("version",),
        relation=OLDER,
        when=predicates.is_core_library,
        why="programs built against {left} may need symbols that {right} lacks",
        fix=_INSTALL,
        source="glibc, musl and libstdc++ symbol versioning",
    ),
    Rule(
        id="SYSTEM-ONE-OF-MANY",
        severity=MEDIUM,
        sections=_PACKAGES,
        fields=("",),
        when=predicates.has_version_in_key,
        why="one version of a package of which several can be installed, such as a kernel or key",
        fix="on the other side: install or remove it",
        source="dnf.conf(5), installonlypkgs",
    ),
    Rule(
        id="SYSTEM-LIBRARY-MISSING",
        severity=HIGH,
        sections=_PACKAGES,
        fields=("",),
        kinds=(REMOVED,),
        when=predicates.is_library,
        why="programs linked against this library do not start without it",
        fix=_INSTALL,
        source=_NAMES,
    ),
    Rule(
        id="SYSTEM-MISSING",
        severity=HIGH,
        sections=_PACKAGES,
        fields=("",),
        kinds=(REMOVED,),
        when=predicates.is_explicit,
        why="it was installed manually on {left_name}",
        fix=_INSTALL,
        source=_ASKED,
    ),
    Rule(
        id="SYSTEM-DEPENDENCY-MISSING",
        severity=MEDIUM,
        sections=_PACKAGES,
        fields=("",),
        kinds=(REMOVED,),
        why="a package installed as a dependency, or for an unrecorded reason, is missing",
        fix=_INSTALL,
        source=_ASKED,
    ),
    Rule(
        id="SYSTEM-DOWNGRADE",
        severity=HIGH,
        sections=_PACKAGES,
        fields=("version",),
        relation=OLDER,
        why="older on {right_name}: it lacks fixes and features of {left}",
        fix=_INSTALL,
        source=_ORDER,
    ),
    Rule(
        id="SYSTEM-LIBRARY-UPDATE",
        severity=HIGH,
        sections=_PACKAGES,
        fields=("version",),
        kinds=(CHANGED,),
        when=lambda delta: predicates.is_library(delta) and predicates.upstream_differs(delta),
        why="another upstream version of a library: programs that use it may behave differently",
        fix=_BOTH,
        source=_NAMES,
    ),
    Rule(
        id="SYSTEM-UPDATE",
        severity=MEDIUM,
        sections=_PACKAGES,
        fields=("version",),
        when=predicates.upstream_differs,
        why="another upstream version",
        fix=_BOTH,
        source=_ORDER,
    ),
    Rule(
        id="SYSTEM-RELEASE-EXPLICIT",
        severity=MEDIUM,
        sections=_PACKAGES,
        fields=("version",),
        when=predicates.is_explicit,
        why="another release of the same upstream version, often a security fix",
        fix=_BOTH,
        source=_ORDER,
    ),
    Rule(
        id="SYSTEM-RELEASE",
        severity=LOW,
        sections=_PACKAGES,
        fields=("version",),
        why="another release of the same upstream version",
        fix=_BOTH,
        source=_ORDER,
    ),
    Rule(
        id="SYSTEM-REBUILT",
        severity=HIGH,
        sections=_PACKAGES,
        fields=("sha256", "sha1"),
        kinds=(CHANGED,),
        why="the same version with other content: rebuilt, or from another repository",
        fix="install both from one repository",
        source="RPMTAG_SHA256HEADER; apk-package(5), the checksum of the control data",
    ),
    Rule(
        id="SYSTEM-SIGNED",
        severity=HIGH,
        sections=_PACKAGES,
        fields=("signed-by", "validation"),
        why="signed by another key, or accepted without a signature",
        fix="install both from one repository, and check its key",
        source="rpmkeys(8); pacman(8), SigLevel",
    ),
    Rule(
        id="SYSTEM-STATE",
        severity=HIGH,
        sections=_PACKAGES,
        fields=("status",),
        why="a package that is not fully installed may not work",
        fix="on {right_name}: apk fix {package}",
        source="apk-fix(8)",
    ),
    Rule(
        id="SYSTEM-HOLD",
        severity=MEDIUM,
        sections=_PACKAGES,
        fields=("mark", "constraint"),
        when=predicates.is_pinned,
        why="a package held to a version gets no updates, security ones included",
        fix="give both sides the same constraint",
        source="apk-world(5); pacman.conf(5), IgnorePkg",
    ),
    Rule(
        id="SYSTEM-MARK",
        severity=INFO,
        sections=_PACKAGES,
        fields=("mark",),
        why="manual or automatic installation only decides what a clean-up may remove",
        source=_ASKED,
    ),
    Rule(
        id="SYSTEM-ARCH",
        severity=HIGH,
        sections=_PACKAGES,
        fields=("arch",),
        why="built for another architecture",
        source="rpm(8); apk-package(5)",
    ),
    Rule(
        id="SYSTEM-SOURCE",
        severity=LOW,
        sections=_PACKAGES,
        fields=("source", "source-version", "vendor", "module"),
        why="built from another source package, or by another vendor",
        source="RPMTAG_SOURCERPM, RPMTAG_VENDOR",
    ),
    Rule(
        id="SYSTEM-EXTRA",
        severity=MEDIUM,
        sections=_PACKAGES,
        fields=("",),
        when=predicates.is_explicit,
        why="it was installed manually on {right_name}",
        fix="install it on {left_name} too, or remove it",
        source=_ASKED,
    ),
    Rule(
        id="SYSTEM-EXTRA-DEPENDENCY",
        severity=LOW,
        sections=_PACKAGES,
        fields=("",),
        why="a package installed as a dependency",
        source=_ASKED,
    ),
)
