"""Rules for packages that are not whole, and for settings that name what is not there."""

from __future__ import annotations

from envlock.diff.fixes import broken
from envlock.diff.rules.rule import Rule
from envlock.model.severity import Severity

CRITICAL, HIGH, MEDIUM, LOW, INFO = Severity

INCONSISTENT_SYSTEM: tuple[Rule, ...] = (
    Rule(
        id="PACKAGE-NOT-CONFIGURED",
        severity=HIGH,
        breaks=True,
        why="a package that is not configured may not work",
        fix=broken.always("dpkg", "--configure", "-a"),
        next="finish the installation of {package}",
        source="dpkg(1), package states",
    ),
    Rule(
        id="PACKAGE-HALF",
        severity=HIGH,
        breaks=True,
        why="a package that is half installed lacks some of its files",
        fix=broken.install_again,
        next="install {package} again",
        source="dpkg(1), package states",
    ),
    Rule(
        id="PACKAGE-BROKEN",
        severity=HIGH,
        breaks=True,
        why="the package manager says that a package is not fully installed",
        next="install {package} again",
        source="apk-fix(8); pacman(8)",
    ),
    Rule(
        id="PACKAGE-DEPENDS",
        severity=HIGH,
        breaks=True,
        why="a package depends on what is not installed, or too old",
        fix=broken.always("apt-get", "--fix-broken", "install"),
        next="install the packages that {package} needs",
        source="deb-control(5), Depends; apt-get(8)",
    ),
    Rule(
        id="PACKAGE-DOUBLED",
        severity=HIGH,
        why="an interrupted update left two versions of one package",
        fix=broken.always("dnf", "remove", "--duplicates"),
        next="remove the older one of the two",
        source="dnf(8)",
    ),
    Rule(
        id="NODE-PLATFORM",
        severity=HIGH,
        breaks=True,
        why="the compiled part of a package is for another platform only: its import fails",
        next="install the dependencies on this system: node_modules was made on another",
        source="npm docs, package.json: os, cpu, libc",
    ),
    Rule(
        id="NODE-ABI",
        severity=HIGH,
        breaks=True,
        why="a compiled module was built for another release of Node: its import fails",
        next="npm rebuild, with the Node of this system",
        source="Node.js documentation, Addons: NODE_MODULE_VERSION",
    ),
    Rule(
        id="NODE-LIBRARY",
        severity=HIGH,
        breaks=True,
        why="a compiled module needs a library that is missing or older than it was built with",
        next="install the library, or run npm rebuild on this system",
        source="ld.so(8)",
    ),
    Rule(
        id="GEM-PLATFORM",
        severity=HIGH,
        breaks=True,
        why="the compiled part of a gem is for another platform: its require fails",
        next="install the gem on this system",
        source="RubyGems guides, platforms",
    ),
    Rule(
        id="GEM-RUBY",
        severity=MEDIUM,
        why="no Ruby of this system sees these gems",
        next="install them with the Ruby of this system, or remove them",
        source="RubyGems guides; ruby_version of RbConfig",
    ),
    Rule(
        id="R-BUILT-MAJOR",
        severity=HIGH,
        breaks=True,
        why="R does not load packages that were built for another major release",
        next="reinstall {package} with the R of this system",
        source="R Installation and Administration, Add-on packages",
    ),
    Rule(
        id="R-BUILT",
        severity=MEDIUM,
        why="a compiled package was built for another release of R",
        next="reinstall {package} with the R of this system",
        source="R Installation and Administration, Add-on packages",
    ),
    Rule(
        id="LOCALE-NOT-GENERATED",
        severity=HIGH,
        why="programs fall back to the locale C: other encoding, other formats",
        next="generate the locale with locale-gen or localedef, or name one that exists",
        source="setlocale(3); locale-gen(8)",
    ),
    Rule(
        id="SHELL-MISSING",
        severity=HIGH,
        breaks=True,
        why="the account cannot log in, and its jobs do not run",
        next="install the shell, or set another one for {key} with chsh",
        source="passwd(5); login(1)",
    ),
    Rule(
        id="SHELL-MISSING-DAEMON",
        severity=MEDIUM,
        why="nothing can be run as this account by its shell",
        next="install the shell, or set another one for {key} with chsh",
        source="passwd(5); su(1)",
    ),
    Rule(
        id="SERVICE-PROGRAM",
        severity=HIGH,
        breaks=True,
        why="a service fails at its start",
        next="install its program, or disable {key}",
        source="systemd.service(5), ExecStart",
    ),
    Rule(
        id="TIMEZONE-DISAGREES",
        severity=MEDIUM,
        why="programs that read /etc/localtime and those that read /etc/timezone show other hours",
        next="run dpkg-reconfigure tzdata, or remove /etc/timezone",
        source="localtime(5); tzset(3)",
    ),
    Rule(
        id="POSTFIX-CHROOT",
        severity=MEDIUM,
        why="postfix looks up hosts by its own copies of files, which are not those of /etc",
        next="restart postfix by its service, which copies them",
        source="master(5) of postfix; postfix-configure-instance of Debian",
    ),
)
"""What is not whole in packages, and what settings name in vain."""
