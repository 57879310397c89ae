"""Run every verb over environments with planted secrets, and keep everything that was written."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from envlock.report.formats import FORMATS
from tests.canary.needles import Needles, unpacked, written
from tests.canary.plants import Garden, plant_everything
from tests.unit.secrets.samples import MARKER

GENERATIONS = ("a", "b")


class Journey:
    """What every verb wrote: name of the output -> the pieces of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs: dict[str, list[bytes]] = {}
        self.gardens: list[Garden] = []
        self._environ = dict(os.environ)
        for name in ("DATA", "CONFIG", "STATE", "CACHE"):
            self._environ[f"XDG_{name}_HOME"] = str(folder / name.lower())

    def go(self) -> None:
        """Capture both generations in every way, and print them in every form."""
        for generation in GENERATIONS:
            garden = plant_everything(self.folder / generation / "root", generation)
            self.gardens.append(garden)
            self._capture(garden, generation)
        for row in FORMATS.values():
            options = ("--exit-zero", "--format", row.name)
            self.run(f"diff {row.name}", "diff", "a.lock", "b.lock", "--all", *options)
            if row.many:
                self.run(f"diff {row.name}", "diff", "a.lock", "b.lock", "c.lock", *options)
        self._keep("store", self.folder / "data")
        self.run("scan", "scan", "data", *self._files("*.tar"), *self._files("*.lock"))

    def _capture(self, garden: Garden, name: str) -> None:
        target, lock = f"dir:{garden.root}", f"{name}.lock"
        self.run("capture", "capture", target, "-o", lock, "-v")
        self.run("capture", "capture", target, "-o", lock, "--json")
        self._keep("lock", self.folder / lock)
        for verb in ("show", "digest", "check", "git-textconv"):
            self.run(verb, verb, lock)
        self.run("show", "show", lock, "--json")
        lines = (self.folder / lock).read_text().splitlines()
        self.run("show", "show", lock, *sorted(set(filter(None, map(_section_of, lines)))))
        for path in sorted({plant.path for plant in garden.plants if plant.path[:1] == "/"})[:3]:
            self.run("explain", "explain", path)
        self.run("materialize", "materialize", lock, "-o", f"{name}.oci", "--offline")
        self._keep("image", self.folder / f"{name}.oci")
        self.run("verify", "verify", lock, f"oci:{name}.oci")
        self.run("scan", "scan", lock, f"{name}.oci")
        self.run("scan of the plants", "scan", str(garden.root), status=6)
        self._record(target, name)
        self._image(garden, name)
        self._process(garden, name)
        if name == "a":
            self.run("capture", "capture", target, "-o", "c.lock")

    def _record(self, target: str, name: str) -> None:
        recording, lock = f"{name}.tar", f"{name}-recorded.lock"
        self.run("recording", "capture", target, "-o", lock, "--record", recording)
        self._keep("recording", self.folder / recording)
        self._keep("lock", self.folder / lock)

    def _image(self, garden: Garden, name: str) -> None:
        layout, lock = image_of(garden, self.folder / f"{name}-image"), f"{name}-image.lock"
        self.run("capture", "capture", f"oci:{layout}", "-o", lock)
        self._keep("lock", self.folder / lock)
        self.run("show", "show", lock, "--json")
        self._record(f"oci:{layout}", f"{name}-image")

    def _process(self, garden: Garden, name: str) -> None:
        lock = f"{name}-process.lock"
        with process_of(garden) as pid:
            self.run("capture", "capture", f"pid:{pid}", "-o", lock)
            self._record(f"pid:{pid}", f"{name}-process")
        self._keep("lock", self.folder / lock)

    def _files(self, glob: str) -> list[str]:
        return sorted(path.name for path in self.folder.glob(glob))

    def run(self, output: str, *arguments: str, status: int = 0) -> None:
        """Run a verb, which ends with `status` or says that something differs; keep its output."""
        done = subprocess.run(
            [sys.executable, "-m", "envlock", *arguments],
            cwd=self.folder,
            env=self._environ,
            capture_output=True,
            check=False,
        )
        told = f"{' '.join(arguments)}: {done.returncode} {done.stderr.decode()[-400:]}"
        told += done.stdout.decode()[-4000:]
        if done.returncode not in (status, 1):
            raise AssertionError(told)
        self.outputs.setdefault(output, []).append(done.stdout)
        self.outputs.setdefault("standard error", []).append(done.stderr)

    def _keep(self, output: str, path: Path) -> None:
        if path.is_dir():
            pieces = [raw + str(name).encode() for name, raw in written(path)]
        else:
            pieces = list(unpacked(path.read_bytes()))
        self.outputs.setdefault(output, []).extend(pieces)


def _section_of(line: str) -> str:
    """Return the section that the heading of a record names, empty for any other line."""
    return line[1:].partition('."')[0].rstrip("]") if line.startswith("[") else ""


