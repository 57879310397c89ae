"""Packages that are not whole, and settings that name what is not there, in one lock."""

import pytest

from envlock.diff.engine import compare
from envlock.diff.inconsistencies.find import find_inconsistencies
from envlock.diff.rules.inconsistent.system import INCONSISTENT_SYSTEM
from envlock.model.lock import Lock
from envlock.model.record import Record

GLIBC = ("os", "", {"id": "debian", "arch": "amd64", "libc": "glibc 2.36"})
MUSL = ("os", "", {"id": "alpine", "arch": "amd64", "libc": "musl"})
SOME = ("locale", "", {"available": "C.utf8 en_US.utf8 de_DE.utf8@euro"})
R_BASE = ("r", "system/base", {"version": "4.3.1", "built": "4.3.1", "priority": "base"})


def lock(*records):
    return Lock.of(Record(*record) for record in records)


def found(*records):
    return [(one.rule, one.section, one.key) for one in find_inconsistencies(lock(*records))]


def deb(status="", **facts):
    facts |= {"status": status} if status else {}
    return ("deb", "thing:amd64", {"version": "1.0", **facts})


def npm(*names):
    return [("npm", f"app/{name}", {"version": "1.0"}) for name in names]


def gem(name, platform):
    return ("gem", f"shop/{name}", {"version": "1.16.0", "platform": platform})


def lang(value, name="LANG"):
    return ("env", name, {"value": value})


def user(uid, shell="/usr/bin/zsh", **facts):
    return ("user", "ada", {"uid": uid, "shell": shell, **facts})


def source(**facts):
    key = "deb https://apt.example.org/x stable main"
    return ("apt-source", key, {"enabled": "true", "signed-by": "/x.asc", **facts})


GONE = {"shell-missing": "true"}
SMALL = ("process", "", {"memory": "512MiB", "cmd": '["java","-jar","a.jar"]'})
ROOT = ("env", "HOME", {"value": "/root"})
ADA = ("env", "HOME", {"value": "/home/ada"})


def limit(key, **facts):
    return ("host.limits", key, facts)


OPEN_FILES = limit("session nofile", soft="1024", hard="4096")

