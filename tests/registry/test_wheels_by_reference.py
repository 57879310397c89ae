"""What a wheel installs outside of its directory travels by reference, but for scripts."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envlock.lockfile.reader import read_lock
from envlock.model.lock import tree_address
from envlock.model.tree import Tree
from envlock.store.objects import Store
from tests.conftest import Cli, unavailable
from tests.unit.materialize.packages import write_wheel

PROGRAM = b"\x7fELF" + bytes(range(256)) * 400
MEMBERS = {
    "tool/__init__.py": b"def main():\n    print(1)\n",
    "tool-1.dist-info/entry_points.txt": b"[console_scripts]\ntool-main = tool:main\n",
    "tool-1.data/scripts/native": PROGRAM,
    "tool-1.data/scripts/script": b"#!python\nprint(2)\n",
    "tool-1.data/data/share/tool/page.html": b"<p>" + PROGRAM,
    "tool-1.data/data/etc/edited.conf": b"packaged\n",
    "tool-1.data/headers/tool.h": b"#define X 1\n",
}


def with_pip(folder: Path, wheels: Path, *names: str) -> None:
    base = [sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "-q"]
    where = ["--no-index", "--find-links", wheels, "--disable-pip-version-check"]
    subprocess.run([*base, *where, *(names or ("tool",))], check=True, capture_output=True)


def with_uv(folder: Path, wheels: Path) -> None:
    beside = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    uv = shutil.which("uv", path=beside)
    if uv is None:
        unavailable("tools", "uv is not installed")
    argv = [str(uv), "pip", "install", "-q", "--python", folder / "bin/python", "--no-index"]
    subprocess.run(
        [*argv, "--find-links", wheels, "--no-cache", "tool"], check=True, capture_output=True
    )


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only place where pip looks for wheels."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    write_wheel(folder / "tool-1-py3-none-any.whl", MEMBERS, name="tool-1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@pytest.mark.parametrize("install", [with_pip, with_uv])
def test_members_of_its_data_are_found_where_they_were_moved(
    install: Callable[[Path, Path], None],
    wheels: Path,
    root: Path,
    there: Callable[[str], Cli],
) -> None:
    envlock = there("one")
    folders = [root / "srv/one", root / "srv/two"]
    for folder in folders:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        install(folder, wheels)
        (folder / "etc/edited.conf").write_text("changed here\n")
    envlock("capture", f"dir:{root}", "--name", "prod")
    lock = read_lock(envlock.folder / "locks/prod.lock")
    with Store.open(envlock.folder.parent / "data/envlock") as store:
        tree = Tree.from_bytes(store.read(tree_address(lock)))
    prefix = "/srv/one/"
    found = {
        row.entry.path.removeprefix(prefix): row.source
        for row in tree.rows
        if row.entry.path.startswith(prefix) and row.owner == "python one/tool"
    }
    assert found["bin/native"] == "wheel one/tool tool-1.data/scripts/native"
    page = "wheel one/tool tool-1.data/data/share/tool/page.html"
    assert found["share/tool/page.html"] == page
    (header,) = (path for path in found if path.endswith("/tool.h"))
    assert found[header] == "wheel one/tool tool-1.data/headers/tool.h"
    for path in ("bin/script", "bin/tool-main", "etc/edited.conf"):
        assert found[path].startswith("blob "), path

    here = envlock("materialize", "prod", "-o", "image", "-q").out
    envlock("bundle", "prod", "--thin", "-o", "prod.bundle")
    other = there("other")
    other("unbundle", envlock.folder / "prod.bundle", "-o", "prod.lock")
    ran = other("materialize", "prod.lock", "-o", "image")
    assert ran.out == here
    assert "1 packages fetched" in ran.err, "two environments have the same wheel"


def test_what_was_built_here_is_kept_by_value_where_indexes_are_asked(
    wheels: Path, root: Path, there: Callable[[str], Cli], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks like a wheel of an index, in which there is none."""
    monkeypatch.setenv("PIP_CACHE_DIR", str(wheels.parent / "cache"))
    envlock = there("one")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "srv/app"], check=True)
    built = {"built.py": b"x = 1\n", "built-1.data/data/share/built.txt": b"data\n"}
    write_wheel(wheels / "built-1-py3-none-any.whl", built, name="built-1")
    with_pip(root / "srv/app", wheels, "tool", "built")
    (wheels / "built-1-py3-none-any.whl").unlink()
    envlock("capture", f"dir:{root}", "--name", "trusting")
    ran = envlock("capture", f"dir:{root}", "--name", "prod", "--fetch")
    assert "since their packages cannot be had: wheel built-1-py3-none-any.whl (" in ran.err
    assert "EQUAL" in envlock("diff", "trusting", "prod").out
    for name in ("trusting", "prod"):
        envlock("bundle", name, "--thin", "-o", f"{name}.bundle")
    other = there("other")
    other("unbundle", envlock.folder / "trusting.bundle", "-o", "trusting.lock")
    ran = other("materialize", "trusting.lock", "-o", "image", status=5)
    assert "wheel built-1-py3-none-any.whl: in no source" in ran.err
    other("unbundle", envlock.folder / "prod.bundle", "-o", "prod.lock")
    assert other("materialize", "prod.lock", "-o", "image").status == 0
    assert "EQUAL" in other("verify", "prod.lock", "oci:image").out


def test_a_wheel_that_is_named_otherwise_than_it_says_is_found_where_indexes_are_asked(
    wheels: Path, root: Path, there: Callable[[str], Cli], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyPI takes no wheel for linux_x86_64: torch 1.13.1 says it, and is called manylinux1."""
    monkeypatch.setenv("PIP_CACHE_DIR", str(wheels.parent / "cache"))
    envlock = there("one")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "srv/app"], check=True)
    tags = [f"py3-none-linux_{platform.machine()}"]
    for name in ("named", "built"):
        path = wheels / f"{name}-1-{tags[0].replace('linux', 'manylinux1')}.whl"
        write_wheel(path, {f"{name}/data": PROGRAM + name.encode()}, name=f"{name}-1", tags=tags)
    with_pip(root / "srv/app", wheels, "named", "built")
    path.unlink()
    ran = envlock("capture", f"dir:{root}", "--name", "prod", "--fetch")
    assert f"since their packages cannot be had: wheel built-1-{tags[0]}.whl (" in ran.err
    lock = read_lock(envlock.folder / "locks/prod.lock")
    with Store.open(envlock.folder.parent / "data/envlock") as store:
        tree = Tree.from_bytes(store.read(tree_address(lock)))
    found = {
        row.entry.path.split("/")[-2]: row.source
        for row in tree.rows
        if row.entry.path.endswith("/data")
    }
    assert found["named"] == "wheel app/named named/data"
    assert found["built"].startswith("blob ")
    envlock("bundle", "prod", "--thin", "-o", "prod.bundle")
    other = there("other")
    other("unbundle", envlock.folder / "prod.bundle", "-o", "prod.lock")
    assert "1 packages fetched" in other("materialize", "prod.lock", "-o", "image").err
    assert "EQUAL" in other("verify", "prod.lock", "oci:image").out
