"""Which packages of rpm a lock refers to unseen: those that a repository is known to have."""

from __future__ import annotations

import struct
from contextlib import closing

import pytest

from envlock.capture.context import Context
from envlock.capture.discover.rpm_packages import Installed, Published, Publishers
from envlock.formats.rpm.header import Header, parse_package
from envlock.formats.rpm.package_file import read_package_header
from envlock.materialize.artifacts.verify import digest_of
from envlock.targets.local.filesystem import LocalTarget

REPO = "[base]\nbaseurl=https://example.org/\n[off]\nbaseurl=https://example.org/off\nenabled=0\n"
SOURCE = Published(source="rpm shop.x86_64")
NEVRA = "shop-2:1.2.3-4.x86_64"
KEY = ("0123456789abcdef",)


@pytest.fixture
def shop(rpms):
    path = next(path for path in rpms if path.name.startswith("shop"))
    with path.open("rb") as stream:
        header = read_package_header(stream)
    sha256 = digest_of(path, "rpm-header").partition(":")[2]
    return Installed(parse_package(header)._replace(sha256=sha256), header, "rpmdb")


@pytest.fixture
def published(tmp_path):
    """Return a function (package, origins, file of repositories) -> how it is referred to."""

    def published(installed, origins=(), repositories=REPO):
        folder = tmp_path / "root/etc/yum.repos.d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "base.repo").write_text(repositories)
        with closing(LocalTarget(tmp_path / "root", "dir:root", is_host=False)) as target:
            return Publishers(Context(target, {}), dict(origins)).of("shop.x86_64", installed)

    return published


def signed(installed):
    return installed._replace(package=installed.package._replace(signers=KEY))


def test_a_package_of_an_enabled_repository_is_referred_to(shop, published):
    assert published(shop, {NEVRA: "base"}) == SOURCE
    assert published(signed(shop), {NEVRA: "base"}) == SOURCE


def test_one_that_somebody_signed_is_if_it_did_not_come_from_a_file(shop, published):
    assert published(signed(shop)) == SOURCE, "an image has no notes"
    assert published(signed(shop), {NEVRA: "anaconda"}) == SOURCE, "the name of an installation"
    assert published(signed(shop), {NEVRA: "off"}) == SOURCE


def test_any_other_must_be_at_hand(shop, published):
    package = shop.package
    words = f"rpm shop 2:1.2.3-4 x86_64 {package.sha256}"
    at_hand = Published(artifact=words)
    assert published(shop) == at_hand, "nobody signed it"
    assert published(shop, {NEVRA: "off"}) == at_hand
    assert published(signed(shop), {NEVRA: "@commandline"}) == at_hand
    assert published(signed(shop), {"other-1-1.noarch": "base"}) == at_hand
    assert published(signed(shop), repositories="") == at_hand
    assert published(signed(shop), repositories="[off]\nbaseurl=x\nenabled=0\n") == at_hand


@pytest.mark.parametrize(
    "change",
    [{"sha256": ""}, {"sha256": "0" * 40}, {"name": "a b"}, {"arch": ""}, {"evr": "1/2-3"}],
    ids=lambda change: next(iter(change)),
)
def test_a_package_that_cannot_be_recognised_travels_by_value(shop, published, change):
    odd = shop._replace(package=shop.package._replace(**change))
    assert published(signed(odd), {NEVRA: "base"}) == Published()


def header_of(*, digest=b"0" * 64, algorithm=8, form=b"cpio", sizes=()):
    """Return a header with what it says of the payload; `sizes` are those of 64 bits."""
    texts = [(5092, 8, digest), (1124, 6, form)]
    numbers = [(5093, 4, struct.pack(">I", algorithm), 1)]
    numbers += [(5008, 5, struct.pack(f">{len(sizes)}Q", *sizes), len(sizes))] if sizes else []
    entries, data = b"", b""
    for tag, kind, content, count in [*numbers, *((*each, 1) for each in texts)]:
        entries += struct.pack(">4I", tag, kind, len(data), count)
        data += content + (b"\0" if kind in (6, 8) else b"")
    return Header(struct.pack(">2I", len(entries) // 16, len(data)) + entries + data)


def test_a_payload_that_cannot_be_verified_or_read_travels_by_value(shop, published):
    def of(header):
        return published(shop._replace(header=header), {NEVRA: "base"})

    assert of(header_of()) == SOURCE
    assert of(header_of(form=b"")) == SOURCE, "cpio is the default"
    for header in (
        header_of(digest=b""),
        header_of(digest=b"0" * 40),
        header_of(algorithm=10),
        header_of(form=b"drpm"),
        header_of(sizes=(1, 2)),
        Header(bytes(8)),
    ):
        assert of(header) == Published()


def test_a_damaged_header_travels_by_value(shop, published):
    damaged = Header(struct.pack(">6I", 1, 0, 5092, 8, 0, 1))
    assert published(shop._replace(header=damaged), {NEVRA: "base"}) == Published()
