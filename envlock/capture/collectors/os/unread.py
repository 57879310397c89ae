"""Package systems that are recognised and not read: how many entries they have, as a gap each.

What their databases hold is not known, and what they installed counts as files without a package.
Two environments can still be told apart by the names in the databases.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.model.record import Record
from envlock.model.text import to_bytes


class _System(NamedTuple):
    """A package system, and globs of paths that only its database has.

    Where it has a path for each package, with its version, that is the mark.
    """

    name: str
    marks: tuple[str, ...]


_SYSTEMS = (
    _System("Gentoo Portage", ("/var/db/pkg/*/*/CONTENTS",)),
    _System("Paludis", ("/var/db/paludis/repositories/installed/*/*/contents",)),
    _System("Nix", ("/nix/store/*", "/nix/var/nix/db/db.sqlite")),
    _System("Guix", ("/gnu/store/*", "/var/guix/db/db.sqlite")),
    _System("Slackware", ("/var/log/packages/*", "/var/lib/pkgtools/packages/*")),
    _System("Void XBPS", ("/var/db/xbps/pkgdb-*.plist",)),
    _System("Solus eopkg", ("/var/lib/eopkg/package/*/metadata.xml",)),
    _System("Pardus PiSi", ("/var/lib/pisi/package/*/metadata.xml",)),
    _System("Clear Linux swupd", ("/usr/share/clear/bundles/*",)),
    _System("Serpent OS moss", ("/.moss/db/install", "/.moss/db/state")),
    _System("CRUX pkgutils", ("/var/lib/pkg/db",)),
    _System("KISS", ("/var/db/kiss/installed/*/version",)),
    _System("Alpine, before apk 2", ("/var/db/apk/installed", "/var/lib/apk/installed")),
    _System("FreeBSD pkg", ("/var/db/pkg/local.sqlite",)),
    _System("pkgsrc", ("/usr/pkg/pkgdb/*/+CONTENTS", "/var/db/pkg/*/+CONTENTS")),
    _System("MacPorts", ("/opt/local/var/macports/registry/registry.db",)),
    _System("Termux", ("/data/data/com.termux/files/usr/var/lib/dpkg/status",)),
    _System("OSTree", ("/ostree/deploy/*/deploy/*.origin",)),
    _System("opam", ("**/.opam-switch/packages/*/opam", "**/.opam-switch/switch-state")),
    _System("LuaRocks", ("**/luarocks/rocks-5.*/*/*/rock_manifest",)),
    _System("GHC", ("**/package.conf.d/*.conf",)),
    _System("TeX Live", ("**/tlpkg/texlive.tlpdb",)),
    _System("vcpkg", ("**/vcpkg/info/*.list",)),
    _System("Conan", ("**/.conan2/p/cache.sqlite3", "**/.conan/data/*/*/*/*/metadata.json")),
    _System("Julia", ("**/.julia/packages/*/*/Project.toml",)),
    _System("Emacs packages", ("**/.emacs.d/elpa/*/*-pkg.el",)),
    _System("WordPress plug-ins", ("**/wp-content/plugins/*/readme.txt",)),
)

_FILES = tuple(mark for system in _SYSTEMS for mark in system.marks if "*" not in mark)
_NOT_READ = "a package database that is not read"


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each system whose database is there.

    Facts: ``database`` (its directory), ``entries`` (paths that mark one package, or the database),
    ``content`` (digest over these paths, with the digests of files where they are known).
    """
    for system in _SYSTEMS:
        found = [path for path in context.glob(*system.marks) if not context.owner(path)]
        if not found:
            continue
        where = _database(system.marks, found)
        context.gap(where, f"{system.name}: {_NOT_READ}")
        digest = hashlib.sha256()
        for path in found:
            entry = context.entry(path)
            digest.update(to_bytes(f"{path}\0{entry.sha256 if entry else ''}\n"))
        facts = {
            "database": where,
            "entries": str(len(found)),
            "content": f"sha256:{digest.hexdigest()}",
        }
        yield Record("unread", system.name, facts)


def _database(marks: tuple[str, ...], found: list[str]) -> str:
    """Return the directory of a database: a fixed one, or that of the paths that were found."""
    heads = {mark.partition("*")[0].rpartition("/")[0] for mark in marks}
    fixed = [head for head in heads if head and any(path.startswith(head) for path in found)]
    return min(fixed, default="") or posixpath.commonpath([*map(posixpath.dirname, found)])


COLLECTOR = Collector(
    name="unread",
    sections=("unread",),
    # Nothing of these is read; they are found in one search with what other collectors read.
    reads=tuple(m for system in _SYSTEMS for m in system.marks if m.startswith("**/")),
    collect=collect,
    needs_scan=True,
    needs_owners=True,
    digests=_FILES,
    sources=("the manuals of these package systems",),
)
