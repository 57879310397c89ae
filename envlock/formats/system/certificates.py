"""Certificates in PEM and DER files: their digests and the names of their subjects.

Sources: RFC 7468 (PEM), RFC 5280 section 4.1 (X.509), ITU-T X.690 (DER).
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.formats.binary.der import Element, children, element

_BLOCK = re.compile(
    rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]{1,131072})-----END"
)
_BEGIN = re.compile(rb"^-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----", re.MULTILINE)
_END = re.compile(
    rb"-----END (?:TRUSTED |X509 )?CERTIFICATE-----|(?<=-----)[ \t]*\r?\n|(?<=\n)\r?\n"
)
"""Where a text of certificates may end: after one, and after each empty line."""
_MOST_HASHED = 1 << 29
_VERSION = 0xA0
_NAMES = {b"\x55\x04\x03": "CN", b"\x55\x04\x0b": "OU", b"\x55\x04\x0a": "O"}
"""Encoded object identifiers 2.5.4.3, 2.5.4.11 and 2.5.4.10, in order of preference."""
_LONGEST_NAME = 128


class Certificate(NamedTuple):
    """One certificate: SHA-256 (hex) of its DER, and the name of its subject, if any."""

    sha256: str
    subject: str


def parse_certificates(content: bytes) -> list[Certificate]:
    """Return the certificates of a PEM file, or the one of a DER file.

    Text between PEM blocks and blocks with invalid base64 are skipped.
    """
    if content[:1] == b"\x30" and b"-----BEGIN" not in content[:256]:
        return [certificate(content)] if _is_whole(content) else []
    found = []
    for match in _BLOCK.finditer(content):
        try:
            der = binascii.a2b_base64(match[1])
        except binascii.Error:
            continue
        if der[:1] == b"\x30":
            found.append(certificate(der))
    return found


def certificates_added_to(content: bytes, sha256: str) -> list[Certificate]:
    """Return the certificates before or after the text that has the digest `sha256` (hex).

    Empty where the text was changed in another way.
    """
    ends = [match.end() for match in _END.finditer(content)]
    before = hashlib.sha256()
    done = 0
    for end in ends:
        before.update(content[done:end])
        done = end
        if before.hexdigest() == sha256:
            return parse_certificates(content[end:])
    for end in ends if len(content) * len(ends) <= _MOST_HASHED else ():
        if hashlib.sha256(content[end:]).hexdigest() == sha256:
            return parse_certificates(content[:end])
    return []


def count_begun(content: bytes) -> int:
    """Return how many certificates begin in a PEM file, whole or not."""
    return len(_BEGIN.findall(content))


def _is_whole(der: bytes) -> bool:
    """True for a certificate from its first byte to its last: content, algorithm and signature."""
    try:
        outer = element(der, 0)
        parts = [part.tag for part in children(der, outer)]
    except (IndexError, ValueError):
        return False
    return outer.end == len(der) and parts == [0x30, 0x30, 0x03]


def certificate(der: bytes) -> Certificate:
    """Return the certificate in DER."""
    return Certificate(hashlib.sha256(der).hexdigest(), _subject(der))


def _subject(der: bytes) -> str:
    """Return the common name of the subject, or else its unit or organization."""
    try:
        outer = element(der, 0)
        fields = list(children(der, element(der, outer.start)))
        if fields and fields[0].tag == _VERSION:
            del fields[0]
        names = dict(_names(der, fields[4]))
    except (IndexError, ValueError):
        return ""
    return next((names[kind] for kind in _NAMES.values() if kind in names), "")


def _names(der: bytes, name: Element) -> Iterator[tuple[str, str]]:
    """Yield (kind, text) of the wanted parts of a Name, a sequence of sets of (type, value)."""
    for one in children(der, name):
        for pair in children(der, one):
            parts = list(children(der, pair))
            kind = _NAMES.get(der[parts[0].start : parts[0].end])
            value = der[parts[1].start : parts[1].end]
            if kind and value:
                coding = "utf-16-be" if parts[1].tag == 0x1E else "utf-8"
                text = value.decode(coding, "replace")[:_LONGEST_NAME]
                yield kind, "".join(c if c.isprintable() else "?" for c in text)