CASES = [
    ("NODE-PEER", [("npm", "app/react-dom", {"version": "18.2.0", "unmet-peers": "react"})]),
    ("PACKAGE-DEPENDS", [("rpm", "x.x86_64", {"version": "1", "unmet": "libz.so.1"})]),
    ("PACKAGE-DEPENDS", [("apk", "x", {"version": "1", "unmet": "so:libz.so.1"})]),
    ("CONTAINER-MEMORY", [SMALL, ("env", "JAVA_TOOL_OPTIONS", {"value": "-Xms1g -Xmx4g"})]),
    ("CONTAINER-MEMORY", [SMALL, ("env", "NODE_OPTIONS", {"value": "--max-old-space-size=512"})]),
    ("CONTAINER-MEMORY", [("process", "", {"memory": "1GiB", "cmd": '["java","-Xmx1024m"]'})]),
    ("LIMIT-NOT-IN-FORCE", [ADA, OPEN_FILES, limit("pam * hard nofile", value="65536")]),
    ("LIMIT-NOT-IN-FORCE", [ADA, OPEN_FILES, limit("pam ada soft nofile", value="unlimited")]),
    ("LIMIT-NOT-IN-FORCE", [ROOT, OPEN_FILES, limit("pam root hard nofile", value="65536")]),
    ("PACKAGE-NOT-CONFIGURED", [deb("install ok half-configured")]),
    ("PACKAGE-NOT-CONFIGURED", [deb("install ok unpacked")]),
    ("PACKAGE-HALF", [deb("install ok half-installed")]),
    ("PACKAGE-HALF", [deb("install reinstreq half-installed")]),
    ("PACKAGE-HALF", [deb("hold reinstreq unpacked")]),
    ("PACKAGE-BROKEN", [("apk", "x", {"version": "1", "status": "broken files"})]),
    ("PACKAGE-DEPENDS", [deb(unmet="libfoo1 (>= 2)")]),
    (
        "PACKAGE-DOUBLED",
        [
            ("rpm", "curl-7.76.1-26.el9.x86_64", {"version": "7.76.1-26.el9"}),
            ("rpm", "curl-7.76.1-29.el9.x86_64", {"version": "7.76.1-29.el9"}),
        ],
    ),
    ("NODE-PLATFORM", [GLIBC, *npm("@img/sharp-linuxmusl-x64", "sharp")]),
    ("NODE-PLATFORM", [MUSL, *npm("@img/sharp-linux-x64")]),
    ("NODE-PLATFORM", [GLIBC, *npm("@esbuild/darwin-arm64", "esbuild")]),
    ("NODE-PLATFORM", [MUSL, *npm("lightningcss-linux-x64-gnu")]),
    ("NODE-PLATFORM", [GLIBC, *npm("@rollup/rollup-linux-arm64-gnu")]),
    (
        "NODE-ABI",
        [
            ("deb", "nodejs:amd64", {"version": "18.19.0+dfsg-6"}),
            ("npm", "app/bcrypt", {"version": "5.1.0", "node-abi": "115"}),
        ],
    ),
    (
        "NODE-ABI",
        [
            ("npm", "node-20", {"version": "20.11.0", "global": "true"}),
            ("npm", "app/bcrypt", {"version": "5.1.0", "node-abi": "108"}),
        ],
    ),
    ("NODE-LIBRARY", [("npm", "app/pq", {"version": "1.0", "missing": "libpq.so.5"})]),
    ("GEM-PLATFORM", [GLIBC, gem("nokogiri", "aarch64-linux")]),
    ("GEM-PLATFORM", [GLIBC, gem("nokogiri", "x86_64-linux-musl")]),
    ("GEM-PLATFORM", [MUSL, gem("nokogiri", "x86_64-linux-gnu")]),
    ("GEM-PLATFORM", [GLIBC, gem("nokogiri", "x86_64-darwin")]),
    (
        "GEM-RUBY",
        [
            ("gem", "system-3.3.0", {"version": "3.3.1", "abi": "3.3.0"}),
            ("gem", "shop-3.1.0", {"abi": "3.1.0"}),
        ],
    ),
    ("R-BUILT", [R_BASE, ("r", "local/x", {"version": "1", "built": "4.1.2", "platform": "x86"})]),
    (
        "R-BUILT-MAJOR",
        [R_BASE, ("r", "local/x", {"version": "1", "built": "3.6.3", "platform": "x86"})],
    ),
    ("LOCALE-NOT-GENERATED", [GLIBC, SOME, lang("fr_FR.UTF-8")]),
    ("LOCALE-NOT-GENERATED", [GLIBC, SOME, lang("de_DE.UTF-8", "LC_TIME")]),
    ("LOCALE-NOT-GENERATED", [GLIBC, ("locale", "", {**SOME[2], "lang": "fr_FR.UTF-8"})]),
    (
        "TIMEZONE-DISAGREES",
        [("locale", "", {"timezone": "Europe/Berlin", "timezone-file": "Etc/UTC"})],
    ),
    (
        "TIMEZONE-DISAGREES",
        [("locale", "", {"timezone": "Europe/Berlin", "timezone-data": "missing"})],
    ),
    ("SHELL-MISSING", [user("1000", **GONE)]),
    ("SHELL-MISSING", [user("0", **GONE)]),
    ("SHELL-MISSING-DAEMON", [user("70", **GONE)]),
    *(
        ("SERVICE-PROGRAM", [("service", "a.service", {"wanted-by": "x.target", fact: "x"})])
        for fact in ("program-missing", "user-missing", "folder-missing", "environment-missing")
    ),
    ("POSTFIX-CHROOT", [("setting", "postfix.chroot", {"value": "hosts differs"})]),
    ("APT-KEY", [source(**{"keyring-sha256": "absent"})]),
    ("APT-KEY", [source(**{"keyring-sha256": "0" * 64, "keyring-mode": "0640"})]),
    ("JOB-IGNORED", [("cron", "/etc/cron.d/a.b", {"ignored": "others may write it"})]),
    ("JOB-OFF", [("cron", "/etc/cron.daily/a", {"ignored": "nobody may run it"})]),
    ("SUDO-REFUSED", [("sudo", "/etc/sudoers.d/a", {"refused": "everyone may write it"})]),
    ("SUDO-NAME", [("sudo", "/etc/sudoers.d/a.b", {"ignored": "its name has a dot"})]),
    ("PAM-MODULE", [("setting", "pam.sshd", {"missing": "pam_x.so"})]),
    ("PROCESS-START", [("process", "", {"cmd": "x", "program-missing": "x"})]),
    ("ENV-GONE", [("env", "JAVA_HOME", {"value": "/opt/jdk", "gone": "/opt/jdk"})]),
    ("ENV-PRELOAD-GONE", [("env", "LD_PRELOAD", {"value": "/a", "gone": "/a"})]),
]

