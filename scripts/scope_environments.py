"""Builds what scope-pairs compares: one fat development machine, and two slim images a service.

Everything is kept below one directory, so that a second run builds nothing:

machine            root directory of the development machine, with all five services
NAME-clean         root directory of the image of a service
NAME-broken        a copy of it with twelve plants
wheels, npm        what pip and npm downloaded
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from example_environments import mmdebstrap
from scope_breakers import BREAKERS
from scope_plants import Places, run_in_root
from scope_services import APP, FAT, OTHER_PROJECT, SERVICES, Service

IMAGE = "envlock-pairs"
LANGUAGE = "C.UTF-8"
_NO_DOCUMENTATION = ("doc", "locale", "info")
_EXTRA_WHEELS = ("werkzeug==3.1.3", "sqlparse==0.5.1", OTHER_PROJECT)
_EXTRA_NPM = "semver@7.6.3"
_FAST = "--dpkgopt=force-unsafe-io"


class Environments:
    """The environments below the directory `work`."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.machine = work / "machine"
        self._wheels = work / "wheels"
        self._npm = work / "npm"

    def build(self, service: Service) -> None:
        """Build what a service needs and is not there yet."""
        _once(self._wheels, self._download_wheels)
        _once(self._npm, self._download_npm)
        _once(self.machine, self._build_machine)
        if not (self.machine / service.home.lstrip("/")).exists():
            self._install_here(service)
        for state, build in (("clean", self._build_clean), ("broken", self._build_broken)):
            is_new = _once(self.root(service, state), partial(build, service))
            if is_new or not _is_in_engine(image_of(service, state)):
                self._import(service, state)

    def root(self, service: Service, state: str) -> Path:
        """Return the root directory of the clean or broken image of a service."""
        return self.work / f"{service.name}-{state}"

    def _download_wheels(self, folder: Path) -> None:
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
        fetch += ["--python-version=3.11", "--platform=manylinux_2_28_x86_64", "--platform=any"]
        fetch += ["--platform=manylinux2014_x86_64", "--platform=manylinux_2_17_x86_64"]
        for wanted in (*(each.wheels for each in SERVICES if each.wheels), *_EXTRA_WHEELS):
            subprocess.run([*fetch, "--dest", str(folder), *wanted.split()], check=True)

    def _download_npm(self, folder: Path) -> None:
        folder.mkdir()
        wanted = [word for service in SERVICES for word in service.npm.split()]
        quiet = ("--no-audit", "--no-fund", "--silent")
        subprocess.run(["npm", "install", *quiet, "--prefix", ".", *wanted], check=True, cwd=folder)
        subprocess.run(["npm", "pack", "--silent", _EXTRA_NPM], check=True, cwd=folder,
                       stdout=subprocess.DEVNULL)  # fmt: skip

    def _build_machine(self, root: Path) -> None:
        mmdebstrap(root, "bookworm", "--variant=apt", f"--include={','.join(FAT.split())}", _FAST)
        _set_language(root)
        run_in_root(root, "useradd --create-home --home-dir /home/dev --shell /bin/bash dev")
        self._add_python(root, "/home/dev/other", OTHER_PROJECT)

    def _install_here(self, service: Service) -> None:
        """Put a service into its directory on the development machine."""
        folder = self.machine / service.home.lstrip("/")
        try:
            if service.wheels:
                self._add_python(self.machine, service.home, service.wheels)
            self._add_files(service, self.machine, folder)
            if service.build:
                run_in_root(self.machine, f"cd {service.home}; {service.build}")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _build_clean(self, service: Service, root: Path) -> None:
        without = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _NO_DOCUMENTATION]
        include = f"--include={','.join(service.packages)}"
        mmdebstrap(root, "bookworm", "--variant=apt", include, _FAST, *without)
        _set_language(root)
        folder = root / APP.lstrip("/")
        folder.mkdir()
        if service.wheels:  # made on the development machine, at its place in the image
            self._add_python(self.machine, APP, service.wheels)
            built = self.machine / APP.lstrip("/")
            _copy(built / ".venv", folder)
            shutil.rmtree(built)
        self._add_files(service, root, folder)
        here = self.machine / service.home.lstrip("/")
        for jar in here.rglob("*.jar"):
            (folder / jar.relative_to(here)).parent.mkdir(exist_ok=True)
            shutil.copy(jar, folder / jar.relative_to(here))

    def _build_broken(self, service: Service, root: Path) -> None:
        subprocess.run(["cp", "-ax", str(self.root(service, "clean")), str(root)], check=True)
        for plant in BREAKERS[service.name]:
            plant.change(Places(root, self.machine, self._wheels, self._npm))

    def _add_files(self, service: Service, root: Path, folder: Path) -> None:
        """Put the files of a service and its Node packages into a root."""
        folder.mkdir(parents=True, exist_ok=True)
        if service.npm:
            for name in ("node_modules", "package.json", "package-lock.json"):
                _copy(self._npm / name, folder)
        places = {folder / name: text for name, text in service.files.items()}
        places |= {root / path.lstrip("/"): text for path, text in service.system_files.items()}
        for place, text in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
            place.chmod(0o755 if text.startswith("#!") else 0o644)

    def _add_python(self, root: Path, home: str, wheels: str) -> None:
        """Make a virtual environment below a directory of a root, without a network."""
        shutil.copytree(self._wheels, root / "tmp/wheels")
        try:
            run_in_root(root, f"python3 -m venv {home}/.venv")
            install = f"{home}/.venv/bin/pip install --quiet --no-index --find-links /tmp/wheels"
            run_in_root(root, f"{install} {wheels}")
        finally:
            shutil.rmtree(root / "tmp/wheels")

    def _import(self, service: Service, state: str) -> None:
        """Import a root into the engine as an image that starts the service."""
        command = ", ".join(f'"{word}"' for word in service.command)
        changes = [f"WORKDIR {APP}", f"CMD [{command}]", f"ENV LANG={LANGUAGE}"]
        changes.append("ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        words = [word for change in changes for word in ("--change", change)]
        pack = ["tar", "-C", str(self.root(service, state)), "--one-file-system"]
        with subprocess.Popen(
            [*pack, "--numeric-owner", "--xattrs", "-c", "."], stdout=subprocess.PIPE
        ) as packing:
            take = ["docker", "import", *words, "-", image_of(service, state)]
            subprocess.run(take, stdin=packing.stdout, check=True, capture_output=True)

    def remove_from_engine(self) -> None:
        """Remove the images from the engine."""
        names = [image_of(each, state) for each in SERVICES for state in ("clean", "broken")]
        subprocess.run(["docker", "rmi", "-f", *names], capture_output=True, check=False)


def image_of(service: Service, state: str) -> str:
    """Return the name of the clean or broken image of a service."""
    return f"{IMAGE}-{service.name}:{state}"


def _is_in_engine(image: str) -> bool:
    show = ["docker", "image", "inspect", image]
    return subprocess.run(show, capture_output=True, check=False).returncode == 0


def _once(place: Path, make: Callable[[Path], None]) -> bool:
    """Make a directory under another name, and rename it when it is complete; True if it was."""
    if place.exists():
        return False
    sys.stderr.write(f"building {place}\n")
    draft = place.with_name(f"{place.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    make(draft)
    os.rename(draft, place)
    return True


def _set_language(root: Path) -> None:
    (root / "etc/default/locale").write_text(f"LANG={LANGUAGE}\n")


def _copy(source: Path, place: Path) -> None:
    subprocess.run(["cp", "-a", str(source), str(place)], check=True)
