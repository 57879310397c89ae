"""Packages of rpm from caches of dnf, and from repositories on loopback."""

from __future__ import annotations

import gzip
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from envlock.errors import SourceError
from envlock.materialize.artifacts.fetch import Offer, fetch
from envlock.materialize.artifacts.kinds.rpm import Rpm
from envlock.materialize.artifacts.sources.base import SourceRequest, UnreachableSourceError
from envlock.materialize.artifacts.sources.download import Downloads
from envlock.materialize.artifacts.sources.mirrors import MOST_MIRRORS
from envlock.materialize.artifacts.sources.rpm import (
    RpmRepository,
    caches,
    filled,
    repositories,
)
from envlock.materialize.artifacts.verify import digest_of
from envlock.model.lock import Lock
from tests.registry.conftest import free_port
from tests.registry.debian import mirror
from tests.registry.faults import Reply
from tests.rpm_repository import make_repository
from tests.unit.materialize.packages import COMPRESSIONS

MISSING = Rpm("missing", "1-1", "noarch", "missing", "0" * 64)


@pytest.fixture
def downloads():
    with closing(Downloads(rate=1e6, sleep=lambda _seconds: None)) as found:
        yield found


@pytest.fixture
def shop(rpms):
    path = next(path for path in rpms if path.name.startswith("shop"))
    header = digest_of(path, "rpm-header").partition(":")[2]
    return Rpm("shop", "2:1.2.3-4", "x86_64", "shop", header)


@pytest.fixture
def source(downloads):
    def source(*addresses):
        return RpmRepository(name="x", addresses=addresses, downloads=downloads)

    return source


def asked(source, wanted, tmp_path):
    """Return what a source has of packages, and what it says."""
    into, said = tmp_path / "into", []
    into.mkdir(exist_ok=True)
    return source.fetch(wanted, into, said.append), said


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_a_package_is_downloaded_from_a_repository(rpms, shop, source, tmp_path, suffix):
    with mirror(make_repository(tmp_path / "r", rpms, suffix)) as (url, _):
        found, said = asked(source(f"{url}/"), [shop, MISSING], tmp_path)
    assert list(found) == [shop]
    assert digest_of(found[shop], "rpm-header") == shop.proofs[0]
    assert said == ["its index lists not all of these versions, or the server lacks them"]


def test_another_build_of_the_same_version_is_not_used(rpms, shop, source, tmp_path):
    other = shop._replace(header="f" * 64)
    with mirror(make_repository(tmp_path / "r", rpms)) as (url, _):
        got = fetch([other], [Offer(source(url))], tmp_path / "cache", offline=False)
    assert got.missing == (other,)
    (said,) = got.places[0].said
    assert said.endswith(f"has another file than the locked one of {other}")


@pytest.mark.parametrize("kind", ["list", "metalink"])
def test_mirrors_are_asked_in_turn(rpms, shop, source, tmp_path, kind):
    folder = make_repository(tmp_path / "r/good", rpms)
    (folder.parent / "damaged/repodata").mkdir(parents=True)
    (folder.parent / "damaged/repodata/repomd.xml").write_text("nothing of XML")
    with mirror(folder.parent) as (url, seen):
        bases = [f"{url}/{name}" for name in ("empty", "damaged", "good")]
        text = "\n".join(bases)
        if kind == "metalink":
            urls = (f"<url preference='9'>{base}/repodata/repomd.xml</url>" for base in bases)
            text = f"<metalink>{''.join(urls)}</metalink>"
        (folder.parent / "mirrorlist").write_text(text)
        found, said = asked(source(f"{url}/mirrorlist"), [shop], tmp_path)
        assert list(found) == [shop]
        assert said[0].endswith("has no repository of rpm there")
        assert "cannot be read" in said[1]
        more = [f"{url}/empty/{number}" for number in range(MOST_MIRRORS + 3)]
        (folder.parent / "mirrorlist").write_text("\n".join(more))
        seen.clear()
        with pytest.raises(SourceError, match="has no repository"):
            asked(source(f"{url}/mirrorlist"), [shop], tmp_path)
        assert sum("repomd.xml" in question.path for question in seen) == MOST_MIRRORS


def test_damaged_metadata_is_a_source_error(rpms, shop, source, tmp_path):
    folder = make_repository(tmp_path / "r", rpms)
    (index,) = (folder / "repodata").glob("*primary*")
    raw = index.read_bytes()
    with mirror(folder) as (url, _):
        index.write_bytes(raw[:-9])
        with pytest.raises(SourceError, match="another file than it names"):
            asked(source(url), [shop], tmp_path)
        index.unlink()
        with pytest.raises(SourceError, match="not there"):
            asked(source(url), [shop], tmp_path)
        repomd = folder / "repodata/repomd.xml"
        repomd.write_text(repomd.read_text().replace('type="sha256"', 'type="sha"'))
        for content in (raw[:-30], b"\x1f\x8bnothing", b""):
            index.write_bytes(content)
            with pytest.raises(SourceError, match="cannot be read"):
                asked(source(url), [shop], tmp_path)


