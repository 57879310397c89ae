"""Rules for the operating system and its kernel."""

from __future__ import annotations

from envlock.diff import predicates
from envlock.diff.drift import ChangeKind
from envlock.diff.rules.rule import Rule
from envlock.model.severity import Severity
from envlock.versions.relation import Relation

CRITICAL, HIGH, MEDIUM, LOW, INFO = Severity
ADDED, REMOVED, CHANGED, UNKNOWN = ChangeKind
OLDER = Relation.OLDER

SYSTEM_RULES: tuple[Rule, ...] = (
    Rule(
        id="OS-ARCH",
        severity=CRITICAL,
        sections=("os",),
        fields=("arch",),
        why="programs built for one architecture do not run on another",
        next="build for {left}, or compare environments of one architecture",
        source="ELF e_machine; execve(2) ENOEXEC",
    ),
    Rule(
        id="OS-FAMILY",
        severity=CRITICAL,
        sections=("os",),
        fields=("id",),
        why="different distributions have different packages, paths and C libraries",
        next="rebuild {right_name} from {left}",
        source="os-release(5) ID",
    ),
    Rule(
        id="OS-LIBC-OLDER",
        severity=CRITICAL,
        sections=("os",),
        fields=("libc",),
        when=predicates.is_older_libc,
        why="programs built against {left} need symbols that {right} lacks",
        next="build on {right_name}, or upgrade it",
        source="glibc symbol versioning",
    ),
    Rule(
        id="OS-RELEASE",
        severity=CRITICAL,
        sections=("os",),
        fields=("version",),
        when=predicates.leading_number_differs,
        why="another release of the distribution: nearly every package differs",
        next="bring both sides to one release, {left} or {right}",
        source="os-release(5) VERSION_ID",
    ),
    Rule(
        id="OS-POINT-RELEASE",
        severity=MEDIUM,
        sections=("os",),
        fields=("version", "libc", "point-release"),
        why="another point release: security and stable updates differ",
        next="on {right_name}: apt-get update && apt-get upgrade",
        source="os-release(5)",
    ),
    Rule(
        id="OS-FACT",
        severity=LOW,
        sections=("os",),
        why="a name or detail of the operating system differs",
        source="os-release(5)",
    ),
    Rule(
        id="HOST-ARCH",
        severity=CRITICAL,
        sections=("host.kernel", "host.cpu"),
        fields=("arch", "machine"),
        why="programs built for one architecture do not run on another",
        next="use machines of one architecture",
        source="ELF e_machine; execve(2) ENOEXEC",
    ),
    Rule(
        id="KERNEL-OLDER",
        severity=HIGH,
        sections=("host.kernel",),
        fields=("release",),
        relation=OLDER,
        when=predicates.kernel_differs,
        why="system calls and features of {left} may be missing",
        next="upgrade the kernel of {right_name}",
        source="field: docker-rust #77, images on older kernels",
    ),
    Rule(
        id="KERNEL",
        severity=MEDIUM,
        sections=("host.kernel",),
        fields=("release", "build"),
        why="another kernel",
        next="boot both sides with one kernel",
        source="uname(2)",
    ),
    Rule(
        id="KERNEL-SETTING",
        severity=MEDIUM,
        sections=("host.kernel",),
        why="the kernel has other boot parameters or security settings",
        next="boot both sides with the same parameters",
        source="bootparam(7); Documentation/admin-guide/tainted-kernels.rst",
    ),
)
