"""Trusted certificate authorities: the whole set by digest, local additions by subject."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.trusted import (
    BUNDLES,
    certificates_in,
    set_facts,
    trusted_bundle,
)
from envlock.formats.system.certificates import Certificate
from envlock.formats.system.settings import SETTINGS_LIMIT, parse_lines
from envlock.model.record import Record
from envlock.model.tree import EntryType

_LOCAL = (
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust/source/anchors",
    "/etc/ca-certificates/trust-source/anchors",
    "/etc/pki/trust/anchors",
)
_DISTRUSTED = (
    "/etc/pki/ca-trust/source/blocklist",
    "/etc/pki/ca-trust/source/blacklist",
    "/etc/ca-certificates/trust-source/blocklist",
    "/etc/pki/trust/blocklist",
)
_VENDOR = "/usr/share/ca-certificates/mozilla"
_LINKS = "/etc/ssl/certs"
_SNAKEOIL = "ssl-cert-snakeoil"
_SELECTION = "/etc/ca-certificates.conf"
_SUFFIXES = (".crt", ".pem", ".cer")
_SET = "(all)"


def collect(context: Context) -> Iterator[Record]:
    """Yield the trusted set, and a record for each deviation from the vendor's selection.

    The set has the key ``(all)`` and the facts ``count`` and ``sha256`` (over the sorted digests of
    the certificates in DER).  Other certificates are keyed by their digest, with ``subject`` and
    ``state``: ``local`` (added in a directory for local ones), ``placed`` (a file beside the links
    to trusted ones), ``bundle`` (only in the bundle itself) or ``distrusted``.  A certificate that
    is deselected in ca-certificates.conf is keyed by its line there.
    """
    bundle = trusted_bundle(context)
    if bundle:
        yield Record("certificate", _SET, set_facts(bundle))
    found: dict[str, dict[str, str]] = {}
    for folders, state in ((_DISTRUSTED, "distrusted"), (_LOCAL, "local")):
        for certificate in _in_folders(folders, context):
            found.setdefault(certificate.sha256, _facts(certificate, state))
    for certificate in _placed(context, bundle):
        found.setdefault(certificate.sha256, _facts(certificate, "placed"))
    vendor = {certificate.sha256 for certificate in _in_folders((_VENDOR,), context)}
    if vendor:
        for certificate in bundle:
            if certificate.sha256 not in vendor:
                found.setdefault(certificate.sha256, _facts(certificate, "bundle"))
    for sha256, facts in found.items():
        yield Record("certificate", sha256, facts)
    for line in _deselected(context):
        yield Record("certificate", line, {"state": "deselected"})


def _facts(certificate: Certificate, state: str) -> dict[str, str]:
    subject = {"subject": certificate.subject} if certificate.subject else {}
    return {"state": state} | subject


def _in_folders(folders: tuple[str, ...], context: Context) -> Iterator[Certificate]:
    """Yield the certificates in directories and their immediate subdirectories."""
    for folder in folders:
        for child in context.children(folder):
            paths = [child.path]
            if context.is_directory(child):
                paths = [f"{child.path}/{name}" for name in context.names(child.path)]
            for path in paths:
                if path.endswith(_SUFFIXES):
                    yield from certificates_in(path, context)


def _placed(context: Context, bundle: list[Certificate]) -> Iterator[Certificate]:
    """Yield the certificates that are files in the directory of links to trusted ones.

    Where that directory is a link to one that a program fills, as on openSUSE, only those that are
    not in the bundle were placed by somebody.
    """
    is_filled = context.resolve(_LINKS) != _LINKS
    filled = {certificate.sha256 for certificate in bundle} if is_filled else set()
    for child in context.children(_LINKS):
        name = child.path.rpartition("/")[2]
        is_own = child.path in BUNDLES or name.startswith(_SNAKEOIL)
        if child.type is EntryType.FILE and name.endswith(_SUFFIXES) and not is_own:
            yield from (
                each for each in certificates_in(child.path, context) if each.sha256 not in filled
            )


def _deselected(context: Context) -> list[str]:
    """Return the lines that tell update-ca-certificates(8) to leave a certificate out."""
    lines = parse_lines(context.text(_SELECTION, SETTINGS_LIMIT) or "")
    return sorted({line for line in lines if line[0] == "!" and len(line) > 1})


COLLECTOR = Collector(
    name="certificate",
    sections=("certificate",),
    reads=(
        *BUNDLES,
        _SELECTION,
        f"{_LINKS}/*",
        *(f"{folder}/*" for folder in (*_LOCAL, *_DISTRUSTED, _VENDOR)),
        *(f"{folder}/*/*" for folder in (*_LOCAL, *_DISTRUSTED, _VENDOR)),
    ),
    collect=collect,
    sources=("update-ca-certificates(8)", "update-ca-trust(8)", "RFC 5280", "RFC 7468"),
)
