"""Conda packages and gems for `references.py`: made of real files, served on loopback.

No channel and no gem server is needed: the distributions that pip installs become conda packages,
which rattler installs, and directories of Ruby's library become gems, which RubyGems builds and
installs.
"""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import Distribution, distributions
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import conda_packages, gem_packages

_PREFIX = "/srv/app"
_SITE = "lib/python3.11/site-packages"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


def serve(folder: Path) -> str:
    """Serve a folder on loopback until the process ends; return its URL."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def with_conda(names: list[str], folder: Path) -> None:
    """Install distributions as conda packages into `folder`, which will be at its prefix."""
    scratch = folder.parents[2] / "scratch"
    (scratch / "pkgs").mkdir(parents=True)
    site = scratch / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", site, *names]
    subprocess.run(pip, check=True, capture_output=True)
    channel = scratch / "channel"
    packages = [
        conda_packages.build(channel, each.metadata["Name"].lower(), _files(each, site))
        for each in distributions(path=[str(site)])
    ]
    shutil.rmtree(folder)
    conda_packages.install(packages, folder, _PREFIX, serve(channel), scratch)


def _files(distribution: Distribution, site: Path) -> Mapping[str, bytes]:
    """Return the files of a distribution where conda has them, with a prefix in the programs."""
    found = {}
    for path in distribution.files or ():
        name = str(path)
        programs = name.rpartition("bin/")[2] if name.startswith("../../bin/") else ""
        file = site / "bin" / programs if programs else site / name
        if not file.is_file() or name.endswith(".pyc"):
            continue
        content = file.read_bytes()
        if content.startswith(b"#!"):
            rest = content.partition(b"\n")[2]
            content = b"#!%b/bin/python3.11\n%b" % (conda_packages.PLACEHOLDER.encode(), rest)
        found[f"bin/{programs}" if programs else f"{_SITE}/{name}"] = content
    return found


def with_gem(folder: Path) -> None:
    """Make gems of directories of Ruby's library, and install them below `folder`."""
    scratch = folder.parents[2] / "scratch"
    (scratch / "gems").mkdir(parents=True)
    packages = []
    for library in sorted(Path("/usr/lib/ruby").glob("3.*/*/")):
        files = {
            f"lib/{path.relative_to(library.parent)}": path.read_text(errors="replace")
            for path in sorted(library.rglob("*.rb"))
        }
        if library.name.isalpha() and files:
            packages.append(gem_packages.build(scratch / "gems", library.name, files))
    gem_packages.install(packages, folder / "vendor/bundle/ruby/3.1.0")
    shutil.rmtree(folder / "vendor/bundle/ruby/3.1.0/cache")
    specs = "".join(f"    {path.name[:-10]} (1.0.0)\n" for path in packages)
    lock = f"GEM\n  remote: {serve(scratch)}/\n  specs:\n{specs}\nPLATFORMS\n  ruby\n"
    (folder / "Gemfile.lock").write_text(lock)
    (folder / "app.json").write_text(json.dumps({"name": "app"}))
