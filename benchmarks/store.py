"""Measure the room of the store, and what moves after an update; write Markdown tables.

    python benchmarks/store.py --output docs/explanation/measurements-of-the-store.md

It makes a Debian root with mmdebstrap, one with a virtual environment beside it, and an application
of npm, from the registries that this machine is configured with.  Each is captured and rebuilt with
a store of its own.  Then one package is replaced by another version, and both versions are pushed
to a registry on loopback (Debian's docker-registry).  Needs root, as mmdebstrap and dpkg do.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

PACKAGES = ["git", "python3", "python3-venv", "ca-certificates", "curl", "nginx-light", "less"]
WHEELS = [
    *("numpy", "pandas", "scipy", "jinja2", "click", "requests", "werkzeug", "sqlalchemy"),
    *("pyyaml", "attrs", "rich", "pydantic", "networkx", "pillow", "tqdm", "lxml", "psutil"),
    *("cryptography", "flask", "django"),
]
NODE = {"typescript": "^5", "webpack": "^5", "express": "^4"}
UPDATED, OLDER, NEWER = "click", "8.1.7", "8.1.8"
REPACKED = "less"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SPARSE, WRITTEN = 3 << 30, 1 << 20

HEAD = """# Measurements of the store

Written by

```console
$ python benchmarks/store.py --output docs/explanation/measurements-of-the-store.md
```

or, with `--moves`, its last section alone. Sizes are those that the file system gives to files, in
MB (`du`), so a file with two names counts once and a hole not at all.

## Room on the disk

*Store* is the store after a capture and a rebuild with `-o`, *both* the store and the layout
together, *archived* the store after an `--archive` besides; *times* is in times the root. *Again*
is the same rebuild once more; *bytes* is the time that reading the layers, hashing and writing
them takes (`sha256sum` and `cat`, two files at once).

| root | MB | captured | store | times | both | times | archived | times | again s | bytes s |
|-|-|-|-|-|-|-|-|-|-|-|
{rooms}
## A sparse file

A file of {size:,.0f} MB of which {written:,.0f} MB are written, in a root of its own.

| step | seconds | MB on the disk |
|-|-|-|
{sparse}
"""
MOVES = """## What moves after an update

One package is replaced by another version, and the second version pushed to a registry that has
the first. *First* and *second* are the MB that the blobs of the registry grew by each push.

