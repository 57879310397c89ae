"""The packages in dpkg's database, its journal and the ``status.d`` of distroless images."""

from __future__ import annotations

from envlock.capture.context import Context
from envlock.formats.debian.dpkg import Database, Package, parse_status, with_journal

ADMIN = "/var/lib/dpkg"
STATUS = f"{ADMIN}/status"
STATUS_D = f"{ADMIN}/status.d"
_UPDATES = f"{ADMIN}/updates"
DEB_READS = (STATUS, f"{STATUS_D}/*", f"{_UPDATES}/*")
"""Paths that `deb_packages` reads; a collector that calls it declares them."""
_NOTHING = Database((), (), ())
_BESIDE = (".md5sums", ".list", ".conffiles", ".preinst", ".postinst", ".prerm", ".postrm")
"""Endings of files beside those that describe packages."""


def deb_packages(context: Context) -> list[Package]:
    """Return every package that is installed, or was and left its configuration files.

    What is damaged is a gap; what else could be read counts.
    """
    described = [f"{STATUS_D}/{name}" for name in _described(context)]
    single = [_read(path, context, is_control=True) for path in described]
    found = [package for database in single for package in database.packages]
    status = _read(STATUS, context, may_be_empty=bool(found))
    updates = sorted(name for name in context.names(_UPDATES) if name.isdecimal())
    journal = [_read(f"{_UPDATES}/{name}", context) for name in updates]
    packages = [*status.packages, *found]
    if not packages and not status.damages and not context.exists(STATUS):
        lists = [name for name in context.names(f"{ADMIN}/info") if name.endswith(".list")]
        if lists:
            context.gap(STATUS, f"missing, though {len(lists)} packages have lists of files")
    return with_journal(packages, journal) if journal else packages


def distroless_sums(context: Context) -> dict[str, str]:
    """Return package -> its checksum file in distroless images, which lack the info directory."""
    names = context.names(STATUS_D)
    return {
        package.name: f"{STATUS_D}/{name}.md5sums"
        for name in _described(context)
        if f"{name}.md5sums" in names
        for package in parse_status(
            context.text(f"{STATUS_D}/{name}") or "", is_control=True
        ).packages
    }


def _described(context: Context) -> list[str]:
    return [name for name in context.names(STATUS_D) if not name.endswith(_BESIDE)]


def _read(
    path: str, context: Context, *, may_be_empty: bool = False, is_control: bool = False
) -> Database:
    text = context.text(path)
    if text is None or (may_be_empty and not text.strip()):
        return _NOTHING
    database = parse_status(text, is_control=is_control)
    for damage in database.damages:
        context.gap(path, f"damaged: {damage}")
    return database
