"""A root of Alpine packages travels by reference where the packages are kept in time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.apk_packages import build, install, make_repository
from tests.conftest import Cli
from tests.registry.debian import mirror
from tests.registry.machines import built, by_value

NUMBERS = b"".join(b"%d\n" % number for number in range(50_000))
SHOP = build("shop", {"usr/bin/shop": b"shop\n", "etc/shop.conf": b"a=1\n", "etc/kept": b"k\n"})
BIG = build("big", {"usr/share/numbers": NUMBERS})
OWN = build("own", {"usr/share/own": b"own\n"})
REST = ["/bin/sh", "/etc/apk/repositories", "/etc/shop.conf", "/lib/apk/db/installed"]


@pytest.mark.plants_secrets("a password in the address of a repository")
def test_packages_that_a_repository_still_has_are_kept_at_capture_and_serve_a_rebuild(
    tmp_path: Path, there: Callable[[str], Cli]
) -> None:
    folder = make_repository(tmp_path / "mirror/main", [SHOP, BIG])
    root = install(tmp_path / "root", [SHOP, BIG, OWN])
    (root / "etc/shop.conf").write_text("a=2\n")
    (root / "etc/shop.conf.apk-new").write_text("a=1\n")
    (root / "bin").mkdir()
    shutil.copy2("/bin/true", root / "bin/sh")
    (root / "etc/apk").mkdir()
    with mirror(folder.parent) as (url, _):
        named = f"{url.replace('://', '://user:hidden@')}/main\n/media/cdrom/apks\n{url}/none\n"
        (root / "etc/apk/repositories").write_text(named)
        one = there("one")
        one("capture", f"dir:{root}", "--name", "prod")
        assert "/usr/share/numbers" in by_value(one, "apk"), "a repository may drop it at any time"
        assert built(one, "prod")
        (one.folder / "locks/prod.lock").rename(one.folder / "before.lock")
        kept = one("capture", f"dir:{root}", "--name", "prod", "--full", "--fetch", "--vendor")
        assert "2 packages" in kept.err
        assert "hidden" not in kept.err + (one.folder / "locks/prod.lock").read_text()
        assert by_value(one, "apk") == sorted([*REST, "/usr/share/own"])
        assert "EQUAL" in one("diff", "before.lock", "prod").out
        one("bundle", "prod", "-o", "prod.bundle", "--thin")
        two = there("two")
        two("unbundle", one.folder / "prod.bundle")
        refused = two("materialize", "prod", "-o", "image", "--offline", status=5).err
        assert "apk shop 1.2-r0: in no source" in refused
        assert "2 packages fetched" in two("materialize", "prod", "-o", "image").err
    assert built(two, "prod") == built(one, "prod")
    assert "EQUAL" in two("verify", "prod", "oci:image").out
