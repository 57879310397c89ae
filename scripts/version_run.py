"""A version of envlock to compare with another: how a step is run with it and what is kept."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import zstandard
from example_environments import POLICY
from output_comparison import MESSAGES

NOTHING_DONE = (2, 4, 70)
"""Exit statuses of a command that could not begin (usage, unreachable) or crashed."""
TODAY = "1767225600"
"""SOURCE_DATE_EPOCH: waivers are judged on 2026-01-01."""


class Step(NamedTuple):
    """A command of envlock to run with each version.

    Standard output goes to the file ``out/NAME`` if the name has a suffix.  `after` is called with
    the version when the command has ended, to keep what else it wrote.  The step is left out where
    a step before it did not write `needs`.
    """

    name: str
    words: tuple[str, ...]
    after: Callable[[Version], None] | None = None
    needs: str = ""


class Version(NamedTuple):
    """A version of envlock and its directory: store and settings in `home`, outputs in `out`."""

    argv: tuple[str, ...]
    environ: dict[str, str]
    folder: Path

    @classmethod
    def start(cls, operand: str, folder: Path) -> Version:
        """Return the version of a checkout or a command, with an empty directory."""
        shutil.rmtree(folder, ignore_errors=True)
        own = {f"XDG_{kind}_HOME": folder / "home" / kind.lower() for kind in _HOMES}
        pip = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config")) / "pip"
        own["XDG_CONFIG_HOME"].mkdir(parents=True)
        (own["XDG_CONFIG_HOME"] / "pip").symlink_to(pip)
        (folder / "out").mkdir()
        (folder / "policy.toml").write_text(POLICY)
        environ = {k: v for k, v in os.environ.items() if not k.startswith("ENVLOCK_")}
        environ |= {name: str(path) for name, path in own.items()}
        environ |= {"NO_COLOR": "1", "SOURCE_DATE_EPOCH": TODAY}
        environ["PYTHONPYCACHEPREFIX"] = str(folder / "home/pycache")  # a checkout is left alone
        checkout = Path(operand).absolute()
        if not checkout.is_dir():
            return cls(tuple(shlex.split(operand)), environ, folder)
        python = checkout / ".venv/bin/python"
        name = str(python) if python.exists() else sys.executable
        environ["PYTHONPATH"] = str(checkout)
        version = cls((name, "-m", "envlock"), environ, folder)
        version.require_package_of(checkout)
        return version

    def require_package_of(self, checkout: Path) -> None:
        """Raise SystemExit unless the package that is run is the one of the checkout."""
        asked = [self.argv[0], "-c", "import envlock; print(envlock.__file__)"]
        done = subprocess.run(
            asked, env=self.environ, cwd=self.folder, capture_output=True, text=True, check=True
        )
        if not Path(done.stdout.strip()).is_relative_to(checkout):
            raise SystemExit(f"not the envlock of {checkout}: {done.stdout.strip()}")

    @property
    def out(self) -> Path:
        """The directory of what is compared."""
        return self.folder / "out"

    def run(self, step: Step) -> int:
        """Run a step; keep its output and messages; keep and return its exit status."""
        if not (self.folder / step.needs).exists():
            return 0
        base = self.out / step.name
        base.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [*self.argv, *step.words],
            env=self.environ, cwd=self.folder, capture_output=True, check=False,
        )  # fmt: skip
        if base.suffix:
            base.write_bytes(self._without_folder(done.stdout))
        messages = re.sub(rb"\d+\.\d+ s\b", b"N s", self._without_folder(done.stderr))
        Path(f"{base}{MESSAGES}").write_bytes(messages)
        Path(f"{base}.status").write_text(f"{done.returncode}\n")
        if step.after:
            step.after(self)
        return done.returncode

    def keep_lock(self, name: str) -> None:
        """Keep a lock and the bytes of its tree object."""
        lock = self.folder / f"locks/{name}.lock"
        if not lock.exists():
            return
        shutil.copy(lock, self.out / name / f"{name}.lock")
        digest = tomllib.loads(lock.read_text()).get("tree", {}).get("object", "")
        if digest:
            self._keep_tree(digest.removeprefix("sha256:"), self.out / name / f"{name}.tree")

    def _keep_tree(self, sha256: str, path: Path) -> None:
        packed = self._objects / sha256[:2] / f"{sha256[2:]}.zst"
        raw = zstandard.ZstdDecompressor().decompressobj().decompress(packed.read_bytes())
        if hashlib.sha256(raw).hexdigest() != sha256:
            raise SystemExit(f"a tree object has other bytes than its name says: {packed}")
        path.write_bytes(raw)

    def keep_objects(self) -> None:
        """Keep the names of all objects in the store, but for the tree objects of the locks."""
        locks = (tomllib.loads(path.read_text()) for path in self.folder.glob("locks/*.lock"))
        trees = {lock.get("tree", {}).get("object", "") for lock in locks}
        found = ((p.parent.name + p.name.removesuffix(".zst")) for p in self._objects.glob("*/*"))
        names = sorted(name for name in found if f"sha256:{name}" not in trees)
        (self.out / "store.names").write_text("\n".join(names))

    def keep_image(self, name: str) -> None:
        """Keep the digest of every file of a layout and of its archive."""
        paths = sorted((self.folder / f"image-{name}").rglob("*"))
        paths.append(self.folder / f"image-{name}.tar")
        lines = [f"{_digest(p)}  {p.relative_to(self.folder)}" for p in paths if p.is_file()]
        (self.out / name / "image.digests").write_text("\n".join(lines))

    def drop_image(self, name: str) -> None:
        """Remove a layout and its archive."""
        shutil.rmtree(self.folder / f"image-{name}", ignore_errors=True)
        (self.folder / f"image-{name}.tar").unlink(missing_ok=True)

    def keep_recording(self, name: str) -> None:
        """Keep the digest of a recording."""
        recording = self.folder / f"{name}.tar"
        if recording.exists():
            (self.out / name / "recording.digest").write_text(f"{_digest(recording)}\n")

    @property
    def _objects(self) -> Path:
        return Path(self.environ["XDG_DATA_HOME"]) / "envlock/objects"

    def _without_folder(self, output: bytes) -> bytes:
        return output.replace(str(self.folder).encode(), b"FOLDER")


_HOMES = ("DATA", "CONFIG", "STATE", "CACHE")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
