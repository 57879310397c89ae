"""File rules: which paths are caches, logs, generated files and so on.  The first match wins.

Paths are classified, never dropped.  The classes `generated`, `cache`, `log`, `state` and
`identity` are hidden in a diff by default and enter no digest.  A path without an owner that no
rule matches is `unowned` and significant, and so is what a rule keeps (`Kind`).  For every pattern
ask what could lie there that decides how programs run, and keep that.  `envlock explain PATH` shows
the rule.
"""

from __future__ import annotations

from functools import cache

from envlock.capture.files.rule_table import FileRule, RuleTable
from envlock.capture.files.runtime_rules import RUNTIME_RULES
from envlock.capture.files.state_rules import STATE_RULES, TOOL_CACHES
from envlock.model.deciding import Exists, Kind, decides
from envlock.model.tree import Entry, FileClass
from envlock.targets.base import PathSet

OTHER_ENVIRONMENTS = PathSet(
    prefixes=(
        "/var/lib/docker/",
        "/var/lib/containers/",
        "/var/lib/containerd/",
        "/var/lib/lxc/",
        "/var/lib/machines/",
        "/var/lib/envlock/",
    ),
    substrings=(
        "/.local/share/containers/",
        "/.local/share/docker/",
        "/.local/share/envlock/",
    ),
)
"""Directories in which container engines keep other environments, and envlock its captures."""

_BATCH = (
    "mom_priv/config", "mom_priv/config.d/*", "mom_priv/prologue*", "mom_priv/epilogue*",
    "pbs_environment", "sched_priv/*_config", "server_name", "server_priv/nodes",
)  # fmt: skip
_CACHE, _LOG, _STATE = FileClass.CACHE, FileClass.LOG, FileClass.STATE
_GENERATED, _IDENTITY, _SECRET = FileClass.GENERATED, FileClass.IDENTITY, FileClass.SECRET

