"""Names that lead to nothing: links of libraries, programs, services, alternatives and settings.

Looked at are the directories that the loader, the shell, the service manager and web servers read.
A link counts when what it leads to is proved to be absent.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.loader_paths import LOADER_READS, configured_folders
from envlock.model.record import Record
from envlock.model.text import sort_key

_LIBRARY = r"lib.+\.so\.\d[\d.]*\Z"
_UNIT = r".+\.(?:service|socket|timer|path|target|mount|automount|slice)\Z"


class _Place(NamedTuple):
    """Directories that hold names which must lead somewhere, and what they are for."""

    kind: str
    folders: tuple[str, ...]
    names: str = ""


_PLACES = (
    _Place(
        "program",
        ("/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/bin", "/sbin"),
    ),
    _Place("alternative", ("/etc/alternatives",)),
    _Place(
        "enabled-unit",
        (
            "/etc/systemd/system/*.wants",
            "/etc/systemd/system/*.requires",
            "/etc/systemd/user/*.wants",
            "/etc/runlevels/*",
        ),
    ),
    _Place("unit", ("/etc/systemd/system", "/etc/systemd/user", "/etc/init.d"), _UNIT),
    _Place("init-script", ("/etc/rc2.d", "/etc/rc3.d", "/etc/rc5.d", "/etc/rcS.d"), r"S\d\d"),
    _Place(
        "web-server",
        (
            "/etc/apache2/mods-enabled",
            "/etc/apache2/sites-enabled",
            "/etc/apache2/conf-enabled",
            "/etc/httpd/conf.d",
            "/etc/httpd/conf.modules.d",
            "/etc/nginx/sites-enabled",
            "/etc/nginx/modules-enabled",
            "/etc/nginx/conf.d",
            "/etc/lighttpd/conf-enabled",
        ),
    ),
    _Place("php-setting", ("/etc/php/*/*/conf.d", "/etc/php/conf.d", "/etc/php.d")),
    _Place(
        "job",
        (
            "/etc/cron.d",
            "/etc/cron.hourly",
            "/etc/cron.daily",
            "/etc/cron.weekly",
            "/etc/cron.monthly",
            "/etc/periodic/*",
        ),
    ),
    _Place(
        "setting",
        (
            "/etc/ld.so.conf.d",
            "/etc/profile.d",
            "/etc/sudoers.d",
            "/etc/sysctl.d",
            "/etc/security/limits.d",
            "/etc/logrotate.d",
            "/etc/supervisor/conf.d",
            "/etc/fonts/conf.d",
        ),
    ),
    _Place("trust", ("/etc/ssl", "/etc/pki/tls"), r"cert\.pem\Z"),
    _Place(
        "trust",
        ("/etc/ssl/certs", "/etc/pki/tls/certs"),
        r"(?:ca-certificates|ca-bundle)\.(?:crt|pem)\Z",
    ),
    _Place("time-zone", ("/etc",), r"localtime\Z"),
)
"""Where names are read by what depends on them; an empty pattern fits every name."""

_BUILT_IN = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")
_MULTIARCH = re.compile(r"[a-z0-9_]+-linux-[a-z0-9]+\Z")
_BY_HOST = re.compile(r"lib(?:cuda|nv|EGL_nv|GLX_nv|vdpau_nv)")
"""Libraries that a container engine brings with the driver; until then their names are dangling."""
_DOCUMENTATION = ("/usr/share/man/", "/usr/share/doc/", "/usr/share/info/", "/usr/share/locale/")
"""What small images leave out on purpose, though alternatives lead there."""
_ALTERNATIVES = "/etc/alternatives/"
_UTC = ("/UTC", "/UCT", "/Universal", "/Zulu")


def collect(context: Context) -> Iterator[Record]:
    """Yield each name that leads to nothing: what it is for (``kind``), and its ``target``."""
    for path, kind, link in sorted(_links(context), key=lambda each: sort_key(each[0])):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
        if _is_left_out(path, target) or not context.is_gone(path):
            continue
        if kind == "program" and target.startswith(_ALTERNATIVES) and context.link(target):
            continue  # the alternative itself leads to nothing, and is told
        owner = context.owner(path)
        if owner and kind == "setting":
            continue  # as its package ships it
        facts = {"kind": kind, "target": link, "packaged-by": owner}
        yield Record("dangling", path, {fact: value for fact, value in facts.items() if value})


def _is_left_out(path: str, target: str) -> bool:
    """True for a link that may lead to nothing, as nothing depends on it there."""
    is_zone = path == "/etc/localtime" and target.endswith(_UTC)
    return is_zone or target == "/dev/null" or target.startswith(_DOCUMENTATION)


def _links(context: Context) -> Iterator[tuple[str, str, str]]:
    """Yield path, kind and target of each link that may lead to nothing.

    One to another name in its directory that exists is left out: if that is a link as well, it is
    examined by itself.
    """
    seen: set[str] = set()
    for place in (*_PLACES, _Place("library", _library_folders(context), _LIBRARY)):
        fits = re.compile(place.names).match
        for pattern in place.folders:
            for folder in _folders(pattern, context):
                real = context.resolve(folder)
                if real in seen and place.kind in ("program", "library"):
                    continue
                seen.add(real)
                names = frozenset(context.names(folder))
                for name in names:
                    is_driver = place.kind == "library" and _BY_HOST.match(name)
                    if not fits(name) or is_driver:
                        continue
                    link = context.link(f"{real}/{name}")
                    if link and link not in names:
                        yield f"{real}/{name}", place.kind, link


def _folders(pattern: str, context: Context) -> Iterator[str]:
    """Yield the directories of a pattern: a star stands for the names in one directory."""
    head, star, tail = pattern.partition("*")
    if not star:
        yield pattern
        return
    parent, _, begin = head.rpartition("/")
    end, slash, rest = tail.partition("/")
    for name in context.names(parent):
        if name.startswith(begin) and name.endswith(end):
            yield from _folders(f"{parent}/{name}{slash}{rest}", context)


def _library_folders(context: Context) -> tuple[str, ...]:
    wide = [
        f"{folder}/{name}"
        for folder in _BUILT_IN
        for name in context.names(folder)
        if _MULTIARCH.match(name)
    ]
    return (*_BUILT_IN, *wide, *configured_folders(context))


COLLECTOR = Collector(
    name="dangling",
    sections=("dangling",),
    reads=LOADER_READS,
    collect=collect,
    needs_scan=True,
    needs_owners=True,
    sources=("symlink(7)", "ld.so(8)", "systemd.unit(5)", "update-alternatives(1)"),
)
