"""Locks whose content git or ``locks.remote`` carries: a clone is rebuilt by who has only that."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Cli, unavailable
from tests.registry.machines import built

CARRY = '[locks]\ncarry = "git"\n'


def git(folder: Path, *words: str) -> None:
    """Run git without the settings of this user."""
    if shutil.which("git") is None:
        unavailable("git", "it is not installed")
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    name = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "core.autocrlf=true")
    argv = ["git", *name, *words]
    subprocess.run(argv, cwd=folder, env={**os.environ, **own}, check=True, capture_output=True)


def carrying(envlock: Cli, root: Path, more: str = "") -> Cli:
    """Set up a project whose locks git carries, and capture `prod` in it."""
    envlock("init", "-q")
    (envlock.folder / "envlock.toml").write_text(CARRY + more)
    envlock("capture", f"dir:{root}", "--name", "prod")
    return envlock


def objects(envlock: Cli) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in envlock.folder.glob("locks/objects/*")}


def test_a_clone_is_rebuilt_on_a_machine_that_never_saw_it(
    root: Path, there: Callable[[str], Cli]
) -> None:
    envlock = there("one")
    git(envlock.folder, "init", "-q")
    carrying(envlock, root)
    envlock("check")
    digest = built(envlock, "prod")
    (root / "usr/local/share/data/007.txt").write_text("changed\n")
    envlock("capture", f"dir:{root}", "--name", "test", "-q")
    git(envlock.folder, "add", "-A")
    git(envlock.folder, "commit", "-qm", "one")
    other = there("two")
    git(other.folder, "clone", "-q", str(envlock.folder), str(other.folder / "clone"))
    clone = Cli(other.folder / "clone")
    ran = clone("materialize", "prod", "-o", "image", "--offline")
    assert ran.out.strip() == digest
    assert "303 files that the store lacked came from" in ran.err
    assert "007.txt" in clone("diff", "prod", "test", status=1).out
    there("three")  # the same folder, with an empty store
    assert clone("verify", "prod", "oci:image").status == 0
    shutil.rmtree(clone.folder / "locks/objects")
    assert "its file tree is not in" in clone("check", status=1).out
    (clone.folder / "envlock.toml").write_text("")
    clone("check")


def test_gc_of_the_repository_keeps_what_locks_need(
    root: Path, there: Callable[[str], Cli]
) -> None:
    envlock = carrying(there("one"), root)
    before = objects(envlock)
    (root / "usr/local/share/data/007.txt").write_text("changed\n")
    envlock("capture", f"dir:{root}", "--name", "prod", "-q")
    new = objects(envlock).keys() - before.keys()
    assert 2 <= len(new) <= 3  # the tree, and the packs around the object that went and that came
    assert envlock("store", "gc", "--repository", "--json").json["removed"] == len(new)
    assert new <= objects(envlock).keys()
    envlock("check")


def test_too_much_is_not_carried_and_said(root: Path, there: Callable[[str], Cli]) -> None:
    envlock = carrying(there("one"), root, "carry-limit = 30000\n")
    assert (envlock.folder / "locks/prod.lock").exists()
    assert not objects(envlock)
    told = envlock("capture", f"dir:{root}", "--name", "prod").err
    for way in ("envlock push", "envlock bundle", "carry-limit"):
        assert way in told


def test_what_a_capture_writes_beside_the_lock_is_not_captured(
    there: Callable[[str], Cli],
) -> None:
    envlock = there("one")
    (envlock.folder / "envlock.toml").write_text(CARRY)
    (envlock.folder / "locks").mkdir()
    first = envlock("capture", f"dir:{envlock.folder}", "--name", "x", "--json").json
    assert objects(envlock)
    again = envlock("capture", f"dir:{envlock.folder}", "--name", "x", "--json").json
    assert again["files"] == first["files"]
    assert again["environment_digest"] == first["environment_digest"]


def test_a_remote_gives_what_the_store_lacks(
    root: Path, registry: str, there: Callable[[str], Cli]
) -> None:
    envlock = there("one")
    remote = f'[locks]\nremote = "oci://{registry}/remote/envs"\n'
    (envlock.folder / "envlock.toml").write_text(remote)
    envlock("capture", f"dir:{root}", "--name", "prod", "--push", "--yes")
    lock = envlock.folder / "locks/prod.lock"
    before = lock.read_bytes()
    (root / "usr/local/share/data/007.txt").write_text("changed\n")
    envlock("capture", f"dir:{root}", "--name", "test", "-q")
    assert envlock("push", "test", "--json").json["reference"].endswith("/envs:test")
    other = there("two")
    shutil.copytree(envlock.folder, other.folder, dirs_exist_ok=True)
    assert "007.txt" in other("diff", "prod", "test", status=1).out
    built(other, "prod")
    other = there("three")
    (other.folder / "envlock.toml").write_text(remote)
    other("pull", "prod")
    assert (other.folder / "locks/prod.lock").read_bytes() == before
    other = there("four")
    shutil.copytree(envlock.folder, other.folder, dirs_exist_ok=True)
    (other.folder / "locks/prod.lock").write_bytes((other.folder / "locks/test.lock").read_bytes())
    ran = other("materialize", "prod", "-o", "image", "--offline", status=None)
    assert ran.status != 0
    assert "it holds another version of this lock" in ran.err


def test_a_remote_must_be_set_and_be_a_repository(envlock: Cli) -> None:
    assert "[locks]" in envlock("push", "prod", status=2).err
    assert "[locks]" in envlock("capture", "dir:.", "--push", status=2).err
    (envlock.folder / "envlock.toml").write_text('[locks]\nremote = "oci://example.org/a:b"\n')
    assert "without a tag" in envlock("push", "prod", status=2).err
    assert "--push" in envlock("capture", "dir:.", "--push", "-o", "-", status=2).err
