"""Why a path no package claims is there: rules as data, first match wins.

Paths are classified, never dropped.  The classes `generated`, `cache`, `log`, `state` and
`identity` are hidden in a diff by default and enter no digest; what no rule explains stays
`unowned` and significant.  `envlock explain PATH` shows the rule.
"""

from __future__ import annotations

from functools import cache

from envlock.capture.files.rule_table import FileRule, RuleTable
from envlock.capture.files.runtime_rules import RUNTIME_RULES
from envlock.model.tree import FileClass
from envlock.targets.base import PathSet

OTHER_ENVIRONMENTS = PathSet(
    prefixes=(
        "/var/lib/docker/",
        "/var/lib/containers/",
        "/var/lib/containerd/",
        "/var/lib/lxc/",
        "/var/lib/machines/",
    ),
    substrings=(
        "/.local/share/containers/",
        "/.local/share/docker/",
        "/.local/share/envlock/",
    ),
)
"""Where engines keep the file systems of containers, and envlock what it captured: other
environments, not parts of this one."""

_CACHE, _LOG, _STATE = FileClass.CACHE, FileClass.LOG, FileClass.STATE
_GENERATED, _IDENTITY, _SECRET = FileClass.GENERATED, FileClass.IDENTITY, FileClass.SECRET

RULES: tuple[FileRule, ...] = (
    FileRule(
        "python-bytecode",
        ("**/__pycache__", "**/__pycache__/**", "**/*.pyc", "**/*.pyo"),
        _CACHE,
        "compiled from the .py file beside it at first import or at installation",
        even_if_owned=True,
    ),
    FileRule(
        "account-secrets",
        ("/etc/shadow", "/etc/gshadow", "/etc/shadow-", "/etc/gshadow-"),
        _SECRET,
        "password hashes; rebuilt locked from the account list",
        even_if_owned=True,
    ),
    FileRule(
        "debconf-passwords",
        ("/var/cache/debconf/passwords.dat*",),
        _SECRET,
        "answers to package questions that are passwords",
    ),
    FileRule(
        "ssh-host-keys",
        ("/etc/ssh/ssh_host_*",),
        _IDENTITY,
        "keys that name one machine; a rebuild must make its own",
    ),
    FileRule(
        "snakeoil",
        ("/etc/ssl/private/ssl-cert-snakeoil.key", "/etc/ssl/certs/ssl-cert-snakeoil.pem"),
        _IDENTITY,
        "self-signed certificate made at installation",
    ),
    FileRule(
        "machine-identity",
        ("/etc/machine-id", "/var/lib/dbus/machine-id", "/etc/hostname", "/etc/hostid"),
        _IDENTITY,
        "names this one machine",
    ),
    FileRule(
        "container-runtime",
        ("/etc/hosts", "/etc/resolv.conf", "/etc/mtab", "/.dockerenv", "/run/.containerenv"),
        _STATE,
        "written by whatever runs the environment",
        even_if_owned=True,
    ),
    FileRule(
        "kernel-file-systems",
        ("/proc/**", "/sys/**", "/dev/**", "/run/**"),
        _STATE,
        "belongs to the running system, not to its disk",
    ),
    FileRule(
        "kernel-mount-points",
        ("/proc", "/sys", "/dev"),
        _STATE,
        "on a running system its mode is that of what is mounted there",
        even_if_owned=True,
    ),
    FileRule(
        "temporary",
        ("/tmp/**", "/var/tmp/**"),  # noqa: S108  these name paths in a target, nothing is opened
        _CACHE,
        "temporary by definition",
    ),
    FileRule(
        "dpkg-database",
        ("/var/lib/dpkg", "/var/lib/dpkg/**"),
        _GENERATED,
        "dpkg's own records; the deb section compares what they say",
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
        "rpm's own records and those of dnf and zypper; the rpm section compares what they say",
        even_if_owned=True,
    ),
    FileRule(
        "apk-database",
        ("/lib/apk/**", "/usr/lib/apk/**", "/etc/apk/world", "/etc/apk/arch"),
        _GENERATED,
        "apk's own records; the apk section compares what they say",
        even_if_owned=True,
    ),
    FileRule("pacman-indices", ("/var/lib/pacman/sync/**",), _CACHE, "downloaded package indices"),
    FileRule(
        "pacman-database",
        ("/var/lib/pacman", "/var/lib/pacman/**"),
        _GENERATED,
        "pacman's own records; the pacman section compares what they say",
        even_if_owned=True,
    ),
    FileRule("apt-state", ("/var/lib/apt/lists/**",), _CACHE, "downloaded package indices"),
    FileRule("apt-marks", ("/var/lib/apt/**",), _GENERATED, "apt's marks, compared as `mark`"),
    FileRule("logs", ("/var/log/**",), _LOG, "logs"),
    FileRule(
        "caches", ("/var/cache/**", "/**/.cache", "/**/.cache/**"), _CACHE, "can be made again"
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
        ("/etc/alternatives", "/etc/alternatives/**"),
        _GENERATED,
        "links of update-alternatives; the alternative section compares them",
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
    ),
    FileRule(
        "linker-cache", ("/etc/ld.so.cache",), _GENERATED, "made by ldconfig", even_if_owned=True
    ),
    FileRule(
        "certificate-links",
        ("/etc/ssl/certs/**", "/etc/ca-certificates.conf", "/etc/ca-certificates/**"),
        _GENERATED,
        "made by update-ca-certificates from the installed certificates",
    ),
    FileRule(
        "pam-profiles",
        ("/etc/pam.d/common-*",),
        _GENERATED,
        "made by pam-auth-update from the installed profiles",
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
            "/etc/profile",
            "/etc/motd",
            "/etc/fonts/conf.d/*",
            "/etc/xml/*",
            "/etc/sgml/*",
            "/etc/dpkg/origins/default",
            "/etc/apt/trusted.gpg~",
            "/etc/apt/apt.conf.d/01autoremove-kernels",
        ),
        _GENERATED,
        "made at installation from packaged templates",
    ),
    FileRule(
        "merged-usr",
        ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/var/run", "/var/lock"),
        _GENERATED,
        "compatibility link of the merged /usr",
    ),
    FileRule(
        "python-installation-records",
        ("**/*.dist-info/RECORD", "**/*.dist-info/INSTALLER", "**/*.dist-info/REQUESTED"),
        _GENERATED,
        "written by the installer; the python section compares what they say",
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
        "written by the package manager; the npm section compares what they say",
    ),
    FileRule(
        "conda-installation-records",
        ("**/conda-meta/*.json", "**/conda-meta/history"),
        _GENERATED,
        "written by the package manager; the conda section compares what they say",
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
        ),
        _GENERATED,
        "logs and databases of package managers; their sections compare what they say",
        even_if_owned=True,
    ),
    FileRule(
        "shell-history",
        ("/root/.*_history", "/home/*/.*_history", "/root/.lesshst", "/root/.wget-hsts"),
        _LOG,
        "traces of interactive use",
    ),
    *RUNTIME_RULES,
    FileRule("spool", ("/var/spool/**", "/var/mail/**", "/var/backups/**"), _STATE, "data"),
    FileRule(
        "package-state",
        ("/var/lib/**",),
        _STATE,
        "what packages and services write while they are installed and run",
    ),
    FileRule("lost+found", ("**/lost+found", "/lost+found/**"), _STATE, "made by the file system"),
    FileRule(
        "image-lock",
        ("/usr/share/envlock", "/usr/share/envlock/**"),
        _GENERATED,
        "the lock that envlock put into an image it built",
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
    """Return the rule that explains `path`, or None.  `owned`: a package claims it."""
    return _table(owned).find(path)
