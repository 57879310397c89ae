"""Metadata of rpm repositories: the index, where packages are in it, and lists of mirrors."""

from __future__ import annotations

import pytest

from envlock.formats.rpm import repodata
from envlock.formats.rpm.repodata import (
    Index,
    Listed,
    packages_in,
    parse_mirrors,
    parse_repomd,
)

METALINK = b"""<?xml version="1.0"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/">
 <files><file name="repomd.xml"><resources maxconnections="1">
  <url protocol="https" preference="90">https://b.example.org/9/x86_64/repodata/repomd.xml</url>
  <url protocol="rsync" preference="100">rsync://c.example.org/9/x86_64/repodata/repomd.xml</url>
  <url protocol="https" preference="100">https://a.example.org/9/x86_64/repodata/repomd.xml</url>
  <url protocol="https">https://d.example.org/9/x86_64/repodata/repomd.xml</url>
 </resources></file></files>
</metalink>
"""
PRIMARY = b"""<metadata xmlns:rpm="x" packages="2">
<package type="rpm"><name>shop</name><arch>noarch</arch><version epoch="2" ver="1.2" rel="3"/>
<location xml:base="https://base.example.org/pool" href="s/shop.rpm"/>
<format><rpm:provides><rpm:entry name="other" ver="9"/></rpm:provides></format></package>
<package type="rpm"><name>a</name><arch>x86_64</arch><version epoch="0" ver="1" rel="1"/>
<location href="a.rpm"/></package>
<package type="rpm"><name>nowhere</name><arch>x86_64</arch><version ver="1" rel="1"/></package>
</metadata>"""


def found(*pieces, wanted=lambda *_: True):
    return list(packages_in(pieces, wanted))


def test_the_index_of_packages_is_found():
    raw = b"""<repomd><data type="other"><location href="other.xml"/></data><data type="primary">
    <checksum type="sha256">00ff</checksum><open-checksum type="sha256">11</open-checksum>
    <location href="repodata/primary.xml.gz"/></data></repomd>"""
    assert parse_repomd(raw) == Index("repodata/primary.xml.gz", "00ff")
    assert parse_repomd(raw.replace(b"sha256", b"sha")) == Index("repodata/primary.xml.gz", "")
    with pytest.raises(ValueError, match="names no index"):
        parse_repomd(b"<repomd/>")


def test_packages_are_found_in_an_index_however_it_is_cut():
    whole = [
        Listed("shop", "2:1.2-3", "noarch", "s/shop.rpm", "https://base.example.org/pool"),
        Listed("a", "1-1", "x86_64", "a.rpm", ""),
    ]
    assert found(PRIMARY) == whole
    assert found(*(PRIMARY[at : at + 1] for at in range(len(PRIMARY)))) == whole
    assert found(PRIMARY, wanted=lambda *key: key == ("a", "1-1", "x86_64")) == whole[1:]


def test_mirrors_are_in_the_order_of_their_preference():
    assert parse_mirrors(METALINK) == [
        f"https://{host}.example.org/9/x86_64" for host in ("a", "b", "d")
    ]
    text = b"# mirrors\nhttps://b.example.org/9/\nfile:///etc\nhttps://a.example.org/9\n\n"
    assert parse_mirrors(text) == ["https://b.example.org/9", "https://a.example.org/9"]
    assert parse_mirrors(b"") == []


@pytest.mark.parametrize(
    "raw",
    [
        b"<metadata><package>",
        b"no document",
        b'<!DOCTYPE a [<!ENTITY x "xx">]><metadata><name>&x;</name></metadata>',
        b"<a>&unknown;</a>",
        b"",
        b"\xff\xfe\0",
    ],
)
def test_damage_is_a_value_error(raw):
    with pytest.raises(ValueError, match="damaged"):
        found(raw)
    with pytest.raises(ValueError, match=r"damaged|names no index"):
        parse_repomd(raw)


def test_a_tag_at_the_limit_and_above():
    for size, is_good in ((repodata.LARGEST_TAG - 10, True), (repodata.LARGEST_TAG + 10, False)):
        comment = b"<!--" + b"x" * size
        pieces = [b"<metadata>", *(comment[at : at + 65536] for at in range(0, size + 4, 65536))]
        if is_good:
            assert found(*pieces, b"--></metadata>") == []
        else:
            with pytest.raises(ValueError, match="does not end"):
                found(*pieces, b"x" * 65536, b"--></metadata>")


def test_a_long_text_is_cut():
    raw = b"<m><package><name>" + b"x" * 100_000 + b'</name><location href="a"/></package></m>'
    (package,) = found(*(raw[at : at + 1000] for at in range(0, len(raw), 1000)))
    assert len(package.name) < 10_000
