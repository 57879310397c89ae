"""Key stores of Java: what is read without a password, and what is not."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envlock.formats.java_stores import parse_java_store

STORES = Path(__file__).parents[2] / "collectors/truststore/stores/rootfs/opt"
JKS = (STORES / "jdk-17/lib/security/cacerts").read_bytes()
PKCS12 = (STORES / "jdk-21/lib/security/cacerts").read_bytes()


def test_certificates_are_listed_by_alias():
    store = parse_java_store(JKS)
    found = [(each.alias, each.certificate.subject) for each in store.trusted]
    assert found == [("public [jdk]", "Public Root"), ("corp", "Corp Root")]
    assert (store.format, store.is_complete) == ("jks", True)


@pytest.mark.parametrize("at", ["content", "data", "bag"])
def test_an_empty_element_is_no_store(at):
    empty, data = b"\xa0\0", bytes.fromhex("06092a864886f70d010701")
    inner = {"content": data + empty, "data": data + b"\xa0\x02\x04\0", "bag": b""}[at]
    safe = bytes([0x30, len(inner)]) + inner
    raw = b"\x02\x01\x03" + safe
    assert parse_java_store(bytes([0x30, len(raw)]) + raw) is None


def test_both_formats_give_one_fingerprint():
    (theirs,) = parse_java_store(PKCS12).trusted
    assert theirs == parse_java_store(JKS).trusted[1]


def test_a_key_is_skipped_and_a_sealed_entry_ends_the_list():
    store = parse_java_store((STORES / "jdk-8/jre/lib/security/jssecacerts").read_bytes())
    assert [each.alias for each in store.trusted] == ["debian:public.pem"]
    sealed = struct.pack(">IIII", 0xCECECECE, 2, 1, 3) + b"\0\1a" + bytes(8) + b"object"
    assert parse_java_store(sealed) == ("jceks", (), False)


def test_an_encrypted_part_is_not_taken_for_none():
    store = parse_java_store((STORES / "sealed/lib/security/cacerts").read_bytes())
    assert (store.trusted, store.is_complete) == ((), False)


@pytest.mark.parametrize("content", [JKS, PKCS12])
def test_a_store_that_ends_in_the_middle_is_none(content):
    for size in range(0, len(content) - 20, 7):
        assert parse_java_store(content[:size]) is None


@given(st.binary(max_size=200), st.sampled_from([b"", JKS[:12], PKCS12[:40]]))
def test_arbitrary_bytes_do_not_crash(content, head):
    parse_java_store(head + content)
