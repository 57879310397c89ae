"""Secret files in binary formats are known by their structure."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.secrets.binary import FORMATS, judge_binary
from tests.conftest import unavailable


def der(tag: int, content: bytes) -> bytes:
    """Return one element of DER."""
    size = len(content)
    length = bytes((size,)) if size < 0x80 else b"\x82" + size.to_bytes(2, "big")
    return bytes((tag,)) + length + content


def oid(*arcs: bytes) -> bytes:
    return der(6, b"".join(arcs))


RSA_OID = oid(b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
PKCS1 = der(0x30, b"\x02\x01\x00" + der(2, b"\0" + b"\x9b" * 256) + b"\x02\x03\x01\x00\x01")
SEC1 = der(
    0x30, b"\x02\x01\x01" + der(4, b"\x11" * 32) + der(0xA0, b"\x06\x05\x2b\x81\x04\x00\x22")
)
PKCS8 = der(0x30, b"\x02\x01\x00" + der(0x30, RSA_OID + b"\x05\x00") + der(4, PKCS1))
PBES2 = der(0x30, oid(b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d") + der(0x30, b"x" * 40))
ENCRYPTED = der(0x30, PBES2 + der(4, b"y" * 300))
DATA = oid(b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")
KEY_BAG = oid(b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02")
CERTIFICATE_BAG = oid(b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x03")


def pkcs12(*bags: bytes) -> bytes:
    return der(0x30, b"\x02\x01\x03" + der(0x30, DATA + der(0xA0, b"".join(bags) + b"z" * 300)))


def java_store(*tags: int, magic: bytes = b"\xfe\xed\xfe\xed") -> bytes:
    """Return a keystore of Java with entries of these kinds: 1 a key, 2 a certificate."""
    entries = b""
    for number, tag in enumerate(tags):
        alias = f"alias{number}".encode()
        entries += tag.to_bytes(4, "big") + len(alias).to_bytes(2, "big") + alias + bytes(8)
        kind = b"" if tag == 1 else b"\0\5X.509"
        entries += kind + (200).to_bytes(4, "big") + b"c" * 200
    return magic + b"\0\0\0\2" + len(tags).to_bytes(4, "big") + entries + b"h" * 20


KEYTAB = b"\5\2" + (60).to_bytes(4, "big") + b"\0\1\0\7EXAMPLE" + b"k" * 60
CACHE = b"\5\4\0\x0c" + b"\0\1\0\x08" + b"t" * 100
OLD_PACKET = b"\x95\x03\xbe\x04" + b"\x5f\x00\x00\x00" + b"\x01" + b"\x08\x00" + b"n" * 300
NEW_PACKET = b"\xc5\x58\x04" + b"\x5f\x00\x00\x00" + b"\x16" + b"o" * 80

SECRET = [
    ("private-key", PKCS1),
    ("private-key", SEC1),
    ("private-key", PKCS8),
    ("private-key", ENCRYPTED),
    ("private-key", b"\x1e\xf1\xb5\xb0" + bytes(40)),
    ("private-key", b"\x07\x02\0\0\0\xa4\0\0RSA2" + bytes(99)),
    ("pkcs12", pkcs12(KEY_BAG)),
    ("pkcs12", pkcs12()),
    ("pkcs12", pkcs12(CERTIFICATE_BAG, KEY_BAG)),
    ("java-keystore", java_store(1)),
    ("java-keystore", java_store(2, 2, 1)),
    ("java-keystore", java_store(3, magic=b"\xce\xce\xce\xce")),
    ("java-keystore", b"\0\0\0\2\0\0\0\x14" + b"s" * 20 + b"\0\0\4\0" + b"e" * 99),
    ("kerberos-keytab", KEYTAB),
    ("kerberos-cache", CACHE),
    ("keepass", b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5" + bytes(99)),
    ("openssl-encrypted", b"Salted__" + b"r" * 40),
    ("openpgp-secret-key", OLD_PACKET),
    ("openpgp-secret-key", NEW_PACKET),
    ("openpgp-secret-key", b"(11:private-key(3:rsa(1:n257:" + b"k" * 99),
    ("openpgp-secret-key", b"Created: 20240101T000000\nKey: (private-key (rsa (n #00#)))\n"),
    ("luks-header", b"LUKS\xba\xbe\0\2" + bytes(99)),
    ("oracle-wallet", b"\xa1\xf8\x4e\x36" + bytes(99)),
    ("password-safe", b"PWS3" + bytes(99)),
    ("gnome-keyring", b"GnomeKeyring\n\r\0\n" + bytes(99)),
    ("apple-keychain", b"kych\0\1" + bytes(99)),
]

CERTIFICATE = der(0x30, der(0x30, der(0xA0, b"\x02\x01\x02") + b"\x02\x08" + b"s" * 8 + b"i" * 300))
PUBLIC_KEY = der(0x30, der(0x30, RSA_OID + b"\x05\x00") + der(3, b"\0" + b"p" * 270))

ORDINARY = [
    b"",
    b"x",
    b"0",
    b"plain text",
    CERTIFICATE,
    PUBLIC_KEY,
    java_store(2),
    java_store(2, 2, 2),
    java_store(),
    pkcs12(CERTIFICATE_BAG),
    b"\x7fELF" + bytes(99),
    b"PK\3\4" + bytes(99),
    b"\x99\x01\x0d\x04" + b"k" * 99,
    b"\xc6\x33\x04" + b"\x5f\0\0\0\x16" + b"p" * 60,
    b"\5\2",
    b"\5\2\0\0\0\0" + bytes(99),
    b"Salted",
    b"0\x82\x01",
    b"\x00" * 64,
    b"\xff" * 64,
    b"LUKS is a format",
    b"PWS",
    b"# private-key is a word\n",
]


@pytest.mark.parametrize(("rule", "content"), SECRET)
def test_a_secret_format_is_known(rule: str, content: bytes) -> None:
    assert judge_binary(content) == rule
    assert judge_binary(content[:4096]) == rule, "its beginning is enough"


@pytest.mark.parametrize("content", ORDINARY)
def test_an_ordinary_file_is_none(content: bytes) -> None:
    assert judge_binary(content) == ""


def test_every_format_has_a_sample_and_a_source() -> None:
    assert {form.rule for form in FORMATS} == {rule for rule, _ in SECRET}
    assert all(form.source for form in FORMATS)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["genrsa", "-out", "{}", "2048"], ""),
        (["genpkey", "-algorithm", "RSA", "-outform", "DER", "-out", "{}"], "private-key"),
        (["genpkey", "-algorithm", "ED25519", "-outform", "DER", "-out", "{}"], "private-key"),
        (
            [
                "genpkey",
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-outform",
                "DER",
                "-out",
                "{}",
            ],
            "private-key",
        ),
    ],
)
def test_keys_as_openssl_writes_them(tmp_path: Path, arguments: list[str], rule: str) -> None:
    if not shutil.which("openssl"):
        unavailable("openssl", "openssl is not installed")
    path = tmp_path / "key"
    subprocess.run(
        ["openssl", *(a.format(path) for a in arguments)], check=True, capture_output=True
    )
    assert judge_binary(path.read_bytes()) == rule


@given(st.binary(max_size=300))
def test_any_content_is_judged(content: bytes) -> None:
    assert isinstance(judge_binary(content), str)
    for magic in (b"\xfe\xed\xfe\xed", b"0\x82", b"\5\2", b"\x95", b"\xc5"):
        judge_binary(magic + content)