@pytest.mark.parametrize("href", ["http://[x/s.rpm", "https://127.0.0.1:99999/s.rpm"])
def test_a_wrong_address_in_an_index_is_told_and_the_next_repository_asked(
    rpms, shop, source, tmp_path, href
):
    good = make_repository(tmp_path / "r/good", rpms)
    bad = make_repository(tmp_path / "r/bad", rpms)
    plain = b"".join(
        gzip.decompress(path.read_bytes()) for path in (bad / "repodata").glob("*primary*")
    ).replace(f"Packages/{shop.filename}".encode(), href.encode())
    (index,) = (bad / "repodata").glob("*primary*")
    index.write_bytes(gzip.compress(plain))
    repomd = bad / "repodata/repomd.xml"
    repomd.write_text(repomd.read_text().replace('type="sha256"', 'type="sha"'))
    with mirror(good.parent) as (url, _):
        found, said = asked(source(f"{url}/bad", f"{url}/good"), [shop], tmp_path)
    assert list(found) == [shop]
    assert "address" in said[0]


def test_a_mirror_with_another_file_is_told_and_the_next_asked(rpms, shop, source, tmp_path):
    for name in ("stale", "good"):
        make_repository(tmp_path / "r" / name, rpms)
    (tmp_path / f"r/stale/Packages/{shop.filename}").write_bytes(b"another")
    other = shop._replace(header="0" * 64)
    with mirror(tmp_path / "r") as (url, _):
        found, said = asked(source(f"{url}/stale", f"{url}/good"), [other, shop], tmp_path)
    assert list(found) == [shop]
    assert "another file than the locked one" in said[0]


def test_an_unknown_encoding_is_damage(rpms, shop, source, tmp_path):
    folder = make_repository(tmp_path / "r", rpms)
    (folder / "repodata/repomd.xml").write_text("<?xml version='1.0' encoding='nosuch'?><a/>")
    with mirror(folder) as (url, _), pytest.raises(SourceError, match="cannot be read"):
        asked(source(url), [shop], tmp_path)


def test_a_list_of_mirrors_that_is_missing_or_empty_is_told(rpms, shop, source, tmp_path):
    folder = make_repository(tmp_path / "r", rpms)
    (folder / "mirrorlist").write_text("# none\n")
    with mirror(folder) as (url, _):
        with pytest.raises(SourceError, match="names no mirror"):
            asked(source(f"{url}/mirrorlist"), [shop], tmp_path)
        with pytest.raises(SourceError, match="no list of mirrors"):
            asked(source(f"{url}/x/mirrorlist"), [shop], tmp_path)


def test_what_an_index_lists_and_the_server_lacks_is_left_out(rpms, shop, source, tmp_path):
    folder = make_repository(tmp_path / "r", rpms)
    (folder / f"Packages/{shop.filename}").unlink()
    with mirror(folder) as (url, _):
        assert asked(source(url), [shop], tmp_path) == (
            {},
            ["its index lists none of these versions, or the server lacks them"],
        )


def test_a_host_that_does_not_answer_is_unreachable(shop, source, tmp_path):
    with pytest.raises(UnreachableSourceError):
        asked(source(f"http://127.0.0.1:{free_port()}"), [shop], tmp_path)


def test_a_refusal_is_told(shop, source, tmp_path):
    def refuse(_question, _ask):
        return Reply(403, {}, b"")

    with mirror(tmp_path, refuse) as (url, _), pytest.raises(SourceError, match="answered 403"):
        asked(source(url), [shop], tmp_path)


def test_an_unknown_variable_is_told(source, shop, tmp_path):
    with pytest.raises(SourceError, match="variable of dnf"):
        asked(source(), [shop], tmp_path)


def test_repositories_of_a_lock_are_those_that_are_enabled(downloads, shop):
    def repository(url, enabled="true"):
        return {"url": url, "enabled": enabled}

    base = "https://example.org/$releasever/${basearch}/os"
    lock = Lock(
        sections={
            "os": {"": {"version": "9.4"}},
            "repository": {
                "rpm base": repository(base),
                "rpm off": repository(base, "false"),
                "rpm odd": repository("https://example.org/$infra/"),
                "apk https://example.org/x": repository("https://example.org/x"),
            },
        }
    )
    found = list(
        repositories(SourceRequest(lock, [shop], None, ["https://m.example.org"]), downloads)
    )
    assert [(each.name, each.addresses) for each in found] == [
        (
            "repository base",
            ("https://example.org/9.4/x86_64/os", "https://example.org/9/x86_64/os"),
        ),
        ("repository odd", ()),
        ("https://m.example.org", ("https://m.example.org",)),
    ]


def test_addresses_without_a_variable_stay():
    assert filled("https://example.org/x", {}) == ["https://example.org/x"]
    assert filled("https://example.org/$a", {}) == []


def test_packages_are_found_in_the_caches_of_dnf(rpms, shop, tmp_path):
    folders = ("dnf/base-0123/packages", "libdnf5/u-1/packages", "zypp/packages/repo-oss/x86_64")
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    path = next(path for path in rpms if path.name == shop.filename)
    for folder in folders:
        there = Path(shutil.copy(path, tmp_path / folder))
        found = {}
        for source in caches(tmp_path):
            found |= asked(source, [shop, MISSING], tmp_path)[0]
        assert found == {shop: there}
        there.unlink()
    assert caches(tmp_path / "nothing") == []
