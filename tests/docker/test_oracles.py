"""A real Debian root as its own tools and a scanner see it; envlock must agree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.registry

SYFT = Path(sys.executable).parent / "syft"


@pytest.fixture(scope="module")
def drifted(debian_root, tmp_path_factory):
    """A copy of the root in which packaged files were edited, removed and given other rights."""
    root = tmp_path_factory.mktemp("drifted") / "root"
    subprocess.run(["cp", "-ax", debian_root, root], check=True)
    with (root / "etc/nginx/nginx.conf").open("a") as file:
        file.write("# by hand\n")
    with (root / "usr/share/common-licenses/BSD").open("a") as file:
        file.write("x")
    (root / "etc/nginx/mime.types").unlink()
    (root / "usr/bin/sort").write_bytes(b"#!/bin/sh\n")
    return root


def captured(envlock, root):
    envlock("capture", f"dir:{root}", "-o", "root.lock")
    return tomllib.loads((envlock.folder / "root.lock").read_text())


def test_packages_are_those_of_dpkg_query(debian_root, envlock):
    listed = subprocess.run(
        ["dpkg-query", f"--admindir={debian_root}/var/lib/dpkg", "-W",
         "-f", "${Package} ${Architecture} ${Version} ${source:Package} ${source:Version}\n"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found = {
        (key.partition(":")[0], facts["version"], facts["source"],
         facts.get("source-version", facts["version"]))
        for key, facts in captured(envlock, debian_root)["deb"].items()
    }  # fmt: skip
    rows = [line.split(" ") for line in listed.splitlines()]
    assert found == {(name, version, *source) for name, _, version, *source in rows}
    assert len(found) == len(rows) > 90


def test_changed_and_missing_files_are_those_of_dpkg_verify(drifted, envlock):
    verified = subprocess.run(
        ["dpkg", f"--root={drifted}", "--verify"], check=False, capture_output=True, text=True
    ).stdout
    told = {line.split(" /", 1)[1].strip() for line in verified.splitlines()}
    # What a minimal root is made without (dpkg.cfg's path-exclude) dpkg calls missing.
    told = {
        f"/{path}" for path in told if not re.match(r"usr/share/(?:doc|man|locale|info)/", path)
    }
    found = {
        path
        for path, facts in captured(envlock, drifted)["file"].items()
        if facts["class"].endswith(("-modified", "-missing"))
    }
    assert found == told
    assert {"/etc/nginx/nginx.conf", "/etc/nginx/mime.types", "/usr/bin/sort"} <= found


def test_packages_are_those_of_syft(debian_root, envlock, tmp_path):
    root = tmp_path / "root"
    subprocess.run(["cp", "-ax", debian_root, root], check=True)
    wheels = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run(
        [*wheels, root / "usr/local/lib/python3.11/dist-packages", "jinja2", "markupsafe"],
        check=True,
    )
    shutil.rmtree(root / "usr/share/doc", ignore_errors=True)
    scanned = subprocess.run(
        [SYFT, "-q", "-o", "json", f"dir:{root}"], check=True, capture_output=True
    ).stdout
    theirs: dict[str, set[tuple[str, str]]] = {}
    for artifact in json.loads(scanned)["artifacts"]:
        named = (normal(artifact["name"]), artifact["version"])
        theirs.setdefault(artifact["type"], set()).add(named)
    lock = captured(envlock, root)
    debs = {(normal(k.partition(":")[0]), f["version"]) for k, f in lock["deb"].items()}
    python = {
        (normal(key.partition("/")[2]), facts["version"])
        for key, facts in lock["python"].items()
        if "/" in key
    }
    assert debs == theirs.pop("deb")
    assert python == theirs.pop("python")
    assert not theirs, "a kind of package that envlock did not tell of"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
