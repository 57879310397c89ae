"""The gem collector on gem homes, compared with ``gem list``."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.model.depth import Depth
from envlock.targets.local.filesystem import LocalTarget
from tests.conftest import unavailable

SYSTEM = ("usr/lib/ruby/gems", "usr/share/rubygems-integration")
SPECIFICATION = """
Gem::Specification.new do |s|
  s.name = {name!r}
  s.version = {version!r}
  s.summary = "a test"
  s.authors = ["nobody"]
  s.files = ["lib/{name}.rb"]
  s.platform = {platform}
end
"""


@pytest.fixture
def gem(tmp_path):
    if shutil.which("gem") is None:
        unavailable("tools", "gem is missing")

    def run(*arguments, folder=tmp_path, **variables):
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C", **variables}
        return subprocess.run(
            ["gem", *map(str, arguments)],
            cwd=folder,
            env=environ,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    return run


def listed(output: str) -> set[tuple[str, str]]:
    """Return (name, version) of the lines of ``gem list``, without platforms."""
    found = set()
    for name, versions in re.findall(r"^(\S+) \((.*)\)$", output, re.MULTILINE):
        for version in versions.removeprefix("default: ").split(", "):
            found.add((name, version.removeprefix("default: ").partition(" ")[0]))
    return found


def captured(root: Path) -> dict[str, dict[str, str]]:
    target = LocalTarget(root, "dir:root", is_host=False)
    request = Request(only=frozenset({"gem"}), depth=Depth.RECORDS)
    found = capture(target, collectors(), request).lock.sections["gem"]
    return {key: facts for key, facts in found.items() if "/" in key}


def all_but_specifications(folder: str, names: list[str]) -> set[str]:
    is_home = re.search(r"/(all|\d[^/]*)\Z", folder)
    return set(names) - {"specifications"} if is_home else set()


def named(records: dict[str, dict[str, str]]) -> set[tuple[str, str]]:
    return {
        (key.partition("/")[2].partition("@")[0], facts["version"])
        for key, facts in records.items()
    }


def test_installed_gems(tmp_path, gem):
    home = tmp_path / "root/var/lib/gems/3.1.0"
    for name, version, platform in (
        ("one", "1.0.0", "Gem::Platform::RUBY"),
        ("one", "1.1.0.pre2", "Gem::Platform::RUBY"),
        ("two-words", "0.3", "Gem::Platform::CURRENT"),
    ):
        source = tmp_path / f"{name}-{version}"
        (source / "lib").mkdir(parents=True)
        (source / f"lib/{name}.rb").write_text("")
        text = SPECIFICATION.format(name=name, version=version, platform=platform)
        (source / "x.gemspec").write_text(text)
        gem("build", "x.gemspec", folder=source)
        (archive,) = source.glob("*.gem")
        gem("install", "--local", "--no-document", "--force", "--install-dir", home, archive)
    output = gem("list", "--local", GEM_HOME=str(home), GEM_PATH=str(home))
    ours = captured(tmp_path / "root")
    assert named(ours) == {pair for pair in listed(output) if pair[0] in ("one", "two-words")}
    assert named(ours) == {("one", "1.0.0"), ("one", "1.1.0.pre2"), ("two-words", "0.3")}
    assert ours["local-3.1.0/two-words"]["platform"].endswith("linux")


def test_the_gems_that_came_with_ruby(tmp_path, gem):
    homes = [Path("/") / folder for folder in SYSTEM if (Path("/") / folder).is_dir()]
    if not homes:
        unavailable("tools", "no Ruby of the distribution is here")
    for home in homes:
        shutil.copytree(home, tmp_path / f"root{home}", ignore=all_but_specifications)
    ours = captured(tmp_path / "root")
    output = gem("list", "--local", GEM_HOME=str(tmp_path / "none"))
    gem_path = gem("environment", "gempath").strip().split(":")
    if not {"/usr/share/rubygems-integration/all"} & set(gem_path):
        unavailable("tools", "the gem here is not the distribution's")
    assert named(ours) <= listed(output)
    defaults = {
        name
        for name, versions in re.findall(r"^(\S+) \((default: [^,)]+)\)$", output, re.MULTILINE)
    }
    assert defaults == {
        key.partition("/")[2] for key, facts in ours.items() if facts.get("default") == "true"
    }


def test_an_empty_specification_is_no_gem(tmp_path, captured):
    """RubyGems does not load it, whatever its name says."""
    folder = tmp_path / "root/var/lib/gems/3.1.0/specifications"
    folder.mkdir(parents=True)
    (folder / "rack-2.2.8.gemspec").write_text("")
    (folder / "rake-13.0.6.gemspec").write_text("Gem::Specification.new do |s|\nend\n")
    found = captured(tmp_path / "root")
    assert [key.rpartition("/")[2] for key in found.lock.sections["gem"] if "/" in key] == ["rake"]
    assert [gap.where for gap in found.coverage["gem"].gaps] == [
        "/var/lib/gems/3.1.0/specifications/rack-2.2.8.gemspec"
    ]
