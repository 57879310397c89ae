"""Parsers of system files: agreement with other tools, and robustness against arbitrary input."""

import base64
import hashlib
import ssl
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pip._vendor import certifi

from envlock.formats.system.certificates import parse_certificates
from envlock.formats.system.cron import Table, parse_crontab, parse_variables, program_of
from envlock.formats.system.locale_archive import parse_locale_archive
from envlock.formats.system.mounts import parse_fstab, parse_mountinfo
from envlock.formats.system.settings import parse_lines, parse_pairs
from envlock.formats.system.software_versions import (
    newest_symbols,
    parse_cuda_version,
    parse_pkg_config,
    parse_release,
    parse_version_line,
    version_in_name,
)
from envlock.formats.system.units import parse_unit, unit_lines
from envlock.secrets.redact import digest_lines, redact_text

LONG = "x" * 200_000


def test_openssl_finds_the_same_certificates():
    bundle = Path(certifi.where())
    context = ssl.create_default_context(cafile=str(bundle))
    ders = context.get_ca_certs(binary_form=True)
    found = parse_certificates(bundle.read_bytes())
    assert {c.sha256 for c in found} >= {hashlib.sha256(der).hexdigest() for der in ders}
    subjects = {}
    for der, parsed in zip(ders, context.get_ca_certs(), strict=True):
        names = {key: value for part in parsed["subject"] for key, value in part}
        best = names.get("commonName") or names.get("organizationalUnitName")
        subjects[hashlib.sha256(der).hexdigest()] = best or names["organizationName"]
    assert len(subjects) > 50
    by_digest = {c.sha256: c.subject for c in found}
    assert {key: by_digest[key] for key in subjects} == subjects


@given(st.binary(max_size=400))
@example(b"\x30\x84\xff\xff\xff\xff")
@example(b"\x30\x80\x30\x80")
def test_arbitrary_bytes_as_a_certificate_do_not_crash(raw):
    parse_certificates(raw)
    armour = b"-----BEGIN CERTIFICATE-----\n%b\n-----END CERTIFICATE-----\n"
    (found,) = parse_certificates(armour % base64.b64encode(b"\x30" + raw))
    assert found.sha256 == hashlib.sha256(b"\x30" + raw).hexdigest()


@given(st.binary(max_size=300))
def test_arbitrary_bytes_as_a_locale_archive_do_not_crash(raw):
    parse_locale_archive(raw)
    parse_locale_archive(b"\x09\x01\x02\xde" + raw)


@given(st.text(alphabet="[]=#;\\\n \tab:*/@%1{}|&,-$", max_size=120))
@example(LONG)
@example("* " * 50_000)
@example("password" * 20_000)
@example("a-" * 50_000 + "://")
def test_arbitrary_text_does_not_crash(text):
    for form in Table:
        [*parse_crontab(text, form)]
    parse_variables(text)
    program_of(text)
    parse_fstab(text)
    parse_mountinfo(text)
    parse_unit(text)
    unit_lines(text)
    lines = parse_lines(text)
    assert all(lines)
    parse_pairs(lines)
    digest_lines("/etc/app.conf", lines)
    redact_text(text)
    version_in_name(text)
    for parse in (parse_cuda_version, parse_pkg_config, parse_release, parse_version_line):
        assert isinstance(parse(text), str)


def test_digests_ignore_layout_and_secrets():
    left = parse_lines("a = 1 # why\n\n  b   2\n")
    assert digest_lines("/etc/app.conf", left) == digest_lines(
        "/etc/app.conf", parse_lines("a = 1\nb 2")
    )
    assert digest_lines("/etc/app.conf", ["token=one"]) == digest_lines(
        "/etc/app.conf", ["token=two"]
    )
    assert digest_lines("/etc/app.conf", ["a 1"]) != digest_lines("/etc/app.conf", ["a 2"])


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("libssl.so.3", ""),
        ("libfoo.so.1.2.3", "1.2.3"),
        ("apache-maven-3.9.6", "3.9.6"),
        ("kubectl-v1.29.0-rc.1", "1.29.0-rc.1"),
        ("node_exporter-1.7.0.linux-amd64", "1.7.0"),
        ("guava-31.1-jre.jar", "31.1"),
        ("python3.11", ""),
        ("x86_64", ""),
        ("tool", ""),
    ],
)
def test_versions_in_names(name, version):
    assert version_in_name(name) == version


def test_versions_in_version_files():
    assert parse_version_line("v1.2.3\n") == "1.2.3"
    assert parse_version_line("CUDA Version 11.0.228\n") == "11.0.228"
    assert parse_version_line("1.2\n3.4\n5.6\n7.8\n") == ""
    assert parse_cuda_version('{"cuda": {"version": "13.0.0"}}') == "13.0.0"
    assert parse_cuda_version("[" * 100_000) == ""
    assert parse_release('JAVA_VERSION="21"\n') == "21"
    assert newest_symbols(["GLIBC_2.9", "GLIBC_2.10", "GLIBCXX_3.4.30", "x"]) == {
        "GLIBC": "2.10",
        "GLIBCXX": "3.4.30",
    }