RULES: tuple[FileRule, ...] = (
    FileRule(
        "placed-files",
        (
            "**/sites-enabled/*",
            "/usr/share/mime/packages/*",
            "/boot/grub/custom.cfg",
            "/boot/grub2/custom.cfg",
            "/var/lib/cloud/scripts/**",
            "/root/.local/state/nix/**",
            "/home/*/.local/state/nix/**",
            # Folders of settings among the data of a snap; the rest of it may be whole images.
            *(f"/var/snap/*/*/{folder}/**" for folder in ("args", "conf", "config", "etc")),
            "/var/lib/flatpak/overrides/*",
            "/var/lib/confexts/**",
            "/var/lib/portables/**",
            "/var/lib/rancher/*/agent/etc/containerd/*.tmpl",
            "/var/lib/rancher/*/agent/etc/kubelet.conf.d/*",
            "/var/lib/rancher/*/agent/images/*",
            # Tables of other schedulers than cron, and settings of batch systems.
            "/var/spool/incron/*",
            "/var/spool/fcron/*.orig",
            *(f"/var/spool/{system}/{name}" for system in ("pbs", "torque") for name in _BATCH),
        ),
        FileClass.UNOWNED,
        "put there by people, among what programs write; it is read or run whatever its name",
    ),
    FileRule(
        "python-bytecode",
        ("**/__pycache__", "**/__pycache__/**"),
        _CACHE,
        "compiled from the .py file above it, at the first import or at installation",
        even_if_owned=True,
        keeps=Kind.PROGRAM,
    ),
    FileRule(
        "python-bytecode-beside",
        ("**/*.pyc", "**/*.pyo"),
        _CACHE,
        "compiled from the .py file beside it; without that, it is the program",
        even_if_owned=True,
        keeps=Kind.WITHOUT_SOURCE,
    ),
    FileRule(
        "account-secrets",
        ("/etc/shadow", "/etc/gshadow", "/etc/shadow-", "/etc/gshadow-"),
        _SECRET,
        "password hashes; a rebuild creates every account locked",
        even_if_owned=True,
    ),
    FileRule(
        "debconf-passwords",
        ("/var/cache/debconf/passwords.dat*",),
        _SECRET,
        "passwords that were given in answer to questions of packages",
    ),
    FileRule(
        "ssh-host-keys",
        ("/etc/ssh/ssh_host_*",),
        _IDENTITY,
        "keys that identify one machine; a rebuilt machine must create its own",
    ),
    FileRule(
        "snakeoil",
        ("/etc/ssl/private/ssl-cert-snakeoil.key", "/etc/ssl/certs/ssl-cert-snakeoil.pem"),
        _IDENTITY,
        "self-signed certificate, created at installation",
    ),
    FileRule(
        "machine-identity",
        ("/etc/machine-id", "/var/lib/dbus/machine-id", "/etc/hostname", "/etc/hostid"),
        _IDENTITY,
        "identifies this machine",
    ),
    FileRule(
        "container-runtime",
        ("/etc/hosts", "/etc/resolv.conf", "/etc/mtab", "/.dockerenv", "/run/.containerenv"),
        _STATE,
        "written by the engine that runs the environment",
        even_if_owned=True,
    ),
    FileRule(
        "kernel-file-systems",
        ("/proc/**", "/sys/**", "/dev/**", "/run/**"),
        _STATE,
        "file systems of the running kernel, not files on disk",
    ),
    FileRule(
        "kernel-mount-points",
        ("/proc", "/sys", "/dev"),
        _STATE,
        "on a running system its mode is that of the mounted file system",
        even_if_owned=True,
    ),
    FileRule(
        "temporary",
        ("/tmp/**", "/var/tmp/**"),  # noqa: S108  these name paths in a target, nothing is opened
        _CACHE,
        "temporary files",
    ),
    FileRule(
        "dpkg-database",
        ("/var/lib/dpkg", "/var/lib/dpkg/**"),
        _GENERATED,
        "dpkg's database; the deb section compares its contents",
        even_if_owned=True,
    ),
    FileRule(
        "rpm-database",
        (
            "/var/lib/rpm",
            "/var/lib/rpm/**",
            "/usr/lib/sysimage/rpm",
            "/usr/lib/sysimage/rpm/**",
            "/usr/share/rpm",
            "/usr/share/rpm/**",
            "/usr/lib/sysimage/libdnf5/**",
            "/usr/lib/sysimage/rpm-ostree-base-db/**",
            "/var/lib/dnf/**",
            "/var/lib/yum/**",
            "/var/lib/zypp/**",
        ),
        _GENERATED,
        "databases of rpm, dnf and zypper; the rpm section compares their contents",
        even_if_owned=True,
    ),
    FileRule(
        "apk-database",
        ("/lib/apk/**", "/usr/lib/apk/**", "/etc/apk/world", "/etc/apk/arch"),
        _GENERATED,
        "apk's database; the apk section compares its contents",
        even_if_owned=True,
    ),
    FileRule("pacman-indices", ("/var/lib/pacman/sync/**",), _CACHE, "downloaded package indices"),
    FileRule(
        "pacman-database",
        ("/var/lib/pacman", "/var/lib/pacman/**"),
        _GENERATED,
        "pacman's database; the pacman section compares its contents",
        even_if_owned=True,
    ),
    FileRule("apt-state", ("/var/lib/apt/lists/**",), _CACHE, "downloaded package indices"),
    FileRule(
        "apt-marks", ("/var/lib/apt/**",), _GENERATED, "apt's marks; the deb section compares them"
    ),
    FileRule("logs", ("/var/log/**",), _LOG, "logs", keeps=Kind.FOLDER),
    *TOOL_CACHES,
    FileRule(
        "caches",
        ("/var/cache/**", "/**/.cache", "/**/.cache/**"),
        _CACHE,
        "caches, filled again on demand",
        keeps=Kind.PROGRAM | Kind.FOLDER,
    ),
    FileRule(
        "account-files",
        (
            "/etc/passwd",
            "/etc/group",
            "/etc/passwd-",
            "/etc/group-",
            "/etc/subuid",
            "/etc/subgid",
            "/etc/subuid-",
            "/etc/subgid-",
            "/etc/.pwd.lock",
            "/etc/shells",
        ),
        _GENERATED,
        "the account database; the user and group sections compare it",
        even_if_owned=True,
    ),
    FileRule(
        "alternatives-links",
        (
            "/etc/alternatives",
            "/etc/alternatives/**",
            "/var/lib/alternatives/**",
            "/var/lib/rpm/alternatives/**",
        ),
        _GENERATED,
        "links of update-alternatives; the alternative section compares them",
        keeps=Kind.ADDED,
    ),
    FileRule(
        "service-links",
        (
            *(f"/etc/systemd/**/*.{kind}" for kind in ("wants", "requires", "upholds")),
            *(f"/etc/systemd/**/*.{kind}/*" for kind in ("wants", "requires", "upholds")),
            "/etc/rc?.d/*",
        ),
        _GENERATED,
        "links that enable services; the service section compares them",
        keeps=Kind.ADDED,
    ),
    FileRule(
        "linker-cache",
        ("/etc/ld.so.cache",),
        _GENERATED,
        "generated by ldconfig",
        even_if_owned=True,
    ),
    FileRule(
        "certificate-links",
        ("/etc/ssl/certs/**", "/etc/ca-certificates.conf", "/etc/ca-certificates/**"),
        _GENERATED,
        "generated by update-ca-certificates from the installed certificates",
    ),
    FileRule(
        "pam-profiles",
        ("/etc/pam.d/common-*",),
        _GENERATED,
        "generated by pam-auth-update from the installed profiles",
    ),
    FileRule(
        "etc-generated",
        (
            "/etc/adjtime",
            "/etc/blkid.tab",
            "/etc/localtime",
            "/etc/timezone",
            "/etc/default/locale",
            "/etc/locale.gen",
            "/etc/environment",
            "/etc/nsswitch.conf",
            "/etc/motd",
            "/etc/xml/*",
            "/etc/sgml/*",
            "/etc/dpkg/origins/default",
            "/etc/apt/trusted.gpg~",
            "/etc/apt/apt.conf.d/01autoremove-kernels",
        ),
        _GENERATED,
        "generated at installation from packaged templates",
    ),
    FileRule(
        "merged-usr",
        ("/lib32", "/libx32"),
        _GENERATED,
        "compatibility link of the merged /usr, which often leads to nothing",
    ),
    FileRule(
        "python-installation-records",
        ("**/*.dist-info/RECORD", "**/*.dist-info/INSTALLER", "**/*.dist-info/REQUESTED"),
        _GENERATED,
        "written by the installer; the python section compares their contents",
        even_if_owned=True,
    ),
    FileRule(
        "node-installation-records",
        (
            "**/node_modules/.package-lock.json",
            "**/node_modules/.modules.yaml",
            "**/node_modules/.yarn-integrity",
            "**/node_modules/.yarn-state.yml",
        ),
        _GENERATED,
        "written by the package manager; the npm section compares their contents",
    ),
    FileRule(
        "conda-installation-records",
        ("**/conda-meta/*.json", "**/conda-meta/history"),
        _GENERATED,
        "written by the package manager; the conda section compares their contents",
    ),
    FileRule(
        "build-records",
        (
            "**/.spack-db/**",
            "**/.spack/spack-build-*",
            "**/.spack/install_times.json",
            "**/easybuild/easybuild-*.log*",
            "**/extensions/**/gem_make.out",
            "**/extensions/**/mkmf.log",
            "**/.crates.toml",
            "**/.crates2.json",
            "**/perllocal.pod",
            "**/R/*library/*/DESCRIPTION",
            "**/R/*library/*/Meta/*.rds",
            "**/R/*-library/*/*/DESCRIPTION",
            "**/R/*-library/*/*/Meta/*.rds",
        ),
        _GENERATED,
        "logs and databases of package managers; their sections compare the contents",
        even_if_owned=True,
    ),
    FileRule(
        "shell-history",
        ("/root/.*_history", "/home/*/.*_history", "/root/.lesshst", "/root/.wget-hsts"),
        _LOG,
        "traces of interactive use",
    ),
    *RUNTIME_RULES,
    *STATE_RULES,
    FileRule(
        "postfix-chroot",
        ("/var/spool/postfix/etc", "/var/spool/postfix/etc/**"),
        _GENERATED,
        "copies that postfix makes at its start; the setting section compares them with /etc",
    ),
    FileRule(
        "spool",
        ("/var/spool/**",),
        _STATE,
        "queues of mail, print and cron jobs",
        keeps=Kind.SETTING | Kind.FOLDER,
    ),
    FileRule("mail", ("/var/mail/**", "/var/backups/**"), _STATE, "mail, and backups"),
    FileRule(
        "package-state",
        ("/var/lib/**",),
        _STATE,
        "data that packages and services write at installation and at run time",
        keeps=Kind.PROGRAM | Kind.SETTING | Kind.KEY_STORE | Kind.PLUGIN | Kind.FOLDER,
    ),
    FileRule(
        "lost+found", ("**/lost+found", "/lost+found/**"), _STATE, "created with the file system"
    ),
    FileRule(
        "image-lock",
        ("/usr/share/envlock", "/usr/share/envlock/**"),
        _GENERATED,
        "the lock that envlock writes into an image it builds",
        even_if_owned=True,
    ),
    FileRule(
        "top-level-directories",
        ("/",),
        _GENERATED,
        "the root directory itself",
        even_if_owned=True,
    ),
)


@cache
def _table(owned: bool) -> RuleTable:
    return RuleTable(rule for rule in RULES if rule.even_if_owned or not owned)


def file_rule(path: str, *, owned: bool) -> FileRule | None:
    """Return the first rule that matches `path`, or None.  `owned`: a package claims the path."""
    return _table(owned).find(path)


def noisy_rule(entry: Entry, *, owned: bool, exists: Exists) -> FileRule | None:
    """Return the rule that gives an entry its class; None where it is significant all the same."""
    rule = _table(owned).find(entry.path)
    if rule is None or rule.file_class.is_significant:
        return None
    return None if rule.keeps and decides(entry, rule.keeps, exists) else rule
