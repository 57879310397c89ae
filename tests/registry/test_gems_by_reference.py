"""Gems travel by reference, and are rebuilt by who has the packages."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envlock.lockfile.reader import parse_lock
from envlock.model.tree import EntryType, Row
from envlock.store.objects import Store
from envlock.workflow import require_tree
from tests import gem_packages
from tests.conftest import Cli
from tests.registry.debian import mirror
from tests.registry.faults import Question

HOME = "/usr/local/bundle"
GEMS = f"{HOME}/gems"
LOCKFILE = """\
GEM
  remote: {url}/
  specs:
    native (1.0.0)
    plain (1.0.0)

PLATFORMS
  ruby

DEPENDENCIES
  native
  plain
"""


@pytest.fixture(scope="module")
def gems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a gem server, with its packages in ``gems``."""
    folder = tmp_path_factory.mktemp("server") / "gems"
    folder.mkdir()
    gem_packages.build(folder, "plain", gem_packages.PLAIN)
    gem_packages.build(folder, "native", gem_packages.NATIVE)
    return folder.parent


@pytest.fixture
def served(gems: Path) -> Iterator[tuple[str, list[Question]]]:
    with mirror(gems) as found:
        yield found


@pytest.fixture
def root(gems: Path, served: tuple[str, list[Question]], tmp_path: Path) -> Path:
    """Return a root with gems that RubyGems installed, and an application with its lockfile."""
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    shutil.copy2("/bin/sh", root / "usr/bin/sh", follow_symlinks=True)
    (root / "bin").symlink_to("usr/bin")
    gem_packages.install(sorted((gems / "gems").glob("*.gem")), root / HOME[1:])
    shutil.rmtree(root / HOME[1:] / "cache")
    (root / "srv/shop").mkdir(parents=True)
    url = served[0].replace("http://", "http://anna:hunter2-of-the-gems@")
    (root / "srv/shop/Gemfile.lock").write_text(LOCKFILE.format(url=url))
    return root


def rows(envlock: Cli) -> list[Row]:
    """Return the rows of the files of the lock `prod` that are not empty."""
    lock = parse_lock((envlock.folder / "locks/prod.lock").read_bytes(), "prod")
    with Store.open(envlock.folder.parent / "data/envlock") as store:
        tree = require_tree(lock, store)
    return [row for row in tree.rows if row.entry.type is EntryType.FILE and row.entry.size]


def by_value(envlock: Cli) -> list[str]:
    """Return the paths below the gems whose content travels by value."""
    found = (row for row in rows(envlock) if not row.source.startswith("gem "))
    return [row.entry.path for row in found if row.entry.path.startswith(f"{GEMS}/")]


def built(envlock: Cli, *more: str) -> str:
    return envlock("materialize", "prod", "-o", "image", "-q", *more).out.strip()


def carried(one: Cli, two: Cli) -> Cli:
    """Return the machine `two` with the bundle that `one` made."""
    two("unbundle", one.folder / "prod.bundle", "-o", "locks/prod.lock")
    return two


MADE = [
    f"{GEMS}/native-1.0.0/ext/native/Makefile",
    f"{GEMS}/native-1.0.0/ext/native/native.so",
    f"{GEMS}/native-1.0.0/lib/native/native.so",
]
"""What the extension left."""


def made(envlock: Cli) -> list[str]:
    return [path for path in by_value(envlock) if path not in MADE]


def test_gems_are_taken_from_a_cache_and_from_the_server_that_the_lockfile_names(
    root: Path,
    gems: Path,
    served: tuple[str, list[Question]],
    there: Callable[[str], Cli],
    tmp_path: Path,
) -> None:
    cache = tmp_path / "one/.gem/ruby/3.1.0/cache"
    shutil.copytree(gems / "gems", cache)
    one = there("one")
    one("capture", f"dir:{root}", "--name", "prod", "--vendor")
    assert made(one) == []
    assert set(by_value(one)) & set(MADE), "what was built here is in no package"
    lock = (one.folder / "locks/prod.lock").read_text()
    assert f'url = "{served[0]}"' in lock
    assert "hunter2" not in lock
    sources = {row.entry.path: row.source for row in rows(one)}
    assert sources[f"{GEMS}/plain-1.0.0/lib/plain.rb"].endswith("/plain lib/plain.rb")
    one("bundle", "prod", "--thin", "-o", "prod.bundle")
    shutil.rmtree(cache)
    digest = built(one, "--offline")
    kept = sorted(path.name for path in (one.folder / ".envlock/packages").glob("*.gem"))
    assert kept == ["native-1.0.0.gem", "plain-1.0.0.gem"]
    assert "EQUAL" in one("verify", "prod", "oci:image").out
    two = carried(one, there("two"))
    refused = two("materialize", "prod", "-o", "image", "--offline", status=5).err
    assert "gem plain-1.0.0: in no source" in refused
    assert served[1] == []
    assert built(two) == digest
    assert sorted(question.path for question in served[1]) == [
        "/gems/native-1.0.0.gem",
        "/gems/plain-1.0.0.gem",
    ]


def test_a_folder_is_searched_by_content_and_a_capture_can_download(
    root: Path, gems: Path, served: tuple[str, list[Question]], there: Callable[[str], Cli]
) -> None:
    one = there("one")
    one("capture", f"dir:{root}", "--name", "prod")
    assert f"{GEMS}/plain-1.0.0/lib/plain/data.txt" in by_value(one), "no cache has it"
    one("capture", f"dir:{root}", "--name", "prod", "--fetch", "--full")
    assert made(one) == []
    assert len(served[1]) == 2
    one("bundle", "prod", "--thin", "-o", "prod.bundle")
    digest = built(one, "--offline")
    folder = one.folder / "any/where"
    folder.mkdir(parents=True)
    for number, path in enumerate(sorted((gems / "gems").glob("*.gem"))):
        shutil.copy(path, folder / f"{number}.download")
    two = carried(one, there("two"))
    (two.folder / "envlock.toml").write_text(f'[materialize]\nwheels = ["{folder}"]\n')
    assert built(two, "--offline") == digest


def test_what_was_changed_travels_by_value_and_another_gem_of_that_name_is_not_used(
    root: Path, gems: Path, there: Callable[[str], Cli], tmp_path: Path
) -> None:
    changed = root / GEMS[1:] / "plain-1.0.0/lib/plain.rb"
    changed.write_text("module Plain; CHANGED = 1; end\n")
    folder = tmp_path / "folder"
    shutil.copytree(gems / "gems", folder)
    digest = hashlib.sha256((folder / "plain-1.0.0.gem").read_bytes()).hexdigest()
    with (root / "srv/shop/Gemfile.lock").open("a") as file:
        file.write(f"\nCHECKSUMS\n  native (1.0.0)\n  plain (1.0.0) sha256={digest}\n")
    one = there("one")
    (one.folder / "envlock.toml").write_text(f'[materialize]\nwheels = ["{folder}"]\n')
    one("capture", f"dir:{root}", "--name", "prod")
    assert made(one) == [f"{GEMS}/plain-1.0.0/lib/plain.rb"]
    for name, files in (("plain", gem_packages.PLAIN), ("native", gem_packages.NATIVE)):
        evil = {path: f"{content}# evil\n" for path, content in files.items()}
        other = tmp_path / f"other-{name}"
        other.mkdir()
        shutil.move(gem_packages.build(other, name, evil), folder / f"{name}-1.0.0.gem")
    refused = one("materialize", "prod", "-o", "image", "--offline", status=5).err
    assert "plain-1.0.0.gem is another file than the locked one" in refused
    assert "gem native-1.0.0 does not contain it" in refused
