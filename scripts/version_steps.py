"""The steps that compare-versions runs with each version, and the environments they need."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

from example_environments import (
    GPU_HOSTS,
    SERVICES,
    STACKS,
    WEEK,
    debian_root,
    fixtures_root,
    import_image,
    mmdebstrap,
    record,
    record_gpu_host,
    run_in,
    stack,
    start_container,
)
from version_run import Step, Version

FORMATS = ("text", "json", "markdown", "html", "sarif", "junit", "github", "gitlab")
FIXTURE_ROOTS = 4
MANY = ("text", "json", "html")
"""Formats of a report of more than two environments."""


class Environments:
    """The environments, each made when it is asked for unless an earlier run kept it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._prefix = f"envlock-compare-{hashlib.sha256(bytes(folder)).hexdigest()[:8]}"
        self._machines: list[str] = []

    def made(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return a file or directory; make it under another name, so that no half is reused."""
        path, part = self.folder / name, self.folder / "part"
        if not path.exists():
            sys.stderr.write(f"making {name}\n")
            shutil.rmtree(part, ignore_errors=True)
            make(part)
            part.rename(path)
        return path

    def copy(self, name: str, base: Path) -> Path:
        """Return a new copy of a directory, after a wait: the stat cache distrusts recent times."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        subprocess.run(["cp", "-a", str(base), str(path)], check=True)
        time.sleep(3)
        return path

    def image(self) -> str:
        """Return the name of the image of the bookworm root."""
        if not _in_engine("image", self._prefix):
            import_image(self.debian("bookworm"), self._prefix)
        return self._prefix

    def machine(self, name: str, script: str, *options: str) -> str:
        """Return the name of a running container of the image in which the script was run."""
        full = f"{self._prefix}-{name}"
        self._machines.append(full)
        if _in_engine("container", full):
            again = ["docker", "restart", "-t", "0", full]  # it lives for an hour
            subprocess.run(again, check=True, capture_output=True)
        else:
            start_container(self.image(), full, *options)
            run_in(full, script)
        return full

    def remove_from_engine(self) -> None:
        """Remove the containers and the image."""
        for words in (["rm", "-f", *self._machines], ["image", "rm", self._prefix]):
            if self._machines:
                subprocess.run(["docker", *words], check=False, capture_output=True)

    def debian(self, suite: str) -> Path:
        """Return the root of a Debian release."""
        return self.made(suite, lambda path: debian_root(path, suite))


def example_steps(made: Environments) -> Iterator[Step]:
    """Yield the steps for the example pairs and the root of the demo; make these on the way."""
    demo = made.made("demo", lambda path: mmdebstrap(path, "bookworm", "--variant=minbase"))
    planted = made.made("planted", lambda path: _planted_copy(demo, path))
    yield from captured("demo", f"dir:{demo}")
    yield from captured("planted", f"dir:{planted}")
    yield from compared("planting", "demo", "planted")
    yield from compared("planting-live", "demo", f"dir:{planted}")
    yield from rebuilt("demo")
    yield verified("demo", f"dir:{planted}", "verify-planted")
    yield from incremental(made, demo)

    for suite in ("bookworm", "trixie"):
        yield from captured(suite, f"dir:{made.debian(suite)}")
    yield from compared("releases", "bookworm", "trixie")
    yield from compared("releases-all", "bookworm", "trixie", "--all")

    yield from captured("image", f"image:{made.image()}")
    week = made.machine("week", WEEK)
    yield from captured("week", f"docker:{week}")
    yield from compared("week-pair", "image", "week")
    yield from compared("week-live", "image", f"docker:{week}")

    for name in STACKS:
        root = made.made(name, partial(stack, base=made.debian("bookworm"), name=name))
        yield from captured(name, f"dir:{root}")
    yield from compared("python", *STACKS)
    yield from compared("python-base", *STACKS, "--base", "bookworm")
    yield from rebuilt("stack-new")

    for name in GPU_HOSTS:
        recording = made.made(f"{name}.tar", partial(_record_gpu, made, name=name))
        yield from captured(name, f"recorded:{recording}")
    yield from compared("drivers", *GPU_HOSTS)

    for name, (script, options) in SERVICES.items():
        machine = made.machine(name, script, *options)
        yield from captured(name, f"docker:{machine}", "--config", "policy.toml")
    yield from compared("dev-prod", *SERVICES, "--config", "policy.toml")
    yield from rebuilt("dev")

    yield from collected(made)
    names = ("bookworm", "trixie", "image", "week", *STACKS, *GPU_HOSTS, *SERVICES, "demo")
    yield from ending(names)


def collected(made: Environments) -> Iterator[Step]:
    """Yield the steps for roots that merge fixtures of all collectors, damaged ones included."""
    names = [f"fixtures-{number}" for number in range(FIXTURE_ROOTS)]
    for number, name in enumerate(names):
        root = made.made(name, partial(fixtures_root, number=number))
        yield from captured(name, f"dir:{root}")
        recording = made.made(f"{name}.tar", partial(record, root=root, name=name))
        yield from captured(f"{name}-host", f"recorded:{recording}")
    for left, right in pairwise(names):
        yield from compared(f"{left}-{right}", left, right)
        yield from compared(f"{left}-{right}-host", f"{left}-host", f"{right}-host")


def root_steps(made: Environments, roots: Sequence[Path]) -> Iterator[Step]:
    """Yield the steps for given roots: each by itself, and each against the next."""
    names = [f"root-{number}" for number in range(len(roots))]
    for name, root in zip(names, roots, strict=True):
        yield from captured(name, f"dir:{root}")
        yield from rebuilt(name)
    for left, right in pairwise(names):
        yield from compared(f"{left}-{right}", left, right)
    yield from incremental(made, roots[0])
    yield from ending([*names, "first", "changed"])


def capturing(name: str, target: str, *options: str) -> Step:
    """Return the capture of a target."""
    words = ("capture", target, "--name", name, "--json", *options)
    return Step(f"{name}/capture.json", words, lambda version: version.keep_lock(name))


def captured(name: str, target: str, *options: str) -> Iterator[Step]:
    """Yield the capture of a target, and every command about one lock."""
    yield capturing(name, target, *options)
    yield Step(f"{name}/digest.json", ("digest", name, "--json"))
    for verb in ("show", "check"):
        yield Step(f"{name}/{verb}.json", (verb, name, "--json"))
        yield Step(f"{name}/{verb}.text", (verb, name))


def compared(name: str, left: str, right: str, *options: str) -> Iterator[Step]:
    """Yield the comparison of two environments in every format."""
    yield Step(f"{name}/report", ("diff", left, right, *options, *_reports(f"{name}/report")))


def rebuilt(name: str) -> Iterator[Step]:
    """Yield the rebuild of a lock as a layout and as an archive, and its verification."""
    words = ("materialize", name, "-o", f"image-{name}", "--archive", f"image-{name}.tar", "--json")
    yield Step(f"{name}/materialize.json", words, lambda version: version.keep_image(name))
    yield verified(name, f"oci:image-{name}", "verify")._replace(
        after=lambda version: version.drop_image(name), needs=f"image-{name}"
    )


def verified(name: str, target: str, label: str) -> Step:
    """Return the verification of a target against a lock in every format."""
    path = f"{name}/{label}"
    return Step(path, ("verify", name, target, *_reports(path)))


def incremental(made: Environments, base: Path) -> Iterator[Step]:
    """Yield captures of one root: full, unchanged, after changes; and its recording."""
    root = made.copy("living", base)
    yield capturing("first", f"dir:{root}")
    yield capturing("again", f"dir:{root}")
    plant(root)
    change_more(root)
    yield capturing("changed", f"dir:{root}")
    yield from compared("changes", "first", "changed")
    words = ("capture", f"dir:{root}", "--name", "recorded", "--record", "recorded.tar", "-q")
    yield Step("recorded/capture", words, lambda version: version.keep_recording("recorded"))


def ending(names: Sequence[str]) -> Iterator[Step]:
    """Yield the comparison of all environments and the check of the store."""
    yield Step("all/report", ("diff", *names, *_reports("all/report", MANY)))
    yield Step("store.json", ("store", "check", "--read-data", "--json"), Version.keep_objects)


def plant(root: Path) -> None:
    """Change a root as scripts/demo does: a line, a set-user-ID bit, a removed file, a new unit."""
    edited = min(root.glob("etc/**/*.conf"), default=root / "etc/planted.conf")
    with edited.open("a") as file:
        file.write("planted = yes\n")
    files = [path for path in sorted(root.glob("usr/**/*")) if path.is_file()]
    own = [path for path in files if not path.is_symlink()]
    program = next((path for path in own if path.stat().st_mode & 0o4111 == 0o111), None)
    if program:
        program.chmod(0o4755)
    if own:
        own[-1].unlink()
    units = root / "etc/systemd/system"
    units.mkdir(parents=True, exist_ok=True)
    (units / "planted.service").write_text("[Service]\nExecStart=/usr/bin/env sleep 1\n")


def change_more(root: Path) -> None:
    """Change a root in more ways: directories, links, times, an installed version."""
    (root / "srv/new/deep").mkdir(parents=True)
    (root / "srv/new/deep/data").write_text("data\n")
    (root / "srv/new/link").symlink_to("deep/data")
    for path in sorted(root.glob("usr/share/doc/*"))[:2]:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for path in sorted(root.glob("etc/*"))[:2]:
        os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)
    status = root / "var/lib/dpkg/status"
    if status.exists():
        status.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1.1", status.read_text(), count=1))


def _planted_copy(base: Path, path: Path) -> None:
    subprocess.run(["cp", "-a", str(base), str(path)], check=True)
    plant(path)


def _record_gpu(made: Environments, path: Path, name: str) -> None:
    root = made.folder / f"{name}-files"
    shutil.rmtree(root, ignore_errors=True)
    record_gpu_host(path, root, name)


def _reports(path: str, formats: Sequence[str] = FORMATS) -> Iterator[str]:
    for name in formats:
        yield from ("--format", name, "--output", f"out/{path}.{name}")


def _in_engine(kind: str, name: str) -> bool:
    argv = ["docker", kind, "inspect", name]
    return subprocess.run(argv, check=False, capture_output=True).returncode == 0
