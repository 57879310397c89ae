"""Gems for tests, built and installed by RubyGems itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.conftest import unavailable

PLAIN: Mapping[str, str] = {
    "lib/plain.rb": "module Plain; end\n",
    "lib/plain/data.txt": "".join(f"{number}\n" for number in range(20_000)),
    "bin/plain": "#!/usr/bin/env ruby\nputs 1\n",
}
NATIVE: Mapping[str, str] = {
    "lib/native.rb": 'require "native/native"\n',
    "ext/native/extconf.rb": (
        'File.write("Makefile", "native.so:\\n\\techo built > native.so\\n'
        "install: native.so\\n\\tmkdir -p $(sitearchdir)/native\\n"
        '\\tcp native.so $(sitearchdir)/native/\\nclean:\\n")\n'
    ),
}
"""A gem with an extension: what its Makefile makes is in no package."""

_SPECIFICATION = """\
Gem::Specification.new do |s|
  s.name = {name!r}
  s.version = {version!r}
  s.summary = "a test"
  s.authors = ["nobody"]
  s.files = {files}
  s.bindir = "bin"
  s.executables = {programs}
  s.extensions = {extensions}
end
"""


def gem(*arguments: object, folder: Path) -> str:
    """Run gem in a folder, with no settings of this machine; return what it prints."""
    if shutil.which("gem") is None:
        unavailable("tools", "gem is missing")
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C"}
    argv = ["gem", *map(str, arguments), "--norc"]
    done = subprocess.run(
        argv, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(folder: Path, name: str, files: Mapping[str, str], version: str = "1.0.0") -> Path:
    """Build a gem in a folder; return the path of its file."""
    top = folder / f"source-{name}-{version}"
    for path, content in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(content)
    programs = [path.removeprefix("bin/") for path in files if path.startswith("bin/")]
    extensions = [path for path in files if path.endswith("extconf.rb")]
    fields = {"files": [*files], "programs": programs, "extensions": extensions}
    (top / "a.gemspec").write_text(_SPECIFICATION.format(name=name, version=version, **fields))
    gem("build", "--quiet", "--force", "a.gemspec", folder=top)
    return (top / f"{name}-{version}.gem").rename(folder / f"{name}-{version}.gem")


def install(packages: Iterable[Path], home: Path) -> None:
    """Install gems into a gem home."""
    words = ("install", "--local", "--no-document", "--quiet", "--install-dir", home)
    home.mkdir(parents=True, exist_ok=True)
    gem(*words, *packages, folder=home.parent)
