"""Secret files in binary formats, known by their first bytes and structure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Format(NamedTuple):
    """A binary format of secrets: its rule, a test of the content, and where it is specified."""

    rule: str
    is_one: Callable[[bytes], bool]
    source: str


def judge_binary(content: bytes) -> str:
    """Return the rule by which content is a secret in a binary format, or an empty text.

    `content` may be the beginning of a file; 4 KiB are enough for all but stores of keys that
    begin with many certificates.
    """
    return next((form.rule for form in FORMATS if form.is_one(content)), "")


def _begins(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(magics)


def _is_java_keystore(content: bytes) -> bool:
    """Return whether a JKS or JCEKS store holds a private or secret key, not only certificates."""
    if not content.startswith((b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")):
        return False
    at = 12
    for _ in range(int.from_bytes(content[8:12], "big")):
        tag = int.from_bytes(content[at : at + 4], "big")
        if tag != _CERTIFICATE:
            return at < len(content)
        at = _skip_text(content, at + 4) + 8
        if content.startswith(b"\0\0\0\2", 4):
            at = _skip_text(content, at)
        at += 4 + int.from_bytes(content[at : at + 4], "big")
        if at >= len(content):
            break
    return False


_CERTIFICATE = 2


def _skip_text(content: bytes, at: int) -> int:
    return at + 2 + int.from_bytes(content[at : at + 2], "big")


def _der_header(content: bytes) -> int:
    """Return where the content of a DER sequence begins, or 0: it is none of plausible length."""
    if content[:1] != b"\x30" or len(content) < 16:
        return 0
    first = content[1]
    if first < 0x80:
        return 2 if first + 2 >= len(content) else 0
    count = first & 0x7F
    length = int.from_bytes(content[2 : 2 + count], "big")
    return 2 + count if 1 <= count <= 3 and length + 2 + count >= len(content) else 0


_RSA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
_EC = b"\x2a\x86\x48\xce\x3d\x02\x01"
_PBES2 = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05"
_PBE_PKCS12 = b"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01"
_PKCS7_DATA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07"
_KEY_BAGS = (
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02",
)
_CERTIFICATE_BAG = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x03"


def _is_der_key(content: bytes) -> bool:
    """Return whether content is a private key in DER: PKCS #1, SEC 1 or PKCS #8."""
    at = _der_header(content)
    if not at:
        return False
    body = content[at : at + 64]
    if body.startswith(
        (
            b"\x02\x01\x00\x02\x81",
            b"\x02\x01\x00\x02\x82",
            b"\x02\x01\x00\x02\x40",
            b"\x02\x01\x00\x02\x41",
        )
    ):
        return True  # RSAPrivateKey: version 0, a long modulus
    if body.startswith(
        (
            b"\x02\x01\x01\x04\x20",
            b"\x02\x01\x01\x04\x30",
            b"\x02\x01\x01\x04\x42",
            b"\x02\x01\x01\x04\x1c",
        )
    ):
        return True  # ECPrivateKey: version 1, an octet string
    if body.startswith((b"\x02\x01\x00\x30", b"\x02\x01\x01\x30")) and b"\x06" in body[4:8]:
        return True  # PrivateKeyInfo: version, AlgorithmIdentifier
    return body.startswith(b"\x30") and body[2:].startswith((_PBES2, _PBE_PKCS12))


def _is_pkcs12(content: bytes) -> bool:
    """Return whether content is a PKCS #12 file that may hold a key, not only certificates."""
    at = _der_header(content)
    if not at or not content.startswith(b"\x02\x01\x03\x30", at) or _PKCS7_DATA not in content[:64]:
        return False
    if any(bag in content for bag in _KEY_BAGS):
        return True
    return _CERTIFICATE_BAG not in content


def _is_bouncy_castle(content: bytes) -> bool:
    """Return whether content is a BKS or UBER store: version 1 or 2, a salt of 20 bytes."""
    return (
        content[:3] == b"\0\0\0"
        and content[3:4] in (b"\1", b"\2")
        and content[4:8] == b"\0\0\0\x14"
    )


