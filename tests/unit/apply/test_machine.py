"""What is wrong with a machine whatever a lock says."""

import gzip
from contextlib import closing

import pytest

from envlock.apply.machine import (
    Offers,
    list_differences,
    machine_differences,
    obtainable,
)
from envlock.targets.kinds import open_target

LISTED = """\
Package: curl
Architecture: amd64
Version: 7.88.1-10+deb12u14
SHA256: 00

Package: nginx
Architecture: all
Version: 1.22.1-9
"""
CURL = ("curl", "7.88.1-10+deb12u14", "amd64")
OLDER = ("curl", "7.88.1-10", "amd64")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "var/lib/dpkg/updates").mkdir(parents=True)
    (tmp_path / "var/lib/apt/lists").mkdir(parents=True)
    (tmp_path / "run").mkdir()
    return tmp_path


def found(root):
    with closing(open_target(f"dir:{root}")) as target:
        return {one.key: one for one in machine_differences(target)}


def offered(root, wanted):
    with closing(open_target(f"dir:{root}")) as target:
        return obtainable(target, wanted)


def test_a_quiet_machine(root):
    (root / "var/lib/dpkg/updates/tmp.i").touch()  # left by dpkg in ordinary use
    assert found(root) == {}


def test_an_interrupted_dpkg_and_a_pending_restart(root):
    (root / "var/lib/dpkg/updates/0003").touch()
    (root / "run/reboot-required").touch()
    both = found(root)
    assert both["dpkg"].fix == (("dpkg", "--configure", "-a"),)
    assert both["restart"].next == "restart the machine"


@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress)])
def test_what_the_package_lists_offer(root, suffix, pack):
    name = f"example.org_debian_dists_bookworm_main_binary-amd64_Packages{suffix}"
    (root / "var/lib/apt/lists" / name).write_bytes(pack(LISTED.encode()))
    offers = offered(root, [CURL, OLDER])
    assert offers == Offers(frozenset({CURL}), has_lists=True)
    assert (offers.lacks(CURL), offers.lacks(OLDER)) == (False, True)


@pytest.mark.parametrize("name", ["example.org_Packages.gz", "example.org_Packages.lz4"])
def test_of_a_list_that_cannot_be_read_nothing_is_said(root, name):
    assert offered(root, [CURL]) == Offers()
    (root / "var/lib/apt/lists" / name).write_bytes(b"damaged")
    offers = offered(root, [CURL])
    assert (offers.has_lists, offers.lacks(CURL)) == (True, False)
    assert list(list_differences(offers, [CURL])) == []


@pytest.mark.parametrize(
    ("offer", "wanted", "expected"),
    [
        (Offers(), [], []),
        (Offers(), [CURL], ["this machine has no package lists, so apt knows no package"]),
        (Offers(frozenset({CURL}), has_lists=True), [CURL], []),
        (
            Offers(frozenset({CURL}), has_lists=True),
            [CURL, OLDER],
            ["its package lists do not have 1 of the 2 packages that it lacks"],
        ),
    ],
)
def test_lists_that_must_be_read_again(offer, wanted, expected):
    told = list(list_differences(offer, wanted))
    assert [one.why for one in told] == expected
    assert all(one.fix == (("apt-get", "update"),) for one in told)
