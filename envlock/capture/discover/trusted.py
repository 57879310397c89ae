"""The bundle of trusted certificates that programs of the system read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from envlock.capture.context import Context
from envlock.formats.system.certificates import Certificate, count_begun, parse_certificates

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""The bundle that programs read, by distribution; the first that exists counts."""
BUNDLE_LIMIT = 8 * 1024 * 1024


def trusted_bundle(context: Context) -> list[Certificate]:
    """Return the certificates of the first bundle that has any."""
    return next(filter(None, (certificates_in(path, context) for path in BUNDLES)), [])


def certificates_in(path: str, context: Context) -> list[Certificate]:
    """Return the certificates of a file; one that has none, or half of one, is a gap."""
    content = context.read(path, BUNDLE_LIMIT)
    if content is None:
        return []
    found = parse_certificates(content)
    begun = count_begun(content)
    if begun > len(found):
        context.gap(path, f"damaged: {len(found)} of {begun} certificates can be read")
    elif not found and b"-----BEGIN " not in content:  # a file of other keys has none
        context.gap(path, "holds no certificate")
    return found


def set_facts(certificates: Iterable[Certificate]) -> dict[str, str]:
    """Return the facts of a set of certificates: ``count``, and one digest over all of theirs."""
    digests = sorted({each.sha256 for each in certificates})
    joined = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    return {"count": str(len(digests)), "sha256": joined}
