"""Trusted certificate authorities: the whole set by digest, local additions by subject."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.system.certificates import (
    Certificate,
    count_begun,
    parse_certificates,
)
from envlock.formats.system.settings import SETTINGS_LIMIT, parse_lines
from envlock.model.record import Record
from envlock.model.tree import EntryType

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""The bundle that programs read, by distribution; the first that exists counts."""
_BUNDLE_LIMIT = 8 * 1024 * 1024
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
    bundle = next(filter(None, (_file(path, context) for path in _BUNDLES)), [])
    if bundle:
        digests = sorted({certificate.sha256 for certificate in bundle})
        joined = hashlib.sha256("\n".join(digests).encode()).hexdigest()
        yield Record("certificate", _SET, {"count": str(len(digests)), "sha256": joined})
    found: dict[str, dict[str, str]] = {}
    for folders, state in ((_DISTRUSTED, "distrusted"), (_LOCAL, "local")):
        for certificate in _in_folders(folders, context):
            found.setdefault(certificate.sha256, _facts(certificate, state))
    for certificate in _placed(context):
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


def _file(path: str, context: Context) -> list[Certificate]:
    """Return the certificates of a file; one that has none, or half of one, is a gap."""
    content = context.read(path, _BUNDLE_LIMIT)
    if content is None:
        return []
    found = parse_certificates(content)
    begun = count_begun(content)
    if begun > len(found):
        context.gap(path, f"damaged: {len(found)} of {begun} certificates can be read")
    elif not found and b"-----BEGIN " not in content:  # a file of other keys has none
        context.gap(path, "holds no certificate")
    return found


def _in_folders(folders: tuple[str, ...], context: Context) -> Iterator[Certificate]:
    """Yield the certificates in directories and their immediate subdirectories."""
    for folder in folders:
        for child in context.children(folder):
            paths = [child.path]
            if child.type is EntryType.DIRECTORY:
                paths = [f"{child.path}/{name}" for name in context.names(child.path)]
            for path in paths:
                if path.endswith(_SUFFIXES):
                    yield from _file(path, context)


def _placed(context: Context) -> Iterator[Certificate]:
    """Yield the certificates that are files in the directory of links to trusted ones."""
    for child in context.children(_LINKS):
        name = child.path.rpartition("/")[2]
        is_own = child.path in _BUNDLES or name.startswith(_SNAKEOIL)
        if child.type is EntryType.FILE and name.endswith(_SUFFIXES) and not is_own:
            yield from _file(child.path, context)


def _deselected(context: Context) -> list[str]:
    """Return the lines that tell update-ca-certificates(8) to leave a certificate out."""
    lines = parse_lines(context.text(_SELECTION, SETTINGS_LIMIT) or "")
    return sorted({line for line in lines if line[0] == "!" and len(line) > 1})


COLLECTOR = Collector(
    name="certificate",
    sections=("certificate",),
    reads=(
        *_BUNDLES,
        _SELECTION,
        f"{_LINKS}/*",
        *(f"{folder}/*" for folder in (*_LOCAL, *_DISTRUSTED, _VENDOR)),
        *(f"{folder}/*/*" for folder in (*_LOCAL, *_DISTRUSTED, _VENDOR)),
    ),
    collect=collect,
    sources=("update-ca-certificates(8)", "update-ca-trust(8)", "RFC 5280", "RFC 7468"),
)
