"""Who owns some paths, found without a walk over the whole machine."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from envlock.capture.owners import files_with_owners
from envlock.targets.kinds import open_target

SITE = "/srv/shop/.venv/lib/python3.11/site-packages"
TOOL = "/srv/web/node_modules/tool/index.js"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, text in {
        f"{SITE}/x.py": "",
        f"{SITE}/x-1.dist-info/METADATA": "Name: x\nVersion: 1\n",
        f"{SITE}/x-1.dist-info/RECORD": "x.py,,\n",
        "/srv/shop/.venv/pyvenv.cfg": "home = /usr/bin\n",
        "/srv/web/package.json": "{}",
        "/srv/web/node_modules/tool/package.json": '{"name": "tool", "version": "2"}',
        TOOL: "",
        "/usr/bin/vim": "",
        "/var/lib/dpkg/status": "Package: vim\nStatus: install ok installed\n"
        "Architecture: amd64\nVersion: 9\n\n",
        "/var/lib/dpkg/info/vim.list": "/usr/bin/vim\n",
    }.items():
        file = tmp_path / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def owners(root: Path, *paths: str, most: int = 100) -> list[str]:
    with closing(open_target(f"dir:{root}")) as target:
        view = files_with_owners(target, lambda _files: paths, most)
        return [view.owner(path) for path in paths]


def test_packages_of_the_system_and_of_languages_own_their_files(root: Path) -> None:
    found = owners(root, "/usr/bin/vim", f"{SITE}/x.py", TOOL, "/srv/web/package.json")
    assert found == ["deb vim:amd64", "python shop/x", "npm web/tool", ""]


def test_owners_are_found_in_as_many_directories_as_allowed(root: Path) -> None:
    assert owners(root, f"{SITE}/x.py", most=2) == ["python shop/x"]
    assert owners(root, f"{SITE}/x.py", most=1) == [""]


def test_an_owner_is_found_through_links_and_diversions(root: Path) -> None:
    (root / "bin").symlink_to("usr/bin")
    info = root / "var/lib/dpkg/info"
    (info / "vim.list").write_text("/bin\n/bin/vim\n/usr/bin/ex\n/usr/bin/view\n")
    (root / "var/lib/dpkg/diversions").write_text("/usr/bin/ex\n/usr/bin/ex.vim\nother\n")
    for name in ("ex", "ex.vim"):
        (root / "usr/bin" / name).touch()
    found = owners(root, "/usr/bin/vim", "/usr/bin/ex", "/usr/bin/ex.vim")
    assert found == ["deb vim:amd64", "", "deb vim:amd64"]
