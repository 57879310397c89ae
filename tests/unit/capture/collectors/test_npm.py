"""The npm collector on trees that npm installed, compared with ``npm ls``."""

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.targets.local.filesystem import LocalTarget
from tests.conftest import unavailable


def pack(folder: Path, name: str, version: str, **more) -> Path:
    """Build a package that npm can install without a registry; return its archive."""
    source = folder / "package.json"
    source.write_text(json.dumps({"name": name, "version": version, **more}))
    archive = folder / f"{name.replace('/', '-').replace('@', '')}-{version}.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(source, "package/package.json")
    return archive


@pytest.fixture
def npm(tmp_path):
    if shutil.which("npm") is None:
        unavailable("npm", "it is not installed")

    def run(*arguments, folder=tmp_path):
        done = subprocess.run(
            ["npm", *map(str, arguments), "--offline", "--no-audit", "--no-fund"],
            cwd=folder,
            env={**os.environ, "HOME": str(tmp_path), "npm_config_cache": str(tmp_path / "cache")},
            check=True,
            capture_output=True,
        )
        return done.stdout

    return run


def flatten(tree, above=""):
    """Return location -> version of what `npm ls --json --all --long` prints."""
    found = {}
    for package in tree.get("dependencies", {}).values():
        path = package.get("path", "")
        if "/node_modules/" in path and "version" in package:
            found[path.partition("/node_modules/")[2]] = package["version"]
        found |= flatten(package)
    return found


def captured(root, name):
    target = LocalTarget(root, "dir:tree", is_host=False)
    found = capture(target, collectors(), Request(only=frozenset({"npm"}))).lock
    return {
        key.partition("/")[2]: facts["version"]
        for key, facts in found.sections["npm"].items()
        if key.startswith(f"{name}/")
    }


def test_npm_ls_agrees(tmp_path, npm):
    old, new = pack(tmp_path, "leaf", "1.0.0"), pack(tmp_path, "leaf", "2.0.0-rc.1")
    branch = pack(tmp_path, "@acme/branch", "3.1.4", dependencies={"leaf": f"file:{old}"})
    root = tmp_path / "root"
    application = root / "srv/shop"
    application.mkdir(parents=True)
    (application / "package.json").write_text('{"name": "shop", "version": "1.0.0"}')
    npm("install", new, branch, folder=application)
    output = json.loads(npm("ls", "--all", "--json", "--long", folder=application))
    assert captured(root, "shop") == flatten(output)
    assert captured(root, "shop") == {
        "leaf": "2.0.0-rc.1",
        "@acme/branch": "3.1.4",
        "@acme/branch/node_modules/leaf": "1.0.0",
    }


def test_npm_ls_agrees_on_a_global_tree(tmp_path, npm):
    prefix = tmp_path / "root/usr/local"
    npm("install", "-g", "--prefix", prefix, pack(tmp_path, "tool", "0.9.0"))
    output = json.loads(npm("ls", "-g", "--prefix", prefix, "--json"))
    found = captured(tmp_path / "root", "local")
    assert found == {name: one["version"] for name, one in output["dependencies"].items()}
    assert found == {"tool": "0.9.0"}
