"""What a rebuild cannot find in the store is there again after the capture that its hint names."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path):
    for name, text in (("srv/data", "data\n"), ("var/lib/dpkg/arch", "amd64\n")):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return tmp_path / "root"


def blob(store: Path) -> Path:
    (found,) = [p for p in store.rglob("objects/*/*") if p.read_bytes()[1:] == b"ata\n"]
    return found


def tree(store: Path) -> Path:
    (found,) = store.rglob("objects/*/*.zst")
    return found


def flip(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


@pytest.mark.parametrize("harm", [Path.unlink, flip])
@pytest.mark.parametrize("find", [blob, tree])
def test_the_hint_of_a_failed_rebuild_works(envlock, root, tmp_path, harm, find):
    envlock("capture", f"dir:{root}", "--name", "box", "-q")
    before = (envlock.folder / "locks/box.lock").read_bytes()
    harm(find(tmp_path / "xdg_data_home/envlock"))
    rebuild = ("materialize", "box", "--offline", "-o", tmp_path / "image")
    failed = envlock(*rebuild, status=None)
    assert failed.status in (4, 5)
    assert "capture" in failed.err.partition("hint: ")[2]
    assert not (tmp_path / "image").exists()
    envlock("capture", f"dir:{root}", "--name", "box", "-q")
    assert (envlock.folder / "locks/box.lock").read_bytes() == before
    envlock(*rebuild)
    assert "EQUAL" in envlock("verify", "box", f"oci:{tmp_path / 'image'}").out
    envlock("store", "check", "--read-data")