def image_of(garden: Garden, folder: Path) -> Path:
    """Write an OCI layout of a small root, whose configuration holds secrets in every field."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    secret = lambda: garden.secret("images", "config")  # noqa: E731

    def blob(raw: bytes) -> dict[str, object]:
        digest = hashlib.sha256(raw).hexdigest()
        (blobs / digest).write_bytes(raw)
        return {"digest": f"sha256:{digest}", "size": len(raw)}

    small = folder.parent / f"{folder.name}-root"
    (small / "etc").mkdir(parents=True)
    (small / "etc/app.ini").write_text(f"a = 1\npassword = {secret()}\n")
    (small / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    layer = subprocess.run(
        ["tar", "-C", small, "--numeric-owner", "-c", "."], check=True, capture_output=True
    ).stdout
    config = {
        "Env": _variables(garden),
        "Entrypoint": ["/bin/x", "--token", secret(), "-p", "x", f"--api-key={secret()}"],
        "Cmd": ["-H", f"Authorization: Bearer {secret()}", "-u", f"bob:{secret()}"],
        "Labels": {
            "app.password": secret(),
            "x.url": f"https://bob:{secret()}@example.org/",
            "x.note": garden.token("images", "config"),
            "traefik.basicauth.users": f"bob:$2y$05${secret()}{'aB3dE6gH9jK2mN5p' * 2}",
            "com.example.config": json.dumps({"api_key": secret()}),
        },
        "Healthcheck": {"Test": ["CMD", "curl", "-u", f"bob:{secret()}", "http://localhost/"]},
        "WorkingDir": f"/srv/{garden.token('images', 'config')}",
        "User": "bob",
        "Volumes": {f"/data/{garden.token('images', 'config')}": {}},
        "Shell": ["/bin/sh", "-c", f"export API_TOKEN={secret()};"],
        "StopSignal": "SIGTERM",
    }
    history = [{"created_by": f"RUN curl -u bob:{secret()} https://example.org/"}]
    raw = json.dumps({"config": config, "history": history, "architecture": "amd64", "os": "linux"})
    manifest = blob(json.dumps({"config": blob(raw.encode()), "layers": [blob(layer)]}).encode())
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return folder


def _variables(garden: Garden) -> list[str]:
    """Return variables that affect software, and so have values in a lock, and others."""
    secret = lambda: garden.secret("images", "variables")  # noqa: E731
    return [
        f"JAVA_OPTS=-Xmx1g -Djavax.net.ssl.keyStorePassword={secret()}",
        f"TF_VAR_db_password={secret()}",
        f"TF_TOKEN_app_terraform_io={secret()}",
        f"PYTHON_KEYRING_PASSWORD={secret()}",
        f"NODE_OPTIONS=--token={secret()}",
        f"PYTHONPATH=/srv/{garden.token('images', 'variables')}",
        f"PATH=/usr/bin:/{garden.token('images', 'variables')}",
        f"CUDA_MPS_TOKEN={secret()}",
        f"OMPI_MCA_auth_password={secret()}",
        f"MAVEN_OPTS=-Dpassword={secret()}",
        f'CFLAGS=-DSECRET="{secret()}"',
        f"HOME_PASSWORD={secret()}",
        f"PIP_INDEX_URL=https://bob:{secret()}@example.org/",
    ]


_CHROOTED = """\
import os, sys, time
os.chroot(sys.argv[1])
os.chdir("/")
print(flush=True)
time.sleep(600)
"""


@contextmanager
def process_of(garden: Garden) -> Iterator[int]:
    """Run a process in a small root with secrets in its arguments and environment."""
    root = garden.root.parent / "process-root"
    (root / "etc").mkdir(parents=True, exist_ok=True)
    (root / "etc/app.ini").write_text(
        f"a = 1\npassword = {garden.secret('processes', '/etc/app.ini')}\n"
    )
    secret = lambda: garden.secret("processes", "arguments")  # noqa: E731
    argv = [
        "--token", secret(), f"--password={secret()}", "-e", f"DB_PASSWORD={secret()}", "-H",
        f"Authorization: Bearer {secret()}", f"https://bob:{secret()}@example.org/",
    ]  # fmt: skip
    environ = {
        "DB_PASSWORD": secret(),
        "JAVA_OPTS": f"-Dtoken={secret()}",
        "LANG": "C.UTF-8",
        "PYTHONPATH": f"/srv/{garden.token('processes', 'environment')}",
    }
    with subprocess.Popen(
        [sys.executable, "-c", _CHROOTED, str(root), *argv], env=environ, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05)
        try:
            yield process.pid
        finally:
            process.kill()


class Found(NamedTuple):
    """How many secrets were planted by kind of place, and which leaked by output."""

    planted: Mapping[str, int]
    leaked: Mapping[str, list[str]]


def search(journey: Journey) -> Found:
    """Search everything that was written for every planted secret."""
    plants = [plant for garden in journey.gardens for plant in garden.plants]
    contents = [content for garden in journey.gardens for content in garden.contents]
    needles = Needles((plant.secret for plant in plants), contents, MARKER)
    where = {plant.secret: f"{plant.place} {plant.path}" for plant in plants}
    leaked = {
        output: sorted(
            f"{secret} {where.get(secret, '')}".rstrip()
            for secret in set().union(*map(needles.found_in, pieces))
        )
        for output, pieces in journey.outputs.items()
    }
    return Found(Counter(plant.place for plant in plants), leaked)