def _is_keytab(content: bytes) -> bool:
    """Return whether content is a keytab: version, then the length of an entry that fits."""
    length = int.from_bytes(content[2:6], "big")
    return content[:2] in (b"\5\1", b"\5\2") and 8 < length < 4096 and content[6:7] == b"\0"


def _is_credential_cache(content: bytes) -> bool:
    """Return whether content is a credential cache of Kerberos, version 3 or 4."""
    return content[:2] in (b"\5\3", b"\5\4") and content[2:3] == b"\0" and len(content) > 64


def _is_openpgp_secret(content: bytes) -> bool:
    """Return whether content begins with a secret key packet of OpenPGP of a known algorithm."""
    if len(content) < 12:
        return False
    sizes = {0x94: 2, 0x95: 3, 0x96: 5, 0xC5: 2}
    at = sizes.get(content[0], 0)
    if content[0] == 0xC5 and content[1] >= 192:
        at = 3 if content[1] < 224 else 6
    if not at or len(content) < at + 6:
        return False
    return content[at] in (3, 4, 5, 6) and content[at + 5] in (
        1,
        2,
        3,
        16,
        17,
        18,
        19,
        22,
        25,
        26,
        27,
    )


def _is_gnupg_agent_key(content: bytes) -> bool:
    """Return whether content is a key of gpg-agent: an S-expression, or the extended format."""
    head = content[:4096]
    names = (b"private-key", b"shadowed-private-key")
    return any(name in head for name in names) and (head[:1] == b"(" or b"\nKey: (" in b"\n" + head)


_PVK = b"\x1e\xf1\xb5\xb0"
_KEY_BLOBS = (b"\x07\x02\0\0\0\x24\0\0", b"\x07\x02\0\0\0\xa4\0\0")
_KEEPASS = tuple(
    b"\x03\xd9\xa2\x9a" + bytes((kind,)) + b"\xfb\x4b\xb5" for kind in (0x65, 0x66, 0x67)
)
_ORACLE = (b"\xa1\xf8\x4e\x36", b"\xa1\xf8\x4e\x37", b"\xa1\xf8\x4e\x38")

FORMATS = (
    Format("java-keystore", _is_java_keystore, "OpenJDK: JavaKeyStore.java, JceKeyStore.java"),
    Format("java-keystore", _is_bouncy_castle, "Bouncy Castle: BcKeyStoreSpi.java"),
    Format("pkcs12", _is_pkcs12, "RFC 7292"),
    Format("private-key", _is_der_key, "RFC 8017, RFC 5915, RFC 5208"),
    Format("private-key", _begins(_PVK, *_KEY_BLOBS), "Microsoft: PVK, PRIVATEKEYBLOB"),
    Format("kerberos-keytab", _is_keytab, "MIT Kerberos: keytab file format"),
    Format("kerberos-cache", _is_credential_cache, "MIT Kerberos: credential cache file format"),
    Format("keepass", _begins(*_KEEPASS), "KeePass: KDB and KDBX"),
    Format("openpgp-secret-key", _is_openpgp_secret, "RFC 9580: packet tag 5"),
    Format("openpgp-secret-key", _is_gnupg_agent_key, "GnuPG: agent/keyformat.txt"),
    Format("openssl-encrypted", _begins(b"Salted__"), "openssl-enc(1)"),
    Format("luks-header", _begins(b"LUKS\xba\xbe", b"SKUL\xba\xbe"), "LUKS1 and LUKS2 formats"),
    Format("oracle-wallet", _begins(*_ORACLE), "Oracle: auto-login wallets"),
    Format("password-safe", _begins(b"PWS3"), "Password Safe: formatV3.txt"),
    Format("gnome-keyring", _begins(b"GnomeKeyring\n\r\0\n"), "GNOME Keyring: file-format.txt"),
    Format("apple-keychain", _begins(b"kych\0\1"), "Apple Security: keychain file format"),
)
