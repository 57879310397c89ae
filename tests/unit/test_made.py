"""What a test leaves behind is searched: whatever envlock writes is found, and its secrets."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from envlock.store.objects import Store
from tests.conftest import Cli
from tests.made import Made, outputs

SECRET = "Hunter2Zq7vK2"
TOKEN = "ghp_" + "aB3dE6gH9jK2" * 3


@pytest.fixture
def project(envlock: Cli, tmp_path: Path) -> Path:
    """Return a folder with an output of each kind; the root that they are about holds secrets."""
    for name, content in (
        ("etc/app.ini", "[db]\nport = 1\n"),
        ("etc/hosts", "127.0.0.1 localhost\n"),
        ("var/lib/dpkg/arch", "amd64\n"),
        ("srv/Gemfile.lock", f"password = {SECRET}\n"),
        ("srv/report.json", f'{{"password": "{SECRET}"}}\n'),
    ):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    envlock("capture", f"dir:{tmp_path / 'root'}", "--name", "box", "--record", "box.tar.zst")
    envlock("materialize", "box", "--offline", "-o", "image")
    envlock("bundle", "box", "-o", "box.bundle")
    envlock("diff", "box", "box", "--format", "html", "--output", "box.html")
    return envlock.folder


def test_every_kind_of_output_is_searched_and_nothing_else(project: Path, tmp_path: Path) -> None:
    found = {str(path.relative_to(tmp_path)) for path in outputs(tmp_path)}
    image = [path for path in (project / "image").rglob("*") if not path.is_dir()]
    assert len(image) > 3
    assert found == {
        *(str(path.relative_to(tmp_path)) for path in image),
        "project/box.bundle",
        "project/box.html",
        "project/box.tar.zst",
        "project/locks/box.lock",
        "xdg_data_home/envlock/objects",
        "xdg_data_home/envlock/refs",
    }
    assert Made().hits(tmp_path, "a test") == []


def plant(kind: str, project: Path, store: Path) -> None:
    """Put the token into an output of one kind."""
    if kind == "lock":
        (project / "x.lock").write_text(f'lock-version = "1.0"\n\n[env."A"]\nvalue = "{TOKEN}"\n')
    elif kind == "report":
        (project / "x.md").write_text(f"changed to {TOKEN}\n")
    elif kind == "store":
        with Store.open(store) as opened:
            opened.put(f"a {TOKEN}\n".encode())
            opened.commit()
    elif kind == "image":
        (project / "image/blobs/sha256" / ("0" * 64)).write_text(f"a {TOKEN}\n")
    else:
        with tarfile.open(project / "x.tar", "w") as archive:
            for name, content in (("recording.json", b"{}"), ("rootfs/etc/x", TOKEN.encode())):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


@pytest.mark.plants_secrets("in each kind of output, to see that they are found")
def test_a_secret_in_an_output_is_found(project: Path, tmp_path: Path) -> None:
    made = Made()
    assert made.hits(tmp_path, "a test") == []
    for kind in ("lock", "report", "store", "image", "recording"):
        plant(kind, project, tmp_path / "xdg_data_home/envlock")
        told = made.hits(tmp_path, "a test")
        assert [hit.rule for hit in told] == ["github-token"], kind
        assert told[0].file.startswith(str(tmp_path))
    assert made.hits(tmp_path, "a test") == [], "the same bytes are not searched again"
