"""The libraries that the loader picks in containers, for every ELF file of real images."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from envlock.capture.captured_files import CapturedFiles
from envlock.model.lock import Lock
from envlock.scope.graph import Around
from envlock.scope.loader import Loaded, Process
from envlock.targets.kinds import open_target
from tests.conftest import debian_mirror, unavailable

pytestmark = pytest.mark.registry

LOADER = "/lib64/ld-linux-x86-64.so.2"
MUSL = "/lib/ld-musl-x86_64.so.1"
SERVICES = "dash,nginx-light,php-fpm,nodejs,musl"
WHEELS = ("numpy", "pandas", "psycopg2-binary")
_LINE = re.compile(r"\t(\S+)(?: => (not found|\S+))?(?: \(0x[0-9a-f]+\))?\Z")

_GONE = re.compile(r"Error loading shared library (\S+): ")

TRACE = f"""
export LD_TRACE_LOADED_OBJECTS=1
while read -r path; do
    echo "FILE $path"
    {LOADER} "$path" 2>&1
done
true
"""
TRACE_MUSL = f"""
while read -r path; do
    echo "FILE $path"
    {MUSL} --list "$path" 2>&1
done
true
"""


@contextmanager
def container(root: Path) -> Iterator[Callable[[str, str], str]]:
    """Yield a function that runs a shell script with an input in a container of a root."""
    name = f"envlock-test-{uuid.uuid4().hex[:12]}"
    pack = ["tar", "-C", root, "--numeric-owner", "-c", "."]
    with subprocess.Popen(pack, stdout=subprocess.PIPE) as tar:
        take = ["docker", "import", "-", name]
        subprocess.run(take, stdin=tar.stdout, check=True, capture_output=True)

    def run(script: str, told: str) -> str:
        argv = ["docker", "run", "--rm", "-i", "--network", "none", name, "sh", "-c", script]
        done = subprocess.run(argv, input=told, check=True, capture_output=True, text=True)
        return done.stdout

    try:
        yield run
    finally:
        subprocess.run(["docker", "rmi", "-f", name], check=False, capture_output=True)


def elf_files(root: Path) -> list[str]:
    """Return the programs and libraries for this machine, by their paths in the root."""
    found = []
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                head = stream.read(20)
            is_ours = head[:5] == b"\x7fELF\x02" and head[18:20] == b"\x3e\0"
            if is_ours and head[16] in (2, 3):
                found.append(f"/{path.relative_to(root)}")
    return found


def told_by(output: str) -> dict[str, dict[str, str]]:
    """Return path -> library -> path, empty where not found, as a loader lists them."""
    found: dict[str, dict[str, str]] = {}
    for line in output.splitlines():
        if line.startswith("FILE "):
            libraries = found[line.removeprefix("FILE ")] = {}
        elif (match := _LINE.match(line)) and "linux-vdso" not in line:
            name, path = match.groups()
            libraries[name] = "" if path == "not found" else path or name
        elif match := _GONE.match(line):
            libraries[match[1]] = ""
    return found


def compare(
    root: Path, told: Mapping[str, Mapping[str, str]], levels: tuple[str, ...] = ()
) -> tuple[int, list[str]]:
    """Return how many libraries of files are the same, and those that are not."""
    agreed, different = 0, []
    lock = Lock(sections={"host.libc": {"": {"hwcaps": " ".join(levels)}}})
    with closing(open_target(f"dir:{root}")) as target:
        view = CapturedFiles(
            target,
            owner=lambda _: "",
            digest=lambda _: "",
            open_file=lambda entry: target.open(entry.path),
        )
        around = Around(view=view, lock=lock)
        for path, libraries in told.items():
            linkage = view.linkage(path)
            assert linkage is not None
            process = Process(Loaded(path, path, linkage), around)
            process.link()
            loader = process.settings.path if process.settings else ""
            ours = {link.name: link.path for each in process.objects for link in each.links}
            theirs = {name: where and view.resolve(where) for name, where in libraries.items()}
            for name in sorted({*ours, *theirs}):
                if loader in (ours.get(name), theirs.get(name)):
                    continue  # it lists itself whether or not it is needed
                if ours.get(name) == theirs.get(name):
                    agreed += 1
                else:
                    different.append(
                        f"{path}: {name}: {ours.get(name)!r}, not {theirs.get(name)!r}"
                    )
    return agreed, different


def check(what: str, root: Path, capsys: pytest.CaptureFixture[str], least: int) -> None:
    with container(root) as run:
        told = told_by(run(TRACE, "\n".join(elf_files(root)) + "\n"))
        helped = run(f"{LOADER} --help", "")
    levels = tuple(re.findall(r"^  (x86-64-v\d) \(supported, searched\)", helped, re.MULTILINE))
    agreed, different = compare(root, told, levels)
    with capsys.disabled():
        share = 100 * agreed / (agreed + len(different))
        print(f"\n{what}: {len(told)} files, {agreed} libraries, {share:.2f} % as the loader")
    assert different == []
    assert agreed >= least


def test_a_plain_debian(debian_root, engine, capsys):
    check("plain Debian", debian_root, capsys, 500)


def test_wheels_that_bring_their_libraries(debian_root, engine, capsys, tmp_path):
    root = tmp_path / "root"
    subprocess.run(["cp", "-ax", debian_root, root], check=True)
    packages = root / "srv/app/.venv/lib/python3.11/site-packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    target = ["--only-binary", ":all:", "--python-version", "3.11", "--target", packages]
    subprocess.run([*pip, *target, *WHEELS], check=True)
    check("Python with wheels", root, capsys, 1000)


@pytest.fixture(scope="module")
def services_root(tmp_path_factory):
    """A root with services; its packages are unpacked and not configured."""
    if not shutil.which("mmdebstrap"):
        unavailable("registry", "there is no mmdebstrap")
    root = tmp_path_factory.mktemp("services") / "root"
    mirror, suite = debian_mirror()
    argv = ["mmdebstrap", "--quiet", "--mode=root", "--format=directory", "--variant=extract"]
    source = f"deb {mirror} {suite} main"
    subprocess.run([*argv, f"--include={SERVICES}", suite, root, source], check=True)
    subprocess.run(["ldconfig", "-r", root], check=True)
    return root


def test_services(services_root, engine, capsys):
    check("nginx, PHP and Node", services_root, capsys, 500)


BUILDS = (
    # output, needed, options
    ("opt/lib/liba.so.1", (), ()),
    ("opt/lib/glibc-hwcaps/x86-64-v2/liba.so.1", (), ()),
    ("opt/inner/libc1.so", (), ()),
    ("opt/lib/libb.so.1", ("liba.so.1", "libc1.so"), ()),
    ("opt/lib/libd.so.1", ("libc1.so",), ("-rpath", "/nowhere", "--enable-new-dtags")),
    ("usr/local/lib/libe.so.1", ("libb.so.1",), ()),
)
OLD, NEW = "--disable-new-dtags", "--enable-new-dtags"
PROGRAMS = (
    ("rpath", ("libb.so.1", "libd.so.1"), ("-rpath", "$ORIGIN/../lib:/opt/inner", OLD)),
    ("runpath", ("libb.so.1", "liba.so.1"), ("-rpath", "${ORIGIN}/../lib:/opt/inner", NEW)),
    ("default", ("libe.so.1",), ()),
    ("lib", ("liba.so.1",), ("-rpath", "/opt/$LIB:/opt/lib", NEW)),
    ("nodeflib", ("libe.so.1", "liba.so.1"), ("-z", "nodefaultlib", "-rpath", "/opt/lib")),
)


def build(root: Path, output: str, needed: tuple[str, ...], options: tuple[str, ...]) -> None:
    """Link a library, or a program where the options name a loader, that needs only names."""
    where = root / output
    where.parent.mkdir(parents=True, exist_ok=True)
    named = [next(root.rglob(name)) for name in needed]
    linker = ["-Wl," + ",".join(options)] if options else []
    kind = ["-pie"] if "--dynamic-linker" in options else ["-shared", f"-Wl,-soname,{where.name}"]
    subprocess.run(
        ["gcc", "-nostdlib", "-nostartfiles", *kind, "-x", "c", "-", "-x", "none",
         "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined", "-Wl,--unresolved-symbols=ignore-all",
         *linker, *named, "-o", where],
        input=b"void _start(void) {}" if "-pie" in kind else b"int x;", check=True,
    )  # fmt: skip


@pytest.mark.parametrize(("loader", "trace"), [(LOADER, TRACE), (MUSL, TRACE_MUSL)])
def test_run_paths(loader, trace, services_root, engine, capsys):
    if not shutil.which("gcc"):
        unavailable("compiler", "there is no gcc")
    for output, needed, options in BUILDS:
        build(services_root, output, needed, options)
    folder = f"opt/{Path(loader).name}"
    programs = []
    for name, needed, options in PROGRAMS:
        build(services_root, f"{folder}/{name}", needed, (*options, "--dynamic-linker", loader))
        programs.append(f"/{folder}/{name}")
    subprocess.run(["ldconfig", "-r", services_root], check=True)
    with container(services_root) as run:
        told = told_by(run(trace, "\n".join(programs) + "\n"))
        helped = run(f"{LOADER} --help", "")
    levels = tuple(re.findall(r"^  (x86-64-v\d) \(supported, searched\)", helped, re.MULTILINE))
    agreed, different = compare(services_root, told, levels)
    assert different == []
    assert len(told) == len(PROGRAMS)
    assert agreed >= len(PROGRAMS)
