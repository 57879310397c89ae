"""Measure envlock against its peers in one run and print Markdown tables."""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from against import against
from images import images
from locks import fleet_lock, synthetic_lock
from measure import Command, in_turn, paired_table, run_once, table
from tracing import trace_table, traced_suites

PACKAGES = "nginx,redis-server,git,openssh-server,python3,python3-venv,ca-certificates"
WHEELS = (
    "numpy pandas scikit-learn scipy matplotlib jinja2 click requests werkzeug sqlalchemy pyyaml"
    " attrs rich pydantic networkx pillow tqdm lxml psutil cryptography"
)
HERE = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
ENVLOCK = str(BIN / "envlock")


def main() -> int:
    """Parse the command line, run every comparison, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, help="an existing Debian root file system")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--output", type=Path, help="also write the tables here")
    parser.add_argument(
        "--host", action="store_true", help="measure this machine instead, every file of it"
    )
    parser.add_argument(
        "--images", action="store_true", help="measure images and containers of Docker instead"
    )
    parser.add_argument("--image", default="", metavar="REF", help="an image for --images")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="CHECKOUT",
        help="compare with this older envlock instead; ends with 1 if slower",
    )
    parser.add_argument(
        "--trace", action="store_true", help="what a trace costs instead; ends with 1 if too much"
    )
    arguments = parser.parse_args()
    output = arguments.output.absolute() if arguments.output else None
    given = arguments.root.resolve() if arguments.root else None
    older = arguments.against.resolve() if arguments.against else None
    holds = True
    with tempfile.TemporaryDirectory(prefix="envlock-bench-") as folder:
        work = Path(folder)
        os.environ["XDG_DATA_HOME"] = str(work / "data")
        os.chdir(work)
        if arguments.host:
            sections = list(host(work, arguments.runs))
        elif arguments.trace:
            suites = list(traced_suites(HERE, work, arguments.runs))
            sections = [trace_table(suites)]
            holds = all(suite.holds for suite in suites)
        elif arguments.images:
            root = None if arguments.image else given or build_root(work / "root")
            text, holds = images(root, arguments.image, ENVLOCK, work, arguments.runs)
            sections = [text]
        elif older:
            pairs = against(older, HERE, given or build_root(work / "root"), work, arguments.runs)
            sections = [paired_table("Against an older version", pairs)]
            holds = not any(pair.is_worse for pair in pairs)
        else:
            root = given or build_root(work / "root")
            sections = [heading(root), *comparisons(root, work, arguments.runs)]
    text = "\n".join(sections)
    sys.stdout.write(text)
    if output:
        output.write_text(text)
    return 0 if holds else 1


def comparisons(root: Path, work: Path, runs: int) -> Iterator[str]:
    """Yield one table after another."""
    target = f"dir:{root}"
    lock = work / "root.lock"
    packages = [ENVLOCK, "capture", target, "--only", "deb", "--only", "os", "-o", "-", "-q"]
    yield compare(
        "Package inventory of the root",
        [
            Command("envlock capture --only deb", packages),
            *peer("dpkg-query", ["dpkg-query", "--admindir", f"{root}/var/lib/dpkg", "-W"]),
            *peer("syft", [tool("syft"), "-q", "-o", "json", target]),
        ],
        runs,
    )
    full = [ENVLOCK, "capture", target, "-o", str(lock), "-q"]
    find = f"find {root} -xdev -type f -print0 | xargs -0 -P2 -n64"
    both = f'{find} sh -c \'sha256sum "$@"; md5sum "$@"\' -'
    subprocess.run(full, check=True, stdout=subprocess.DEVNULL)
    store = work / "data/envlock"
    no_cache = ["sh", "-c", f"rm -rf {store}/statcache* {store}/cache"]
    yield compare(
        "Every file hashed",
        [
            Command("envlock capture, nothing known", full, no_cache),
            Command("find, xargs -P2 sha256sum", ["sh", "-c", f"{find} sha256sum"]),
            Command("find, xargs -P2 sha256sum and dpkg's md5sum", ["sh", "-c", both]),
            Command("envlock capture, unchanged tree", full),
            *peer("debsums", ["debsums", "-as", f"--root={root}"]),
            *peer("dpkg --verify", ["dpkg", f"--root={root}", "--verify"]),
        ],
        runs,
    )
    yield (
        "dpkg states nothing but MD5, so that telling an edited file from a packaged one takes both"
        " digests: the third row is the limit.\n"
    )
    layout = work / "layout"
    build = [ENVLOCK, "materialize", str(lock), "-o", str(layout), "-q"]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    unpacked = ["rm", "-rf", str(layout)]
    yield compare(
        "The root as an image",
        [
            Command("envlock materialize, artifacts fetched before", build, unpacked),
            Command("envlock materialize --offline", [*build, "--offline"], unpacked),
            *mmdebstrap(root),
        ],
        max(1, runs // 2),
    )
    yield compare_diff(work, runs)
    yield compare_fleet(work, runs)
    yield compare(
        "Start",
        [
            Command("envlock --help", [ENVLOCK, "--help"]),
            Command("python -c pass", [sys.executable, "-c", "pass"]),
        ],
        runs * 2,
    )
    yield memory(work)


def host(work: Path, runs: int) -> Iterator[str]:
    """Yield the tables of this machine; the scanner gets nine minutes, once."""
    store = work / "data/envlock"
    names = [ENVLOCK, "capture", "host", "-o", str(work / "host.lock"), "-q"]
    deep = [*names, "--deep"]
    forget = ["rm", "-rf", str(store)]
    # The same tree: envlock leaves its own store out.
    find = ["find", "/", "-xdev", "-path", str(store), "-prune", "-o", "-print"]
    yield heading_of_machine(find)
    yield compare(
        "Packages, facts and configuration, nothing known",
        [Command("envlock capture host", names, forget), Command("find / -xdev", find)],
        runs,
    )
    yield compare(
        "Packages, facts and configuration, again",
        [Command("envlock capture host", names), Command("find / -xdev", find)],
        runs,
    )
    sys.stderr.write("Every file for the first time\n")
    first = run_once(Command("", deep))
    yield compare(
        "Every file, again",
        [Command("envlock capture host --deep", deep), Command("find / -xdev", find)],
        runs,
    )
    held = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    yield (
        f"Every file for the first time took {first.wall:.0f} s and {first.peak_mb:.0f} MB;"
        f" {held / 1e9:.1f} GB that no package gives back were kept.\n"
    )
    if shutil.which(tool("syft")):
        sys.stderr.write("syft\n")
        scan = ["timeout", "540", tool("syft"), "-q", "-o", "json", "dir:/"]
        started = time.perf_counter()
        done = subprocess.run(
            scan, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        says = {0: "finished", 124: "did not finish"}  # timeout(1)
        yield (
            f"syft of this machine {says.get(done.returncode, 'failed')} after"
            f" {time.perf_counter() - started:.0f} s; it was given nine minutes.\n"
        )


def heading_of_machine(find: list[str]) -> str:
    """Return what the tables of the machine begin with."""
    listed = subprocess.run(find, capture_output=True, check=False).stdout.count(b"\n")
    packages = len(list(Path("/var/lib/dpkg/info").glob("*.list")))
    return (
        "# Measurements of a machine\n\n"
        "Written by `python benchmarks/run.py --host --output"
        " docs/explanation/measurements-of-a-machine.md`. Whole processes, run in turn; medians;"
        " ratios are\nmedians of paired ratios.\n\n"
        f"Machine: {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python"
        f" {platform.python_version()}; {packages:,} packages and {listed:,} paths.\n"
    )


def compare(title: str, commands: list[Command], runs: int) -> str:
    """Measure commands in turn and return their table."""
    sys.stderr.write(f"{title}: {', '.join(command.name for command in commands)}\n")
    return table(title, commands, in_turn(commands, runs))


def compare_diff(work: Path, runs: int) -> str:
    """Measure a diff of two locks with 5,000 packages and 5,000 files each."""
    left, right = work / "left.lock", work / "right.lock"
    left.write_text(synthetic_lock(0))
    right.write_text(synthetic_lock(40))
    text = [ENVLOCK, "diff", str(left), str(right)]
    script = (
        "import sys, tomllib, deepdiff;"
        "a, b = (tomllib.load(open(p, 'rb')) for p in sys.argv[1:]);"
        "print(len(deepdiff.DeepDiff(a, b)['values_changed']))"
    )
    return compare(
        "Diff of two locks, 5,000 packages and 5,000 files",
        [
            Command("envlock diff", text),
            Command("envlock diff --format json", [*text, "--format", "json"]),
            Command(
                "deepdiff on the parsed locks",
                [sys.executable, "-c", script, str(left), str(right)],
            ),
        ],
        runs,
    )


def compare_fleet(work: Path, runs: int) -> str:
    """Measure the comparison of many locks with 2,500 packages and 2,500 files each."""
    locks = [str(work / f"host-{number}.lock") for number in range(200)]
    for number, lock in enumerate(locks):
        Path(lock).write_text(fleet_lock(number))
    script = (
        "import sys, tomllib, deepdiff;"
        "a, *rest = (tomllib.load(open(p, 'rb')) for p in sys.argv[1:]);"
        "print([len(deepdiff.DeepDiff(a, b, threshold_to_diff_deeper=0)) for b in rest])"
    )
    few = [
        Command("envlock diff", [ENVLOCK, "diff", *locks[:10]]),
        Command(
            "deepdiff of the first and each other", [sys.executable, "-c", script, *locks[:10]]
        ),
    ]
    many = [
        Command("envlock diff", [ENVLOCK, "diff", *locks]),
        Command("envlock diff --format json", [ENVLOCK, "diff", "--json", *locks]),
    ]
    return "\n".join(
        [
            compare("10 environments of 5,000 records", few, max(1, runs // 2)),
            compare("200 environments of 5,000 records", many, runs),
        ]
    )


def memory(work: Path) -> str:
    """Return the peak memory of capturing one small and one large file."""
    commands = []
    for megabytes in (1, 1024):
        root = work / f"size{megabytes}"
        (root / "srv").mkdir(parents=True)
        with (root / "srv/data").open("wb") as file:
            for _ in range(megabytes):
                file.write(os.urandom(1 << 20))
        argv = [ENVLOCK, "capture", f"dir:{root}", "-o", str(work / "size.lock"), "-q"]
        commands.append(Command(f"envlock capture, one file of {megabytes} MB", argv))
    return compare("Memory does not grow with file size", commands, 1)


def mmdebstrap(root: Path) -> Iterator[Command]:
    """Yield mmdebstrap for the same packages, when it and the suite's mirror are there."""
    if not shutil.which("mmdebstrap"):
        return
    names = subprocess.run(
        ["dpkg-query", "--admindir", f"{root}/var/lib/dpkg", "-W", "-f", "${Package},"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.rstrip(",")
    suite, mirror = suite_and_mirror(root)
    argv = ["mmdebstrap", "--quiet", "--variant=custom", f"--include={names}", "--format=tar"]
    yield Command("mmdebstrap", [*argv, suite, "-", f"deb {mirror} {suite} main"])


def suite_and_mirror(root: Path) -> tuple[str, str]:
    """Return the suite of a root and the mirror its own sources name."""
    release = (root / "etc/os-release").read_text()
    suite = re.search(r"VERSION_CODENAME=(\w+)", release)
    text = "".join(
        path.read_text() for path in (root / "etc/apt").glob("sources.list*") if path.is_file()
    )
    mirror = re.search(r"https?://\S+", text)
    if not (suite and mirror):
        raise SystemExit(f"{root} names no suite or no mirror")
    return suite.group(1), mirror.group()


def build_root(root: Path) -> Path:
    """Build a Debian root from the first Debian source of this machine's apt."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    sources = (line.split() for line in listed.splitlines())
    mirror, suite = next((uri, name) for uri, name in sources if uri.rstrip("/")[-7:] == "/debian")
    argv = ["mmdebstrap", "--quiet", "--format=directory", "--variant=apt", f"--include={PACKAGES}"]
    subprocess.run([*argv, suite, str(root), f"deb {mirror} {suite} main"], check=True)
    add_wheels(root)
    return root


def add_wheels(root: Path) -> None:
    """Install the wheels into a virtual environment of the root, for the root's own Python."""
    version = next(root.glob("usr/lib/python3.*")).name.removeprefix("python").replace(".", "")
    glibc = (f"--platform=manylinux_2_{minor}_x86_64" for minor in (5, 12, 17, 24, 26, 27, 28))
    tags = (f"--python-version={version}", "--implementation=cp", f"--abi=cp{version}",
            "--abi=abi3", "--abi=none", "--platform=manylinux2014_x86_64", "--platform=any",
            *glibc)  # fmt: skip
    folder = root / "tmp/wheels"
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
    subprocess.run([*fetch, "--dest", str(folder), *tags, *WHEELS.split()], check=True)
    subprocess.run(["chroot", str(root), "python3", "-m", "venv", "/srv/app/venv"], check=True)
    install = ["chroot", str(root), "/srv/app/venv/bin/pip", "install", "--quiet", "--no-index"]
    subprocess.run([*install, "--find-links", "/tmp/wheels", *WHEELS.split()], check=True)
    shutil.rmtree(folder)


def peer(name: str, argv: list[str]) -> Iterator[Command]:
    """Yield a peer's command when the peer is installed."""
    if shutil.which(argv[0]):
        yield Command(name, argv)
    else:
        sys.stderr.write(f"not measured, not installed: {name}\n")


def tool(name: str) -> str:
    """Return the path of a tool beside this Python, or its bare name."""
    beside = BIN / name
    return str(beside) if beside.exists() else name


def heading(root: Path) -> str:
    """Return the head of the page: what was measured on what."""
    files = sum(len(names) for _, _, names in os.walk(root))
    return (
        "# Measurements\n\n"
        "Written by `python benchmarks/run.py --output docs/explanation/measurements.md`. "
        "Whole processes, run in turn; medians; ratios are medians of paired ratios.\n\n"
        f"Machine: {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}. "
        f"Root: {files:,} files, {PACKAGES.replace(',', ', ')}; a virtual environment with "
        f"{WHEELS.replace(' ', ', ')}.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
