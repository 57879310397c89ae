"""The options of the verbs: the contract of the command line, but for upkeep (`upkeep_arguments`).

``envlock VERB --help`` loads this module and not the verb's own, which imports what the verb works
with.  A function here is named for its verb.
"""

from __future__ import annotations

import argparse

from envlock.cli.options import (
    add_json,
    add_lock,
    add_policy,
    add_report_options,
    add_role,
    add_root,
    add_today,
    add_trace,
)
from envlock.model.severity import Severity


def init(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock init``."""
    parser.add_argument("--force", action="store_true", help="replace an existing envlock.toml")
    parser.add_argument(
        "--git", action="store_true", help="set up only git: .gitattributes and the git drivers"
    )


_CAPTURE = """\
Capture an environment into a lockfile.

The lock is written to locks/NAME.lock. NAME is the environment of envlock.toml that has this
target, or is derived from the target. Containers, images and directories are captured in full and
can be materialized. Of a machine (host, ssh, pid) only the configuration is captured, unless --deep
is given. --record also writes what the collectors read, redacted, to a file for a bug report or a
test: capturing recorded:FILE gives the same lock. compose:PROJECT and kube:FILE name several
environments: each service gets a lock, and NAME.json lists them.
"""


_REPEATED = (
    ("--only", "SECTION", "capture only this section; may be repeated"),
    ("--skip", "SECTION", "do not capture this section; may be repeated"),
    (
        "--with-state",
        "PATH",
        "keep the data of services at or below PATH, whole; their servers must be stopped",
    ),
)


def capture(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock capture``."""
    parser.description = _CAPTURE
    parser.add_argument(
        "target", nargs="?", default="host", metavar="TARGET", help="what to capture (host)"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write the lock to this file; - is standard output"
    )
    parser.add_argument("--name", help="name of the environment: write locks/NAME.lock")
    parser.add_argument(
        "--deep", action="store_true", help="read every file of a machine, so it can be rebuilt"
    )
    parser.add_argument(
        "--full", action="store_true", help="read all anew, also what is known of an image"
    )
    for flag, metavar, text in _REPEATED:
        parser.add_argument(flag, action="append", default=[], metavar=metavar, help=text)
    add_root(parser)
    add_trace(parser)
    parser.add_argument(
        "--fetch",
        action="store_true",
        help="download packages that no cache of this machine has, to refer to their files",
    )
    parser.add_argument(
        "--record",
        metavar="FILE",
        help="also write what the collectors read to this .tar or .tar.zst",
    )
    parser.add_argument(
        "--push", action="store_true", help="also send the lock and its content to locks.remote"
    )
    parser.add_argument(
        "--vendor", action="store_true", help="also keep the packages of the lock in locks.vendor"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before the first push")
    add_json(parser)


def show(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock show``."""
    add_lock(parser)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help="print every record of these sections"
    )
    parser.set_defaults(rest="sections")
    add_json(parser)


_DIGEST = """\
Print the digests of a lock, one a line:

environment  everything installed and configured: the identity of the environment
host         the machine below it: kernel, drivers, CPU
file         the bytes of the lockfile
ROLE         what the application of this role needs: the same on two machines exactly when nothing
             of it differs
"""


def digest(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock digest``."""
    parser.description = _DIGEST
    add_lock(parser)
    add_json(parser)


_LEVELS = (*(severity.value for severity in Severity), "never")

_CHECK = """\
Check that the parts of an environment can work together: that every library, interpreter and symbol
version a program needs is there, that packages are fully installed and their requirements met, that
links lead somewhere, that the GPU driver is new enough for the CUDA version. A target is captured
for it, and nothing is written. What concerns an application counts, the rest is one line.

Also check that lockfiles are exactly what envlock writes: canonical, valid by the schema, without
dangling references, and free of credentials; and the policy of envlock.toml: no waiver has expired,
every name it uses exists, the baseline can be read, and no lock by itself breaks an expectation.

Without LOCK, every lock of the lock directory is checked. Ends with 1 if a lock or the policy is
wrong, or if something is found at --fail-on or above.
"""


def check(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock check``."""
    parser.description = _CHECK
    parser.add_argument(
        "locks",
        nargs="*",
        metavar="LOCK",
        help="locks or targets to check (all of the lock directory)",
    )
    parser.set_defaults(rest="locks")
    parser.add_argument(
        "--fail-on", choices=_LEVELS, help="exit 1 at this severity or above (high)"
    )
    add_root(parser)
    parser.add_argument(
        "--whole", action="store_true", help="judge everything, not the applications alone"
    )
    add_policy(parser)
    add_json(parser)


_DOCTOR = """\
Say what this machine lacks of an environment: what is missing, wrong, extra or unknown for the
applications that the lock names, in the order in which it has to be mended, each with the command
that mends it here and what that needs: root, a new login, a restart or an administrator.

Nothing is changed, no network is used, and root is not needed: what cannot be read is unknown.
Ends with 0 if nothing is to do, with 1 if there are gaps, and with 3 if something is only unknown.
With --as nagios the status is that of a health check: 0, 1 a warning, 2 critical, 3 unknown.
"""


def doctor(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock doctor``."""
    parser.description = _DOCTOR
    add_lock(parser)
    parser.add_argument(
        "target", nargs="?", default="host", metavar="TARGET", help="the machine (host)"
    )
    add_role(parser, "only what this application of the lock needs")
    parser.add_argument(
        "--whole", action="store_true", help="everything, not the applications alone"
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="SECTION",
        help="only this section; may be repeated",
    )
    parser.add_argument("--all", action="store_true", help="cut no list")
    parser.add_argument(
        "--fix-script",
        metavar="FILE",
        help="also write the commands to a shell script, to be reviewed",
    )
    parser.add_argument(
        "--as", dest="style", choices=("text", "nagios"), default="text", help="style of the answer"
    )
    add_json(parser)


_DIFF = """\
Compare two environments: lockfiles, names, git revisions, or targets, which are captured now.

Ends with 0 if there is no difference at or above --fail-on, with 1 if there is one, and with 3 if a
required section was not covered on one side. What could not be read is unknown, never removed. What
envlock.toml ignores, expects or waives is applied before any report is written.

With three or more environments, each is compared with what most of them have.
"""


def diff(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock diff``."""
    parser.description = _DIFF
    add_lock(parser, "left")
    add_lock(parser, "right")
    parser.add_argument("more", nargs="*", metavar="MORE", help="further environments")
    parser.set_defaults(rest="more")
    add_report_options(parser)
    parser.add_argument("--fail-on", choices=_LEVELS, help="exit 1 at this severity or above (low)")
    parser.add_argument(
        "--section",
        action="append",
        default=[],
        metavar="SECTION",
        help="compare only this section; may be repeated",
    )
    parser.add_argument(
        "--all", action="store_true", help="also show logs, caches and other noisy files, uncut"
    )
    parser.add_argument("--base", metavar="LOCK", help="common ancestor: report which side changed")
    add_root(parser)
    parser.add_argument(
        "--whole", action="store_true", help="compare everything, not the applications alone"
    )
    add_policy(parser)
    parser.add_argument(
        "--write-baseline",
        action="store_true",
        help="create the baseline from all current differences",
    )
    parser.add_argument(
        "--update-baseline",
        action="store_true",
        help="remove differences that no longer exist from the baseline",
    )
    parser.add_argument(
        "--exit-zero", action="store_true", help="end with 0 even if there are differences"
    )


_TRACE = """\
Run a command and write which packages, distributions, programs and configuration files it touched,
for the closure of an application: what it loads by name, and what it starts.

The command runs as ever, with its own input, output and exit status; Ctrl-C and signals reach it.
The trace ends when every process that it started has ended. Needs strace. Content, arguments,
names of secrets and files of data are never written, and home directories are written ~.

What envlock itself cannot do ends with 2 or 4, and a message that begins with envlock: error.
"""


def trace(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock trace``."""
    parser.description = _TRACE
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write the trace to this file (traces/NAME.trace, with the name of the program)",
    )
    parser.add_argument(
        "--append", action="store_true", help="add to what earlier runs wrote into the file"
    )
    parser.add_argument(
        "command_line",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="the command and its arguments, after --",
    )


_EXPLAIN = """\
Explain a path (its class, what a rebuild does with it, and with LOCK what was recorded of it and by
which rule a secret was left out), a section, a rule, a preset, an error,
a warning, or a finding. A finding is given by its 12-digit id and searched for between all locks of
the lock directory; its waiver or baseline entry is shown too.
"""


def explain(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock explain``."""
    parser.description = _EXPLAIN
    parser.add_argument(
        "subject",
        metavar="ID|PATH|SECTION|RECORD",
        help="an absolute path, the name of a section, the id of anything in a report, or a record "
        "such as 'deb libssl3'",
    )
    parser.add_argument(
        "lock",
        nargs="?",
        metavar="LOCK",
        help="for a path or a record: what this lock says about it",
    )
    add_policy(parser)


_WAIVE = """\
Write a waiver into envlock.toml. The finding then does not count until the end of that day, between
these two environments, and only while both values stay what they are now. Comments and order are
kept. Without A and B, the finding is searched for between all locks of the lock directory. An
existing waiver of the finding is replaced.
"""


def waive(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock waive``."""
    parser.description = _WAIVE
    parser.add_argument("fingerprint", metavar="FINGERPRINT", help="the id of a finding in a diff")
    parser.add_argument("left", nargs="?", metavar="A", help="the left environment of that diff")
    parser.add_argument("right", nargs="?", metavar="B", help="the right environment of that diff")
    parser.add_argument("--reason", required=True, help="why the finding is acceptable for now")
    parser.add_argument(
        "--expires", required=True, metavar="DATE", help="last day on which the waiver is valid"
    )
    add_today(parser)


_MATERIALIZE = """\
Rebuild a lock into a container image that is bit-identical on every machine.

Files come from the store and from the packages that the lock refers to. Packages are taken from
the store's cache, the caches of apt, dnf, pacman, apk, pip, npm, conda and RubyGems, the apt
mirrors of this machine and of the captured one, its repositories of rpm, pacman and apk, channels
of conda and gem servers, and the indexes of pip and npm. No package script runs, and root is not
needed. If the rebuild is impossible, all reasons are listed before anything is written. Standard
output is the manifest digest.
"""


def materialize(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock materialize``."""
    from envlock.materialize.sinks.table import SINKS

    parser.description = _MATERIALIZE
    add_lock(parser, text="a lockfile or a name")
    for row in SINKS:
        if row.metavar:
            parser.add_argument(*row.flags, metavar=row.metavar, help=row.help)
        else:
            parser.add_argument(*row.flags, action="store_const", const="", help=row.help)
    add_role(parser, "only what this application needs: whole packages, and its own files")
    parser.add_argument("--tag", metavar="NAME", default="", help="name of the image")
    parser.add_argument("--layers", metavar="N", type=int, help="at most this many layers (64)")
    parser.add_argument(
        "--flatten-times", action="store_true", help="no file newer than the newest of a package"
    )
    parser.add_argument("--offline", action="store_true", help="do not use the network")
    parser.add_argument("--yes", action="store_true", help="do not ask before the first push")
    add_json(parser)


_VERIFY = """\
Capture TARGET again and compare it with LOCK, every path and every field.

What a rebuild leaves out on purpose (logs, caches, machine identity, secrets) may be absent. Host
facts are not compared, since an image has none. Everything else is, whatever roles LOCK has: unlike
a diff, it is not limited to what an application needs. The first path that differs is shown with
the field and both values. Ends with 0 only if nothing differs.
"""


def verify(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``envlock verify``."""
    parser.description = _VERIFY
    add_lock(parser, text="a lockfile, a name or git:REV:PATH")
    parser.add_argument("target", metavar="TARGET", help="image:REF, docker:NAME, oci:PATH, ...")
    add_role(parser, "the target was built with --root ROLE")
    parser.add_argument("--all", action="store_true", help="list every difference")
    add_report_options(parser)
