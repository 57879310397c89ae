"""Node applications: resolution of packages, stores, compiled modules, and what starts them."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from envlock.model.process import ProcessConfig
from envlock.targets.kinds import open_target
from tests.unit.scope.conftest import Machine

APP = "/srv/shop"


def package(machine: Machine, folder: str, owner: str = "", **fields: object) -> None:
    machine.file(f"{folder}/package.json", json.dumps(fields), owner=owner)


@pytest.fixture
def shop(machine: Machine) -> Machine:
    """An application that needs a, which needs its own b; and c for development."""
    machine.program("/usr/bin/node", owner="deb nodejs:amd64")
    machine.record("npm", "shop", path=APP)
    needed = {"a": "1", "@x/native": "1", "gone": "1"}
    package(machine, APP, dependencies=needed, devDependencies={"c": "1"})
    for location in ("a", "b", "a/node_modules/b", "c", "@x/native"):
        machine.record("npm", f"shop/{location}", version="1")
    package(machine, f"{APP}/node_modules/a", "npm shop/a", peerDependencies={"b": "2"})
    package(machine, f"{APP}/node_modules/b", "npm shop/b")
    package(machine, f"{APP}/node_modules/a/node_modules/b", "npm shop/a/node_modules/b")
    package(machine, f"{APP}/node_modules/c", "npm shop/c")
    package(machine, f"{APP}/node_modules/@x/native", "npm shop/@x/native", cpu=["x64"])
    return machine


NEEDED = {
    "npm:shop",
    "npm:shop/a",
    "npm:shop/a/node_modules/b",
    "npm:shop/@x/native",
    "deb:nodejs:amd64",
}


@pytest.mark.parametrize("root", [f"node:{APP}", f"node:{APP}/src"])
def test_packages_are_those_that_require_finds_first(shop: Machine, root: str) -> None:
    shop.file(f"{APP}/src/server.js")
    assert set(shop.closure(root)) == NEEDED


def test_a_process_that_runs_a_script_needs_its_application(shop: Machine) -> None:
    shop.file(f"{APP}/server.js")
    shop.view.config = ProcessConfig(entrypoint=("node",), cmd=("server.js",), workdir=APP)
    members = shop.closure("process")
    assert set(members) == NEEDED
    assert members["npm:shop"].via == "app → server.js"
    assert members["npm:shop/a"].via == "npm:shop"


def test_a_program_of_a_global_package_needs_that_package(shop: Machine) -> None:
    folder = "/usr/local/lib/node_modules/pm2"
    package(shop, folder, "npm local/pm2")
    shop.record("npm", "local/pm2", version="5")
    shop.program(f"{folder}/bin/pm2", "#!/usr/bin/env node\n", owner="npm local/pm2")
    shop.link("/usr/local/bin/pm2", "../lib/node_modules/pm2/bin/pm2")
    assert set(shop.closure("exe:pm2")) == {"npm:local/pm2", "deb:nodejs:amd64"}


def test_a_store_is_followed_through_its_links(machine: Machine) -> None:
    store = f"{APP}/node_modules/.pnpm"
    machine.record("npm", "shop", path=APP)
    package(machine, APP, dependencies={"a": "1"})
    package(machine, f"{store}/a@1/node_modules/a", "npm shop/a", dependencies={"b": "1"})
    package(machine, f"{store}/b@1/node_modules/b", "npm shop/b")
    machine.link(f"{APP}/node_modules/a", ".pnpm/a@1/node_modules/a")
    machine.link(f"{store}/a@1/node_modules/b", "../../b@1/node_modules/b")
    assert set(machine.closure(f"node:{APP}")) == {"npm:shop", "npm:shop/a", "npm:shop/b"}


def test_plug_and_play_and_trees_without_a_description_are_needed_as_a_whole(
    machine: Machine,
) -> None:
    machine.record("npm", "shop", path=APP)
    machine.record("npm", "shop/a", version="1")
    package(machine, APP)
    machine.file(f"{APP}/.pnp.cjs")
    assert set(machine.closure(f"node:{APP}")) == {"npm:shop", "npm:shop/a"}


def test_compiled_modules_are_those_for_this_system(shop: Machine) -> None:
    shop.record("os", "", arch="amd64")
    native = f"{APP}/node_modules/@x/native/prebuilds"
    for name in ("linux-x64/a.node", "linux-arm64/a.node", "darwin-x64/a.node",
                 "linuxmusl-x64/a.node", "linux-x64/a.txt"):  # fmt: skip
        shop.file(f"{native}/{name}", owner=f"deb {name.replace('/', '-')}:all")
    members = {name for name in shop.closure(f"node:{APP}") if name.endswith(":all")}
    assert members == {"deb:linux-x64-a.node:all"}


ELF = Path("/proc/self/exe").read_bytes()[:4096]


def compiled(shop: Machine, folder: str, content: bytes) -> str:
    """Return the digest that the closure states of the package whose compiled file has this."""
    path = f"{APP}/node_modules/@x/native/{folder}/a.node"
    shop.file(path, content, owner="npm shop/@x/native")
    return shop.closure(f"node:{APP}")["npm:shop/@x/native"].sha256


def test_a_package_states_the_digest_of_its_compiled_files(shop: Machine) -> None:
    found = compiled(shop, "build/Release", ELF)
    assert len(found) == 64
    assert shop.closure(f"node:{APP}")["npm:shop/a"].sha256 == ""


def test_another_build_has_another_digest(shop: Machine, tmp_path: Path) -> None:
    first = compiled(shop, "build/Release", ELF)
    (tmp_path / f"{APP[1:]}/node_modules/@x/native/build/Release/a.node").unlink()
    with closing(open_target(f"dir:{tmp_path}")) as target:
        again = Machine(tmp_path, target)
        again.owners, again.records = shop.owners, shop.records
        assert compiled(again, "build/Release", ELF + b"another") != first
