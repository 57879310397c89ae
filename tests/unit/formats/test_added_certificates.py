"""Authorities that were added to a bundle are told apart from any other change of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from envlock.formats.system.certificates import certificates_added_to

ROOT = Path(__file__).parents[2] / "collectors/certificate/debian/rootfs"
VENDOR = ROOT / "usr/share/ca-certificates/mozilla"
FIRST = (VENDOR / "Vendor_A.crt").read_bytes().rstrip(b"\n")
SECOND = (VENDOR / "Vendor_B.crt").read_bytes().rstrip(b"\n")
ADDED = (ROOT / "usr/local/share/ca-certificates/internal.crt").read_bytes()
SUBJECTS = ["Example Internal CA \u2713"]


def subjects(content, original):
    found = certificates_added_to(content, hashlib.sha256(original).hexdigest())
    return [certificate.subject for certificate in found]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
@pytest.mark.parametrize("between", [b"", b"\n", b"\n# Example\n"])
def test_an_authority_after_the_others(end, between):
    original = b"# Issuer: A\n" + FIRST + b"\n\n# Issuer: B\n" + SECOND + end
    assert subjects(original + between + ADDED, original) == SUBJECTS


def test_an_authority_before_the_others():
    original = FIRST + b"\n" + SECOND + b"\n"
    assert subjects(ADDED + b"\n" + original, original) == SUBJECTS


@pytest.mark.parametrize(
    "content",
    [
        FIRST + b"\n" + ADDED + SECOND + b"\n",
        FIRST + b"\n",
        ADDED,
        b"",
        FIRST + b"\n" + SECOND + b"\nnothing but text\n",
    ],
)
def test_any_other_change_names_none(content):
    assert subjects(content, FIRST + b"\n" + SECOND + b"\n") == []
