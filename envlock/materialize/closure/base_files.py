"""Files that every program may read, whichever packages it needs.

Sources: hier(7), nsswitch.conf(5), ld.so(8), tzset(3), locale(7), update-ca-certificates(8),
os-release(5); the base of Google's distroless images for what a program misses without them.
"""

from __future__ import annotations

from envlock.model.glob import matcher

IN_EVERY_IMAGE = (
    "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid",
    "/etc/nsswitch.conf", "/etc/host.conf", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d/**", "/etc/ld.so.preload",
    "/etc/ld-musl-*.path",
    "/etc/localtime", "/etc/timezone", "/etc/default/locale", "/etc/locale.conf",
    "/etc/environment", "/usr/lib/locale/**",
    "/etc/ssl/**", "/etc/pki/ca-trust/**", "/etc/pki/tls/**", "/etc/ca-certificates.conf",
    "/etc/ca-certificates/**", "/usr/local/share/ca-certificates/**",
    "/etc/machine-id", "/etc/os-release", "/etc/debian_version", "/etc/alpine-release",
    "/etc/pam.d/common-*", "/etc/shells", "/etc/profile",
)  # fmt: skip
"""Accounts, name service, the loader's configuration, time zone, locale, certificates."""

EMPTY_DIRECTORIES = (
    "/tmp", "/var/tmp", "/run", "/run/lock", "/proc", "/sys", "/dev", "/dev/*", "/root", "/home",  # noqa: S108
    "/mnt", "/media", "/opt", "/srv", "/var/log", "/var/cache", "/var/lib", "/var/spool",
    "/var/lib/private", "/var/cache/private",
    "/usr/local", "/usr/local/*", "/usr/local/share/*",
)  # fmt: skip
"""Directories that programs expect; what is in them is judged by itself."""

WITNESSES = (
    "/usr/lib/os-release",
    "/etc/os-release",
    "/usr/share/zoneinfo/Etc/UTC",
    "/etc/services",
    "/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt",
    "/usr/lib/locale/C.utf8/LC_CTYPE",
)
"""Files that every program may read and that packages own: the whole packages are kept."""

_SYSTEM = (
    "/usr/", "/etc/", "/var/lib/", "/var/cache/", "/var/log/", "/var/spool/", "/var/backups/",
    "/bin/", "/sbin/", "/lib", "/boot/", "/root/.cache/",
)  # fmt: skip
"""Directories in which packages live; elsewhere what no package owns is the application's."""

is_in_every_image = matcher(IN_EVERY_IMAGE)
"""True for a path that every image has."""

is_empty_directory = matcher(EMPTY_DIRECTORIES)
"""True for a directory that every image has."""


def is_place_of_applications(path: str) -> bool:
    """True for a path outside of the directories in which packages live."""
    return not path.startswith(_SYSTEM)
