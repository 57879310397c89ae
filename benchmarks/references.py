"""Measure how much of installed applications travels by value, and write a Markdown table.

    python benchmarks/references.py --output docs/explanation/measurements-of-references.md

It installs the applications from the registries that npm, pip and uv of this machine are
configured with, captures each, sends it as a thin bundle, and rebuilds it with an empty store and
another home.  Managers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from reference_channels import with_conda, with_gem

from envlock.lockfile.reader import read_lock
from envlock.model.lock import tree_address
from envlock.model.tree import EntryType, Tree
from envlock.store.objects import Store

NODE = {"typescript": "^5", "webpack": "^5", "express": "^4", "sharp": "^0.33", "esbuild": "^0.24"}
PYTHON = [
    "numpy",
    "requests",
    "flask",
    "uv",
    "ruff",
    "black",
    "widgetsnbextension",
    "cmake",
    "greenlet",
    "pyyaml",
]

HEAD = """# Measurements of references

Written by

```console
$ python benchmarks/references.py --output docs/explanation/measurements-of-references.md
```

Each row is a fresh installation in a small root. *Size* is that of its files. *Before* is what
travels by value when a capture knows no npm package, and of a wheel only its own directory.
*By value* is what a capture with `--fetch` keeps. The lock was then carried as a bundle without
packages and rebuilt with an empty store and another home; the last column compares the digests of
the images.

Node: {node}. Python: {python}.
The row `conda` has these Python packages, made into conda packages and installed by rattler; `gem`
has directories of Ruby's library, made into gems and installed by RubyGems. Both are served on
loopback. Before envlock read archives of conda, all of that environment travelled by value.

| by | files | size MB | before MB | by value MB | packages | bundle MB | rebuild s | same image |
|-|-|-|-|-|-|-|-|-|
"""


class Row(NamedTuple):
    """What was measured of one application; sizes are in bytes."""

    name: str
    files: int
    size: int
    before: int
    after: int
    packages: int
    bundle: int
    seconds: float
    is_same: bool


def main() -> None:
    """Measure each application and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("names", nargs="*", help="only these rows")
    arguments = parser.parse_args()
    rows = []
    for name, install in INSTALLERS.items():
        if arguments.names and name not in arguments.names:
            continue
        if name != "conda" and shutil.which(name) is None:
            print(f"{name} is not installed", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory(prefix="references-") as folder:
            rows.append(measured(name, install, Path(folder)))
            print(rows[-1], file=sys.stderr)
    head = HEAD.format(node=", ".join(NODE), python=", ".join(PYTHON))
    arguments.output.write_text(head + "".join(map(line, rows)))


def line(row: Row) -> str:
    """Return a row of the table."""
    sizes = (f"{size / 1e6:.1f}" for size in (row.size, row.before, row.after))
    cells = (
        *(row.name, f"{row.files:,}", *sizes, row.packages),
        *(f"{row.bundle / 1e6:.1f}", f"{row.seconds:.0f}", "yes" if row.is_same else "**no**"),
    )
    return f"| {' | '.join(map(str, cells))} |\n"


def measured(name: str, install: Callable[[Path], None], folder: Path) -> Row:
    """Install an application, capture it, and rebuild it where nothing is known of it."""
    root = folder / "root"
    (root / "usr/bin").mkdir(parents=True)
    shutil.copy2("/bin/sh", root / "usr/bin/sh")  # it has the architecture
    (root / "bin").symlink_to("usr/bin")
    (root / "etc").mkdir()
    shutil.copy("/etc/os-release", root / "etc/os-release")
    (root / "srv/app").mkdir(parents=True)
    install(root / "srv/app")
    here, empty = Machine(folder / "here"), Machine(folder / "empty")
    bare = here.captured(root, "bare")
    full = here.captured(root, "full", "--fetch")
    here("bundle", "locks/full.lock", "--thin", "-o", "full.bundle", "-q")
    image = here("materialize", "locks/full.lock", "-o", "image", "-q")
    bundle = here.folder / "full.bundle"
    empty("unbundle", str(bundle), "-o", "full.lock", "-q")
    started = time.monotonic()
    rebuilt = json.loads(empty("materialize", "full.lock", "-o", "image", "-q", "--json"))
    return Row(
        name,
        len(full),
        sum(each.size for each in full),
        sum(each.size for each in bare if each.is_by_value or ".data/" in each.source),
        sum(each.size for each in full if each.is_by_value),
        rebuilt["fetched"],
        bundle.stat().st_size,
        time.monotonic() - started,
        rebuilt["manifest_digest"] == image.strip(),
    )


class File(NamedTuple):
    """A regular file of a capture: where its content comes from, and its size in bytes."""

    source: str
    size: int

    @property
    def is_by_value(self) -> bool:
        """True when its content is kept."""
        return self.source.startswith(("blob ", "redacted "))


class Machine:
    """A home, a store and caches of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "ENVLOCK_STORE_PATH": str(folder / "store"),
            "npm_config_cache": str(folder / "npm"),
            "PIP_CACHE_DIR": str(folder / "pip"),
        }

    def __call__(self, *arguments: str) -> str:
        """Run envlock; return what it writes to standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "envlock", *arguments],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def captured(self, root: Path, name: str, *more: str) -> list[File]:
        """Capture a root and return its files."""
        self("capture", f"dir:{root}", "--name", name, "-q", *more)
        lock = read_lock(self.folder / f"locks/{name}.lock")
        with Store.open(self.folder / "store") as store:
            tree = Tree.from_bytes(store.read(tree_address(lock)))
        return [File(r.source, r.entry.size) for r in tree.rows if r.entry.type is EntryType.FILE]


def with_node(*command: str) -> Callable[[Path], None]:
    """Return what installs the Node packages with a command."""

    def install(folder: Path) -> None:
        document = {"name": "app", "version": "1.0.0", "dependencies": NODE}
        (folder / "package.json").write_text(json.dumps(document))
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    return install


def with_pip(folder: Path) -> None:
    """Install the Python packages with pip, which a virtual environment has."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin/python", "-m", "pip", "install", "-q", *PYTHON]
    subprocess.run(pip, check=True, capture_output=True)


def with_uv(folder: Path) -> None:
    """Install the Python packages with uv."""
    subprocess.run(["uv", "venv", "-q", "--clear", folder], check=True)
    uv = ["uv", "pip", "install", "-q", "--python", folder / "bin/python", *PYTHON]
    subprocess.run(uv, check=True, capture_output=True)


INSTALLERS: dict[str, Callable[[Path], None]] = {
    "npm": with_node("npm", "install", "--no-audit", "--no-fund"),
    "yarn": with_node("yarn", "install", "--silent"),
    "pnpm": with_node("pnpm", "install", "--silent"),
    "pip": with_pip,
    "uv": with_uv,
    "conda": functools.partial(with_conda, PYTHON),
    "gem": with_gem,
}
"""Name of a package manager -> what installs with it into an empty directory."""


if __name__ == "__main__":
    main()
