"""Rules for programs that cannot start, and for names that lead to nothing."""

from __future__ import annotations

from envlock.diff.drift import ChangeKind
from envlock.diff.fixes import broken
from envlock.diff.rules.rule import Rule
from envlock.model.severity import Severity

CRITICAL, HIGH, MEDIUM, LOW, INFO = Severity
_ADDED = (ChangeKind.ADDED,)
_LOADER = "ld.so(8)"
_VERSIONS = "Linux Standard Base, Symbol Versioning; ld.so(8)"

INCONSISTENT_PROGRAMS: tuple[Rule, ...] = (
    Rule(
        id="PROGRAM-FOREIGN",
        severity=CRITICAL,
        why="a program for another architecture does not start",
        next="install {key} for the architecture of this system",
        source="ELF e_machine; execve(2) ENOEXEC",
    ),
    Rule(
        id="TREE-FOREIGN",
        severity=HIGH,
        breaks=True,
        why="every program of this software is for another architecture",
        next="install {key} for the architecture of this system",
        source="ELF e_machine; execve(2) ENOEXEC",
    ),
    Rule(
        id="PROGRAM-LOADER",
        severity=CRITICAL,
        why="the loader that a program names does not exist: it was built for another C library",
        next="install a build of the program for the C library of this system",
        source="execve(2) ENOENT; PT_INTERP in the System V ABI",
    ),
    Rule(
        id="LIBRARY-NOT-CACHED",
        severity=CRITICAL,
        why="the library is there, and the loader's cache does not list it",
        fix=broken.always("ldconfig"),
        next="run ldconfig",
        source="ldconfig(8)",
    ),
    Rule(
        id="LIBRARY-OFF-PATH",
        severity=HIGH,
        breaks=True,
        why="the library is there, in a directory that the loader does not search",
        next="add the directory to /etc/ld.so.conf.d and run ldconfig, or to LD_LIBRARY_PATH",
        source=_LOADER,
    ),
    Rule(
        id="LIBRARY-MISSING-BUNDLED",
        severity=HIGH,
        breaks=True,
        why="a program of this software needs a library that does not exist",
        next="install the package that contains {key}",
        source=_LOADER,
    ),
    Rule(
        id="LIBRARY-MISSING-OPTIONAL",
        severity=MEDIUM,
        why="a part of unpackaged software needs it; the part may be optional",
        next="install the package that contains {key} if that part is used",
        source=_LOADER,
    ),
    Rule(
        id="LIBRARY-MISSING",
        severity=CRITICAL,
        sections=("missing-library",),
        fields=("",),
        kinds=_ADDED,
        why="programs that need {key} do not start",
        next="install the package that contains {key}, or add its directory to /etc/ld.so.conf.d",
        source="ld.so(8); ldd(1)",
    ),
    Rule(
        id="SYMBOL-MISSING-BUNDLED",
        severity=HIGH,
        breaks=True,
        why="a program of this software was built for a newer release of a library",
        next="install a build for this release of the system",
        source=_VERSIONS,
    ),
    Rule(
        id="SYMBOL-MISSING-OPTIONAL",
        severity=MEDIUM,
        why="a part of unpackaged software was built for a newer release of a library",
        next="install a build for this release of the system if that part is used",
        source=_VERSIONS,
    ),
    Rule(
        id="SYMBOL-MISSING",
        severity=CRITICAL,
        sections=("missing-symbol",),
        fields=("",),
        kinds=_ADDED,
        why="programs built for a newer release of a library do not start",
        next="install a build for this release of the system, or bring both to one release",
        source=_VERSIONS,
    ),
    Rule(
        id="INTERPRETER-MISSING",
        severity=HIGH,
        breaks=True,
        why="the interpreter of a script does not exist: it cannot be started",
        next="install the interpreter, or correct the first line of {key}",
        source="execve(2), interpreter scripts",
    ),
    Rule(
        id="DANGLING-LIBRARY",
        severity=HIGH,
        breaks=True,
        why="the name of a library leads to nothing: programs that need it do not start",
        next="reinstall the package of the library, then run ldconfig",
        source="ld.so(8); Debian Policy 8.1",
    ),
    Rule(
        id="DANGLING-PROGRAM",
        severity=HIGH,
        breaks=True,
        why="the name of a program leads to nothing",
        next="install the program again, or remove {key}",
        source="execve(2) ENOENT",
    ),
    Rule(
        id="DANGLING-ALTERNATIVE",
        severity=HIGH,
        breaks=True,
        why="an alternative leads to a program that is gone",
        fix=broken.choose_again,
        next="choose a program that exists with update-alternatives",
        source="update-alternatives(1)",
    ),
    Rule(
        id="DANGLING-SERVICE",
        severity=HIGH,
        breaks=True,
        why="a service is enabled whose unit does not exist: it does not start",
        fix=broken.disable_unit,
        next="disable {package}, or install its unit",
        source="systemd.unit(5)",
    ),
    Rule(
        id="DANGLING-ENABLED",
        severity=HIGH,
        breaks=True,
        why="what is enabled by this link does not exist",
        next="install what it leads to, or remove {key}",
        source="a2enmod(8); phpenmod(8); the include directive of nginx",
    ),
    Rule(
        id="DANGLING-JOB",
        severity=HIGH,
        breaks=True,
        why="a scheduled job leads to nothing and does not run",
        next="install what it leads to, or remove {key}",
        source="cron(8); run-parts(8)",
    ),
    Rule(
        id="DANGLING-TRUST",
        severity=HIGH,
        breaks=True,
        why="the file of trusted certificates does not exist: TLS connections fail",
        next="run update-ca-certificates, or update-ca-trust",
        source="update-ca-certificates(8); update-ca-trust(8)",
    ),
    Rule(
        id="DANGLING-TIME-ZONE",
        severity=HIGH,
        breaks=True,
        why="the time zone leads to no rules: programs use UTC",
        next="install tzdata",
        source="localtime(5); tzset(3)",
    ),
    Rule(
        id="DANGLING",
        severity=MEDIUM,
        sections=("dangling",),
        why="the link leads to a path that does not exist",
        next="install what it leads to, or remove {key}",
        source="symlink(7)",
    ),
    Rule(
        id="SYMBOL-STILL-MISSING",
        severity=MEDIUM,
        sections=("missing-symbol",),
        why="a version of symbols is missing on one side, or for other programs",
        next="install a build for this release of the system",
        source=_VERSIONS,
    ),
)
"""What keeps programs from starting, by what was found in one environment."""