| update | form | first | second | of the first | of the root |
|-|-|-|-|-|-|
{moves}
What the pushes of a lock consist of, and what a machine receives that pulls the second version, in
kB: *pull* on a machine that has the first, *pull anew* on one that has nothing (the bodies of all
answers, by the registry's log). The lock itself is not compressed, so that any tool of OCI
registries can read it.

| update | push | manifest | lock | file tree | packs, files | changes | pull | pull anew |
|-|-|-|-|-|-|-|-|-|
{parts}"""


class Room(NamedTuple):
    """Sizes on the disk in bytes, and seconds of a rebuild once more and of the bytes alone."""

    root: int
    captured: int
    store: int
    both: int
    archived: int
    again: float
    alone: float


def main() -> None:
    """Make the roots, measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--moves", action="store_true", help="only the last section of the page")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="store-") as folder:
        top = Path(folder)
        if arguments.moves:
            before, _, _ = arguments.output.read_text().partition(MOVES.partition("\n")[0])
            arguments.output.write_text(before + moves_of(*made_debian(top), top))
            return
        roots = made(top)
        rooms = "".join(
            room_line(name, room_of(Machine(top / f"room-{number}"), root))
            for number, (name, root) in enumerate(roots.items())
        )
        sparse = "".join(
            f"| {step} | {seconds:.1f} | {size / 1e6:.1f} |\n"
            for step, seconds, size in sparse_steps(top)
        )
        debian, wheels, _ = roots.values()
        moves = moves_of(debian, wheels, top)
    page = HEAD.format(rooms=rooms, sparse=sparse, size=SPARSE / 1e6, written=WRITTEN / 1e6)
    arguments.output.write_text(page + moves)


def moves_of(debian: Path, wheels: Path, top: Path) -> str:
    """Return the section of what moves after an update of each root."""
    moves = [
        moved(top / "deb", debian, f"{REPACKED} (deb)", lambda: repack(debian, top)),
        moved(top / "pip", wheels, f"{UPDATED} (wheel)", lambda: pip(wheels, NEWER)),
    ]
    return MOVES.format(
        moves="".join(rows for rows, _ in moves), parts="".join(rows for _, rows in moves)
    )


def made_debian(top: Path) -> tuple[Path, Path]:
    """Make a Debian root, and the same with wheels."""
    debian, wheels = top / "debian", top / "wheels"
    include = ",".join(PACKAGES)
    tar = top / "debian.tar"  # in no folder of ours is anything mounted when it is interrupted
    quietly("mmdebstrap", "--variant=minbase", f"--include={include}", "bookworm", tar)
    debian.mkdir()
    quietly("tar", "-C", debian, "--exclude=./dev/*", "-xpf", tar)
    tar.unlink()
    quietly("cp", "-a", debian, wheels)
    quietly("python3", "-m", "venv", wheels / "srv/venv")
    pip(wheels, OLDER, *WHEELS)
    return debian, wheels


def made(top: Path) -> dict[str, Path]:
    """Make the roots, by what they hold."""
    debian, wheels = made_debian(top)
    node = top / "node"
    make_bare(node)
    (node / "srv/app").mkdir()
    document = {"name": "app", "version": "1.0.0", "dependencies": NODE}
    (node / "srv/app/package.json").write_text(json.dumps(document))
    quietly("npm", "install", "--no-audit", "--no-fund", cwd=node / "srv/app")
    return {
        f"Debian with {', '.join(PACKAGES)}": debian,
        f"the same with {len(WHEELS)} wheels in a virtual environment": wheels,
        f"npm: {', '.join(NODE)}": node,
    }


def make_bare(root: Path) -> None:
    """Make a root with nothing but an architecture and the name of a distribution."""
    (root / "usr/bin").mkdir(parents=True)
    shutil.copy2("/bin/sh", root / "usr/bin/sh")
    (root / "bin").symlink_to("usr/bin")
    (root / "etc").mkdir()
    shutil.copy("/etc/os-release", root / "etc/os-release")
    (root / "srv").mkdir()


def pip(root: Path, version: str, *names: str) -> None:
    """Install wheels, with `UPDATED` in a version."""
    program = root / "srv/venv/bin/pip"
    quietly(program, "install", "-q", *names, f"{UPDATED}=={version}")


def repack(root: Path, top: Path) -> Path:
    """Install the next version of a Debian package; return the folder that it is published in."""
    shop = top / "shop"
    shop.mkdir()
    quietly("apt-get", "download", REPACKED, cwd=shop)
    (published,) = shop.glob("*.deb")
    quietly("dpkg-deb", "-R", published, shop / "content")
    control = shop / "content/DEBIAN/control"
    version = published.name.split("_")[1]
    control.write_text(control.read_text().replace(version, f"{version}+1"))
    program = shop / "content/bin/less"
    program = program if program.exists() else shop / "content/usr/bin/less"
    program.write_bytes(program.read_bytes() + b"\0" * 16)
    sums = shop / "content/DEBIAN/md5sums"
    sums.unlink()
    quietly("dpkg-deb", "-b", shop / "content", shop)
    published.unlink()
    (new,) = shop.glob("*.deb")
    quietly("dpkg", f"--root={root}", "-i", new)
    return shop


class Machine:
    """A home and a store of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.store = folder / "store"
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "ENVLOCK_STORE_PATH": str(self.store),
        }

    def __call__(self, *arguments: object) -> str:
        """Run envlock; return what it writes to standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "envlock", *map(str, arguments), "-q"],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1):
            raise SystemExit(f"envlock {arguments} ended with {done.returncode}")
        return done.stdout

    def timed(self, *arguments: object) -> float:
        """Return the seconds of a command."""
        started = time.perf_counter()
        self(*arguments)
        return time.perf_counter() - started


