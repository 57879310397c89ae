"""Certificates in the key stores of Java: JKS, JCEKS and PKCS#12.

The first two keep certificates in clear, and so does PKCS#12 as a JDK writes its ``cacerts``; keys
are skipped.  No password is needed or tried.  Sources: OpenJDK, JavaKeyStore.java, JceKeyStore.java
and PKCS12KeyStore.java; RFC 7292, sections 4 and 5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from envlock.formats.binary.der import Element, children, element
from envlock.formats.system.certificates import Certificate, certificate

_MAGICS = {0xFEEDFEED: "jks", 0xCECECECE: "jceks"}
_KEY, _CERTIFICATE = 1, 2
_MOST = 100_000
_LONGEST_ALIAS = 128
_PKCS = bytes.fromhex("2a864886f70d01")
_DATA, _CERT_BAG = _PKCS + b"\x07\x01", _PKCS + b"\x0c\x0a\x01\x03"
_X509, _FRIENDLY_NAME = _PKCS + b"\x09\x16\x01", _PKCS + b"\x09\x14"
_SEQUENCE, _OCTETS = 0x30, 0x04


class Trusted(NamedTuple):
    """A certificate of a store: the alias it is listed under, and the certificate."""

    alias: str
    certificate: Certificate


class JavaStore(NamedTuple):
    """A key store: its format, and the certificates that could be read.

    `is_complete` is False where a part is encrypted or of an unknown kind.
    """

    format: str
    trusted: tuple[Trusted, ...]
    is_complete: bool


def parse_java_store(content: bytes) -> JavaStore | None:
    """Return a key store, or None when the content is none or ends in the middle."""
    try:
        if int.from_bytes(content[:4], "big") in _MAGICS:
            return _Reader(content).store()
        return _pkcs12(content) if content[:1] == bytes([_SEQUENCE]) else None
    except (IndexError, ValueError, struct.error):
        return None


class _Reader:
    """Reads JKS and JCEKS from the front."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def store(self) -> JavaStore:
        magic, version, count = self._number(), self._number(), self._number()
        found: list[Trusted] = []
        for _ in range(min(count, _MOST)):
            tag, alias = self._number(), self._text()
            self._take(8)  # the time of its creation
            if tag == _CERTIFICATE:
                found.append(Trusted(_shown(alias), certificate(self._certificate(version))))
            elif tag == _KEY:
                self._take(self._number())
                for _ in range(self._number()):
                    self._certificate(version)
            else:
                return JavaStore(_MAGICS[magic], tuple(found), is_complete=False)
        return JavaStore(_MAGICS[magic], tuple(found), is_complete=count <= _MOST)

    def _certificate(self, version: int) -> bytes:
        if version > 1:
            self._text()  # the type of certificate
        return self._take(self._number())

    def _number(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def _text(self) -> str:
        return self._take(int.from_bytes(self._take(2), "big")).decode("utf-8", "replace")

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._content):
            raise ValueError("truncated store")
        taken, self._at = self._content[self._at : end], end
        return taken


def _pkcs12(content: bytes) -> JavaStore | None:
    version, safe, *_ = children(content, element(content, 0))
    if content[version.start : version.end] != b"\x03":
        return None
    found: list[Trusted] = []
    is_complete = True
    octets = _data(content, safe)
    if octets is None:
        return None
    for each in children(octets, element(octets, 0)):
        bags = _data(octets, each)
        if bags is None:
            is_complete = False
            continue
        for bag in children(bags, element(bags, 0)):
            found.extend(_trusted(bags, bag))
    return JavaStore("pkcs12", tuple(found), is_complete)


def _data(der: bytes, content_info: Element) -> bytes | None:
    """Return the octets of a ContentInfo, None when it is not plain data."""
    kind, *wrapped = children(der, content_info)
    if der[kind.start : kind.end] != _DATA or not wrapped:
        return None
    octets = _first(der, wrapped[0])
    return der[octets.start : octets.end] if octets.tag == _OCTETS else None


def _first(der: bytes, outer: Element) -> Element:
    """Return the first element inside of another.  Raise ValueError when there is none."""
    found = next(children(der, outer), None)
    if found is None:
        raise ValueError("an empty element")
    return found


def _trusted(der: bytes, bag: Element) -> Iterator[Trusted]:
    kind, value, *attributes = children(der, bag)
    if der[kind.start : kind.end] != _CERT_BAG:
        return
    form, wrapped = children(der, _first(der, value))
    if der[form.start : form.end] == _X509:
        octets = _first(der, wrapped)
        alias = next((_alias(der, each) for each in attributes), "")
        yield Trusted(_shown(alias), certificate(der[octets.start : octets.end]))


def _alias(der: bytes, attributes: Element) -> str:
    for attribute in children(der, attributes):
        kind, values = children(der, attribute)
        if der[kind.start : kind.end] == _FRIENDLY_NAME:
            text = _first(der, values)
            return der[text.start : text.end].decode("utf-16-be", "replace")
    return ""


def _shown(alias: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in alias[:_LONGEST_ALIAS])
