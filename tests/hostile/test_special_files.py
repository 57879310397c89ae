"""What is no ordinary file is refused wherever a file is expected, without waiting for it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.hostile.conftest import Attacked

LOCK = 'lock-version = "1.0"\n\n[os]\nid = "debian"\n'


def pipe(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket has room for a hundred bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


KINDS: dict[str, Callable[[Path], object]] = {
    "pipe": pipe,
    "link to a pipe": lambda path: (pipe(path.with_name("p")), path.symlink_to("p")),
    "socket": bound_socket,
    "endless device": lambda path: path.symlink_to("/dev/zero"),
    "random device": lambda path: path.symlink_to("/dev/urandom"),
    "terminal": lambda path: path.symlink_to("/dev/tty"),
    "directory": lambda path: path.mkdir(),
    "terabyte": sparse,
    "loop of links": lambda path: path.symlink_to(path.name),
    "memory of this process": lambda path: path.symlink_to("/proc/self/mem"),
}
READS: dict[str, Sequence[str]] = {
    "show": ("show", "./it"),
    "digest": ("digest", "./it"),
    "check": ("check", "./it"),
    "diff left": ("diff", "./it", "./good.lock"),
    "diff right": ("diff", "./good.lock", "./it"),
    "diff of many": ("diff", "./good.lock", "./good.lock", "./it"),
    "explain": ("explain", "/etc/hosts", "./it"),
    "textconv": ("git-textconv", "./it"),
    "materialize": ("materialize", "./it", "-o", "image", "--offline"),
    "verify": ("verify", "./it", "dir:/nowhere"),
    "settings": ("show", "./good.lock", "--config", "it"),
    "policy": ("diff", "./good.lock", "./good.lock", "--policy", "it"),
    "baseline": ("diff", "./good.lock", "./good.lock", "--baseline", "it"),
    "recording": ("capture", "recorded:it", "-o", "-"),
    "layout": ("capture", "oci:it", "-o", "-"),
    "pods": ("capture", "kube:it"),
    "pod": ("capture", "kube:it#pod/web", "-o", "-"),
    "store": ("store", "check", "--store", "it"),
    "store of a capture": ("capture", "dir:.", "-o", "-", "--store", "it"),
}
FINE = {("store", "directory"), ("store of a capture", "directory")}
"""An empty directory becomes a store."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", READS)
def test_what_is_no_file_is_refused(attacked: Attacked, where: str, kind: str) -> None:
    (attacked.folder / "good.lock").write_text(LOCK)
    KINDS[kind](attacked.folder / "it")
    outcome = attacked(*READS[where])
    if (where, kind) in FINE:
        outcome.is_sound()
    elif where == "check":
        outcome.is_sound()
        assert outcome.status in (2, 3, 4)
        assert "cannot read" in outcome.out + outcome.err
    else:
        outcome.is_refused()


@pytest.mark.parametrize("kind", KINDS)
def test_settings_of_the_project_are_refused_not_passed_over(attacked: Attacked, kind: str) -> None:
    (attacked.folder / "good.lock").write_text(LOCK)
    KINDS[kind](attacked.folder / "envlock.toml")
    if kind != "loop of links":  # which leads nowhere, as a name that is free
        attacked("show", "./good.lock").is_refused(2)


@pytest.mark.parametrize("kind", KINDS)
def test_settings_of_the_user_are_refused_not_passed_over(
    attacked: Attacked, tmp_path: Path, kind: str
) -> None:
    (attacked.folder / "good.lock").write_text(LOCK)
    folder = tmp_path / "xdg_config_home/envlock"
    folder.mkdir(parents=True)
    KINDS[kind](folder / "config.toml")
    if kind != "loop of links":
        attacked("show", "./good.lock").is_refused(2)


@pytest.mark.parametrize("kind", ["pipe", "socket", "endless device", "directory", "terabyte"])
@pytest.mark.parametrize("name", ["index.json", "oci-layout", "blobs/sha256", "manifest.json"])
def test_parts_of_a_layout(attacked: Attacked, name: str, kind: str) -> None:
    layout = attacked.folder / "layout"
    (layout / "blobs").mkdir(parents=True)
    KINDS[kind](layout / name)
    attacked("capture", "oci:layout", "-o", "-").is_refused(4)


@pytest.mark.parametrize("kind", ["pipe", "socket", "endless device", "terabyte"])
def test_blobs_of_a_layout(attacked: Attacked, kind: str) -> None:
    layout = attacked.folder / "layout"
    (layout / "blobs/sha256").mkdir(parents=True)
    digest = "a" * 64
    (layout / "index.json").write_text(
        f'{{"manifests": [{{"digest": "sha256:{digest}", "size": 10}}]}}'
    )
    KINDS[kind](layout / "blobs/sha256" / digest)
    attacked("capture", "oci:layout", "-o", "-").is_refused(4)


@pytest.mark.parametrize("kind", ["pipe", "endless device", "directory"])
@pytest.mark.parametrize("name", ["refs/x", "objects/aa/b", "lock", "statcache.sqlite"])
@pytest.mark.parametrize("verb", [("store", "check"), ("store", "gc"), ("capture", "dir:.", "-q")])
def test_parts_of_a_store(
    attacked: Attacked, verb: Sequence[str], name: str, kind: str, tmp_path: Path
) -> None:
    """A store with something else in it is refused or healed, and never waited for."""
    attacked("capture", "dir:.", "-q").is_sound()
    path = tmp_path / "xdg_data_home/envlock" / name.replace("/b", "/" + "b" * 62)
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    KINDS[kind](path)
    attacked(*verb).is_sound()
