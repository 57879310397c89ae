"""``envlock lock``: what it says without installing anything, and what a failure leaves."""

import json
import os
import shutil
from pathlib import Path

import pytest

from envlock.config.load import load
from envlock.declare.inputs import declaration_digest, declared_record, read_inputs
from envlock.model.lock import Lock
from envlock.model.record import Record
from tests.cli.locks import write
from tests.conftest import Cli, unavailable

SHOP = """\
[declare.shop]
from = "debian:bookworm"
files = { "/etc/shop.conf" = "shop.conf" }
mirrors = ["http://127.0.0.1:9/debian"]
"""
DEB = Record("deb", "curl:amd64", {"version": "1"})


@pytest.fixture
def project(envlock: Cli) -> Path:
    here = envlock.folder
    (here / "locks").mkdir()
    (here / "envlock.toml").write_text(SHOP)
    (here / "shop.conf").write_text("port = 80\n")
    return here


def declared(project: Path) -> Lock:
    declaration = load(project, {"HOME": "/h"}, {}).declare["shop"]
    digest = declaration_digest(declaration, read_inputs(declaration, project))
    return Lock.of([DEB, declared_record(declaration, digest)])


def test_frozen_compares_the_declaration_with_that_of_the_lock(project: Path, envlock: Cli) -> None:
    write(project, shop=declared(project))
    before = (project / "locks/shop.lock").read_bytes()
    fresh = envlock("lock", "shop", "--frozen", "--json")
    assert json.loads(fresh.out)["fresh"] is True
    (project / "shop.conf").write_text("port = 81\n")
    stale = envlock("lock", "shop", "--frozen", "--json", status=1)
    assert json.loads(stale.out)["fresh"] is False
    assert "was not made from what [declare.shop] says now; run `envlock lock shop`" in stale.err
    assert (project / "locks/shop.lock").read_bytes() == before


def test_frozen_cannot_tell_without_a_lock_or_of_a_captured_one(
    project: Path, envlock: Cli
) -> None:
    assert "there is no lock of shop" in envlock("lock", "shop", "--frozen", status=2).err
    write(project, shop=Lock.of([DEB]))
    assert "was captured" in envlock("lock", "shop", "--frozen", status=3).err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shp"], 'nothing is declared as shp\nhint: did you mean "shop"?'),
        (["shop", "--upgrade", "curl"], "there is no lock in which one package could move"),
        (["shop", "--frozen", "--dry-run"], "--frozen and --dry-run exclude each other"),
    ],
)
def test_what_cannot_be_asked_for(
    project: Path, envlock: Cli, words: list[str], message: str
) -> None:
    assert message in envlock("lock", *words, status=2).err
    assert not list((project / "locks").iterdir())


def test_a_package_that_the_lock_does_not_have_cannot_move(project: Path, envlock: Cli) -> None:
    write(project, shop=declared(project))
    ran = envlock("lock", "shop", "--upgrade", "openssl", status=2)
    assert "the lock has no package openssl" in ran.err


def test_the_declaration_is_part_of_no_digest_and_of_no_difference(
    project: Path, envlock: Cli
) -> None:
    write(project, shop=declared(project), same=Lock.of([DEB]))
    digests = {envlock("digest", name).out.split("\nfile")[0] for name in ("shop", "same")}
    assert len(digests) == 1
    assert envlock("diff", "shop", "same").out.startswith("EQUAL")
    envlock("check", "shop")


def test_a_mirror_that_does_not_answer_leaves_the_lock_and_no_sandbox(
    project: Path, envlock: Cli
) -> None:
    if os.geteuid() or not shutil.which("mmdebstrap"):
        unavailable("registry", "a sandbox needs root and mmdebstrap")
    temporary = project / "temporary"
    temporary.mkdir()
    write(project, shop=declared(project))
    before = (project / "locks/shop.lock").read_bytes()
    ran = envlock("lock", "shop", status=4, TMPDIR=str(temporary))
    assert "cannot fetch what is declared" in ran.err
    assert "hint: see `mirrors` in envlock.toml" in ran.err
    assert (project / "locks/shop.lock").read_bytes() == before
    assert not list(temporary.iterdir())