def room_of(envlock: Machine, root: Path) -> Room:
    """Capture a root, rebuild it in three ways, and measure the store after each."""
    layout = envlock.folder / "image"
    envlock("capture", f"dir:{root}", "--name", "root", "--fetch")
    captured = on_disk(envlock.store)
    envlock("materialize", "root", "-o", layout)
    store, both = on_disk(envlock.store), on_disk(envlock.store, layout)
    times = []
    for _ in range(3):
        shutil.rmtree(layout)
        again = envlock.timed("materialize", "root", "-o", layout)
        times.append((again, bytes_alone(layout, envlock.folder / "copy")))
    envlock("materialize", "root", "--archive", envlock.folder / "image.tar")
    middle = sorted(times, key=lambda pair: pair[0] / pair[1])[len(times) // 2]
    return Room(on_disk(root), captured, store, both, on_disk(envlock.store), *middle)


def bytes_alone(layout: Path, copy: Path) -> float:
    """Return the seconds for reading, hashing and writing the blobs, two at a time."""
    program = 'sha256sum "$0" >/dev/null; cat "$0" > "$1/${0##*/}"'
    copy.mkdir()
    started = time.perf_counter()
    subprocess.run(
        ["xargs", "-P2", "-I{}", "sh", "-c", program, "{}", copy],
        input="\n".join(map(str, (layout / "blobs/sha256").iterdir())),
        text=True,
        check=True,
    )
    os.sync()
    seconds = time.perf_counter() - started
    shutil.rmtree(copy)
    return seconds


def room_line(name: str, room: Room) -> str:
    """Return a row of the table of rooms."""
    cells = [name, f"{room.root / 1e6:.0f}", f"{room.captured / 1e6:.0f}"]
    for size in (room.store, room.both, room.archived):
        cells += [f"{size / 1e6:.0f}", f"{size / room.root:.2f}"]
    return f"| {' | '.join([*cells, f'{room.again:.1f}', f'{room.alone:.1f}'])} |\n"


def sparse_steps(top: Path) -> Iterator[tuple[str, float, int]]:
    """Yield what was done with a sparse file, the seconds it took, and what it left on the disk."""
    root, envlock = top / "sparse", Machine(top / "sparse-machine")
    make_bare(root)
    with (root / "srv/disk.img").open("wb") as file:
        file.truncate(SPARSE)
        file.seek(SPARSE // 2)
        file.write(os.urandom(WRITTEN))
    capture = envlock.timed("capture", f"dir:{root}", "--name", "root")
    yield "capture", capture, on_disk(envlock.store)
    for option, output in (("-o", "image"), ("--archive", "image.tar")):
        seconds = envlock.timed("materialize", "root", option, output)
        yield f"materialize {option}", seconds, on_disk(envlock.folder / output)
    yield "the store after both", 0, on_disk(envlock.store)


def moved(
    folder: Path, root: Path, name: str, update: Callable[[], Path | None]
) -> tuple[str, str]:
    """Push a root in both forms, update it, push it again; return rows of both tables."""
    envlock, size = Machine(folder), on_disk(root)
    sent: dict[str, list[int]] = {"image": [], "lock": []}
    parts, known = [], set[str]()
    with registry(folder / "registry") as (address, data, log):
        for turn in range(2):
            place = update() if turn else None
            if place:
                (envlock.folder / "envlock.toml").write_text(
                    f"[materialize]\nwheels = [{json.dumps(str(place))}]\n"
                )
            envlock("capture", f"dir:{root}", "--name", f"v{turn}")
            before = blobs(data)
            envlock("push", f"v{turn}", f"oci://{address}/locks:v{turn}", "--yes")
            between = blobs(data)
            envlock("materialize", f"v{turn}", "--push", f"oci://{address}/web:v{turn}", "--yes")
            sent["lock"].append(between - before)
            sent["image"].append(blobs(data) - between)
            parts.append(new_parts(f"http://{address}/v2/locks/manifests/v{turn}", known))
        received = [
            pulled(log, Machine(folder / f"puller-{len(tags)}"), address, tags)
            for tags in (("v0", "v1"), ("v1",))
        ]
    moves = ""
    for form, (first, second) in sent.items():
        shares = f"{second / first:.1%} | {second / size:.2%}"
        moves += f"| {name} | {form} | {first / 1e6:.2f} | {second / 1e6:.2f} | {shares} |\n"
    rows = ""
    for push, pushed, pull in zip(("first", "second"), parts, ([], received), strict=True):
        cells = [f"{number / 1e3:.1f}" for number in (*pushed, *pull)]
        rows += f"| {name} | {push} | {' | '.join([*cells, *([' | '] if not pull else [])])} |\n"
    return moves, rows


def new_parts(url: str, known: set[str]) -> list[int]:
    """Return the bytes of a manifest, and of those blobs of it that are not known, by kind."""
    request = urllib.request.Request(url, headers={"Accept": MANIFEST})
    with urllib.request.urlopen(request, timeout=30) as response:
        raw = response.read()
    sizes = {"manifest": len(raw), "lock": 0, "tree": 0, "pack": 0, "delta": 0}
    for layer in json.loads(raw)["layers"]:
        kind = layer["mediaType"].split(".")[2]
        if layer["digest"] not in known:
            sizes[kind if kind in sizes else "pack"] += layer["size"]
        known.add(layer["digest"])
    return list(sizes.values())


def pulled(log: Path, envlock: Machine, address: str, tags: tuple[str, ...]) -> int:
    """Pull versions one after another; return the bytes that were received for the last one."""
    for tag in tags:
        before = len(log.read_text())
        envlock("pull", f"oci://{address}/locks:{tag}")
    answers = re.findall(r'"GET [^"]* HTTP/1.1" 20[06] ([0-9]+) ', log.read_text()[before:])
    return sum(map(int, answers))


@contextmanager
def registry(folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """Run a registry; yield its host and port, where its data are, and its log."""
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\n"
        f"storage:\n  filesystem: {{rootdirectory: {folder / 'data'}}}\n"
        f"http:\n  addr: {address}\n"
    )
    with (folder / "log").open("wb") as log:
        argv = ["docker-registry", "serve", str(folder / "config.yml")]
        server = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        for _ in range(300):
            with suppress(OSError):
                urllib.request.urlopen(f"http://{address}/v2/", timeout=5).close()
                break
            time.sleep(0.1)
        yield address, folder / "data", folder / "log"
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder)


def blobs(data: Path) -> int:
    """Return the bytes of the blobs that a registry has."""
    found = (data / "docker/registry/v2/blobs").rglob("data")
    return sum(path.stat().st_size for path in found)


def on_disk(*paths: Path) -> int:
    """Return the bytes that files and folders take on the disk, each file once."""
    argv = ["du", "-s", "-c", "-B1", *map(str, paths)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return int(done.stdout.splitlines()[-1].split()[0])


def quietly(*command: object, cwd: Path | None = None) -> None:
    """Run a program without showing what it writes."""
    subprocess.run(list(map(str, command)), cwd=cwd, check=True, capture_output=True)


if __name__ == "__main__":
    main()
