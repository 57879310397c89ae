"""Packages of Alpine from the cache of apk, and from repositories on loopback."""

from __future__ import annotations

import gzip
from contextlib import closing

import pytest

from envlock.errors import SourceError
from envlock.materialize.artifacts.kinds.apk import ApkPackage
from envlock.materialize.artifacts.sources.apk import (
    LARGEST_INDEX,
    ApkRepository,
    caches,
    controls_in,
    repositories,
)
from envlock.materialize.artifacts.sources.base import SourceRequest
from envlock.materialize.artifacts.sources.download import Downloads
from envlock.materialize.artifacts.verify import digest_of
from envlock.model.lock import Lock
from tests.apk_packages import build, make_repository, segment
from tests.registry.debian import mirror

BUILT = build("shop", {"usr/bin/shop": b"shop\n"})
SHOP = ApkPackage("shop", "1.2-r0", "x86_64", "shop", BUILT.sha1)
MISSING = ApkPackage("missing", "1-r0", "noarch", "missing", "0" * 40)


@pytest.fixture
def downloads():
    with closing(Downloads(rate=1e6)) as found:
        yield found


def test_a_package_is_downloaded_from_a_repository(downloads, tmp_path):
    folder = make_repository(tmp_path / "main", [BUILT])
    with mirror(folder) as (url, seen):
        source = ApkRepository(name="x", address=f"{url}/x86_64", downloads=downloads)
        said = []
        found = source.fetch([SHOP, MISSING], tmp_path, said.append)
        assert list(found) == [SHOP]
        assert digest_of(found[SHOP], "apk-control") == SHOP.proofs[0]
        assert said == ["its index lists not all of these versions, or the server lacks them"]
        assert len(seen) == 2
        (folder / "x86_64" / SHOP.filename).write_bytes(build("shop", {"a": b"evil"}).content)
        with pytest.raises(SourceError, match=f"another file than the locked one of {SHOP}"):
            source.fetch([SHOP], tmp_path, said.append)
        (folder / "x86_64/APKINDEX.tar.gz").write_bytes(b"\x1f\x8b\x08" + bytes(99))
        with pytest.raises(SourceError, match=r"the index of .* cannot be read"):
            source.fetch([SHOP], tmp_path, said.append)
        none = ApkRepository(name="x", address=f"{url}/none", downloads=downloads)
        with pytest.raises(SourceError, match="has no repository of apk there"):
            none.fetch([SHOP], tmp_path, said.append)


def test_an_index_above_the_limit_is_not_read():
    with pytest.raises(ValueError, match="no list of packages"):
        controls_in([segment({"other": b""}, is_last=True)])
    header = bytearray(512)
    header[:8], header[156:157] = b"APKINDEX", b"0"
    header[124:136] = b"%011o\0" % (LARGEST_INDEX + 1)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(ValueError, match="too large"):
        controls_in([gzip.compress(bytes(header))])


def test_the_repositories_of_a_lock_that_are_on_the_web_are_asked(downloads):
    urls = ("https://example.org/v3/main", "/media/cdrom/apks", "http://b.example.org/x/")
    sections = {"repository": {f"apk {url}": {"url": url} for url in urls}}
    sections["repository"]["rpm x"] = {"url": "https://rpm.example.org"}
    request = SourceRequest(Lock(sections=sections), [MISSING, SHOP], None, ())
    assert [each.address for each in repositories(request, downloads)] == [
        "https://example.org/v3/main/x86_64",
        "http://b.example.org/x/x86_64",
    ]


def test_the_cache_of_apk_names_packages_with_their_digest(tmp_path):
    (tmp_path / f"shop-1.2-r0.{BUILT.sha1[:8]}.apk").write_bytes(BUILT.content)
    (source,) = caches([tmp_path, tmp_path / "none"])
    assert list(source.fetch([SHOP, MISSING], tmp_path, pytest.fail)) == [SHOP]