QUIET = [
    [("setting", "postfix.chroot", {"value": "as /etc"})],
    [source(**{"keyring-sha256": "absent", "enabled": "false"})],
    [source(**{"keyring-sha256": "0" * 64})],
    [deb()],
    [deb("deinstall ok config-files")],
    [deb("install ok triggers-pending")],
    [
        ("rpm", "kernel-core-5.14-1.x86_64", {"version": "5.14-1"}),
        ("rpm", "kernel-core-5.14-2.x86_64", {"version": "5.14-2"}),
        ("rpm", "glibc.x86_64", {"version": "2.34-60"}),
        ("rpm", "glibc.i686", {"version": "2.34-60"}),
    ],
    [GLIBC, *npm("@img/sharp-linuxmusl-x64", "@img/sharp-linux-x64", "@esbuild/linux-x64")],
    [MUSL, *npm("@img/sharp-linuxmusl-x64", "@esbuild/linux-x64", "lightningcss-linux-x64-musl")],
    [GLIBC, *npm("@rollup/rollup-linux-x64-gnu", "@rollup/rollup-darwin-arm64", "linux-x64-tool")],
    [R_BASE, ("r", "local/x", {"version": "1", "built": "4.1.2"})],
    [
        ("deb", "nodejs:amd64", {"version": "18.19.0+dfsg-6"}),
        ("npm", "app/bcrypt", {"version": "5.1.0", "node-abi": "108"}),
    ],
    [("npm", "app/bcrypt", {"version": "5.1.0", "node-abi": "115"})],
    [GLIBC, gem("nokogiri", "x86_64-linux"), gem("ffi", "x86_64-linux-gnu"), gem("x", "java")],
    [MUSL, gem("nokogiri", "x86_64-linux"), gem("ffi", "x86_64-linux-musl")],
    [GLIBC, gem("nokogiri@1", "x86_64-linux"), gem("nokogiri@2", "aarch64-linux")],
    [GLIBC, ("gem", "system/rake", {"version": "13.0"})],
    [("gem", "shop-3.1.0", {"abi": "3.1.0"})],
    [("r", "local/x", {"version": "1", "built": "4.1.2", "platform": "x86"})],
    [GLIBC, SOME, lang("en_US.UTF-8"), lang("C.UTF-8", "LC_ALL"), lang("POSIX", "LC_CTYPE")],
    [GLIBC, SOME, lang("en_US", "LC_TIME"), lang("de_DE.utf8@euro", "LC_MONETARY")],
    [GLIBC, ("locale", "", {"available": "(all)"}), lang("fr_FR.UTF-8")],
    [GLIBC, lang("fr_FR.UTF-8")],
    [MUSL, SOME, lang("fr_FR.UTF-8")],
    [("locale", "", {"timezone": "Europe/Berlin"})],
    [user("1000")],
    [user("1000", shell="/usr/sbin/nologin", **GONE)],
    [SMALL, ("env", "JAVA_OPTS", {"value": "-Xmx256m -XX:MaxRAMPercentage=75"})],
    [SMALL, ("env", "NOTES", {"value": "-Xmx4g"})],
    [("process", "", {"memory": "unlimited"}), ("env", "JAVA_OPTS", {"value": "-Xmx4g"})],
    [("env", "JAVA_OPTS", {"value": "-Xmx4g"})],
    [ROOT, OPEN_FILES, limit("pam * hard nofile", value="65536")],
    [ADA, OPEN_FILES, limit("pam * hard nofile", value="4096")],
    [OPEN_FILES, limit("pam * hard nofile", value="65536")],
    [("service", "a.service", {"state": "masked", "program-missing": "/opt/a/run"})],
]


@pytest.mark.parametrize(("rule", "records"), CASES)
def test_each_inconsistency_is_found(rule, records):
    assert [each for each, _, _ in found(*records)] == [rule]


@pytest.mark.parametrize("records", QUIET)
def test_what_works_has_no_findings(records):
    assert found(*records) == []


def test_every_rule_has_a_case():
    assert {rule for rule, _ in CASES} == {rule.id for rule in INCONSISTENT_SYSTEM}


def test_a_state_that_differs_is_told_once():
    report = compare(lock(deb()), lock(deb("install ok half-configured")))
    (change,) = report.changes
    assert (change.field, change.rule, change.severity) == (
        "status",
        "PACKAGE-NOT-CONFIGURED",
        "high",
    )
