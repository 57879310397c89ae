"""Fixtures shared by all tests: engines that may be missing, and a real Debian root."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from tests.made import Made
from tests.packages import build_rpms, install

settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")

REQUIRED = frozenset(filter(None, os.environ.get("ENVLOCK_REQUIRE", "").split(",")))
"""Engines whose absence is a failure rather than a skip; ``all`` stands for every one."""

ENGINE_SOCKET = os.environ.get("DOCKER_HOST", "/var/run/docker.sock").removeprefix("unix://")
"""The socket of the engine that the tests use."""

PACKAGES = "nginx-light,python3,python3-venv,libcap2-bin,ca-certificates,cron,logrotate"


FIRST = (
    "tests/fuzz/test_guided.py", "tests/docker/test_service_data.py", "tests/canary/", "tests/ssh/",
    "tests/docker/", "tests/crash/", "tests/registry/", "tests/meta/", "tests/cli/",
    "tests/targets/",
)  # fmt: skip
"""Where the tests are that take long, the longest first: begun last, they leave workers idle."""

WITHOUT_RIGHTS = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
)
"""Root stays root, since the interpreter may be root's, but files of others are closed to it."""


def unavailable(engine: str, reason: str) -> None:
    """Skip a test because `engine` is missing, or fail where it is required."""
    if not REQUIRED.isdisjoint((engine, "all")):
        pytest.fail(f"{engine} is required and missing: {reason}")
    pytest.skip(f"{engine}: {reason}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take long; the order is otherwise as it was."""
    items.sort(key=lambda item: _turn(item.nodeid))


def _turn(test: str) -> int:
    return next((turn for turn, start in enumerate(FIRST) if test.startswith(start)), len(FIRST))


@pytest.fixture(autouse=True)
def _own_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from the user's store, settings and folders."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name in [name for name in os.environ if name.startswith("ENVLOCK_")]:
        if name not in ("ENVLOCK_REQUIRE", "ENVLOCK_REGOLD"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Search at the end of the run what fixtures of several tests made."""
    made = Made()
    yield made
    folders = {path for path in tmp_path_factory.getbasetemp().iterdir() if not path.is_symlink()}
    found = [hit for folder in sorted(folders - made.folders) for hit in made.hits(folder, "")]
    assert found == [], "secrets in what the tests made"


@pytest.fixture(autouse=True)
def _what_it_made_holds_no_secret(
    request: pytest.FixtureRequest, tmp_path: Path, _made: Made
) -> Iterator[None]:
    """Search what a test made, unless its mark says why it plants secrets there."""
    yield
    if mark := request.node.get_closest_marker("plants_secrets"):
        (_reason,) = mark.args
        _made.folders.add(tmp_path)
        return
    test = request.node.nodeid.partition("[")[0]
    assert _made.hits(tmp_path, test) == [], "secrets in what the test made"


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all test processes of a run share."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    path = folder / "shared"
    path.mkdir(exist_ok=True)
    return path


@contextlib.contextmanager
def once(marker: Path) -> Iterator[bool]:
    """Yield True to the one process that shall make something, to the others when it is made."""
    with marker.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not marker.exists()


@pytest.fixture(scope="session")
def debian_root(shared: Path) -> Path:
    """Return a Debian root with nginx and Python, made from the machine's own apt sources.

    It is shared and must not be changed.
    """
    if os.geteuid() or not shutil.which("mmdebstrap"):
        unavailable("registry", "a Debian root needs root and mmdebstrap")
    root = shared / "root"
    with once(root) as is_mine:
        if is_mine:
            mirror, suite = debian_mirror()
            draft = shared / "root.part"
            shutil.rmtree(draft, ignore_errors=True)
            subprocess.run(
                [
                    "mmdebstrap",
                    "--quiet",
                    "--mode=root",
                    "--format=directory",
                    "--variant=apt",
                    f"--include={PACKAGES}",
                    suite,
                    str(draft),
                    f"deb {mirror} {suite} main",
                ],
                check=True,
            )
            draft.rename(root)
    return root


@pytest.fixture(scope="session")
def rpms(shared: Path) -> list[Path]:
    """Return the package files that `tests.packages` builds."""
    if not shutil.which("rpmbuild") or os.geteuid():
        unavailable("rpm", "rpmbuild is not here, or not root")
    top, built = shared / "rpms", shared / "rpms.built"
    with once(built) as is_mine:
        if is_mine:
            top.mkdir(exist_ok=True)
            build_rpms(top)
            built.touch()
    return sorted(top.rglob("*.rpm"))


@pytest.fixture
def rpm_root(rpms: list[Path], tmp_path: Path) -> Path:
    """Return a root of its own with all of them installed."""
    return install(tmp_path / "root", rpms)


def debian_mirror() -> tuple[str, str]:
    """Return the mirror and the suite of the first Debian source of this machine's apt."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in listed.splitlines():
        uri, _, suite = line.partition(" ")
        if uri.rstrip("/").endswith("/debian") and "-" not in suite:
            return uri.rstrip("/"), suite
    unavailable("registry", "this machine's apt has no Debian source")
    raise AssertionError


class Cli:
    """The installed command line, run as a user runs it, in a folder and a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: object, status: int | None = 0, **environ: str) -> Ran:
        """Run ``envlock ARGUMENTS``; `status` is what it must end with, None for anything."""
        done = subprocess.run(
            [sys.executable, "-m", "envlock", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, **environ},
            capture_output=True,
            check=False,
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        if status is not None and ran.status != status:
            words = " ".join(map(str, arguments))
            pytest.fail(f"`envlock {words}` ended with {ran.status}\n{ran.out}\n{ran.err}")
        return ran


TAKING_INTERRUPTS = ("env", "--default-signal=INT,HUP")
"""What runs a command that SIGINT and SIGHUP reach, also where the tests ignore them."""


def was_starting(err: bytes) -> bool:
    """True when an interrupt met Python itself before it ran anything of ours."""
    return b"Failed to import the site module" in err or b"Fatal Python error: init" in err


class Ran(NamedTuple):
    """A finished command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@pytest.fixture
def envlock(tmp_path: Path) -> Cli:
    """Return the command line in an empty folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Cli(folder)


@pytest.fixture
def null_device(tmp_path: Path) -> Path:
    """Return a null device of the test's own: what replaces it must not replace the machine's."""
    path = tmp_path / "null"
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        path.write_bytes(b"x")
    except PermissionError:
        unavailable("root", "this user cannot make a device here")
    return path


@pytest.fixture(scope="session")
def engine() -> Iterator[Any]:
    """Return a client of the Docker engine; skip, or fail where required, when none answers."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=600)
        client.ping()
    except (DockerException, OSError) as error:
        unavailable("docker", str(error))
    yield client
    client.close()


@pytest.fixture(scope="session")
def debian_image(engine: Any, debian_root: Path, shared: Path) -> str:
    """Return the name of an image of `debian_root`."""
    name = "envlock-test/debian:latest"
    with once(shared / "imported") as is_mine:
        if is_mine:
            pack = ["tar", "-C", debian_root, "--numeric-owner", "--xattrs", "-c", "."]
            with subprocess.Popen(pack, stdout=subprocess.PIPE) as tar:
                take = ["docker", "import", "-", name]
                subprocess.run(take, stdin=tar.stdout, check=True, capture_output=True)
            (shared / "imported").touch()
    return name


class Container:
    """A container of the tests: commands are run in it and must succeed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def sh(self, script: str) -> str:
        """Run a shell script in it and return what it prints."""
        done = subprocess.run(
            ["docker", "exec", "-i", self.name, "sh", "-e"],
            input=script.encode(),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"in {self.name}: {script}\n{done.stdout!r}\n{done.stderr!r}")
        return done.stdout.decode("utf-8", "surrogateescape")


@pytest.fixture
def run_container(engine: Any) -> Iterator[Callable[..., Container]]:
    """Return a function that starts a container of an image; all are removed at the end."""
    started: list[str] = []

    def start(image: str, *options: str, command: Sequence[str] = ("sleep", "600")) -> Container:
        name = f"envlock-test-{uuid.uuid4().hex[:12]}"
        started.append(name)
        argv = ["docker", "run", "-d", "--name", name, "--network", "none", *options, image]
        subprocess.run([*argv, *command], check=True, capture_output=True)
        return Container(name)

    yield start
    for name in started:
        subprocess.run(["docker", "rm", "-f", "-v", name], check=False, capture_output=True)


BROWSER_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--hide-scrollbars", "--window-size=1200,900",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a headless Chromium with a profile of its own, driven by selenium."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        unavailable("browser", "chromium and chromedriver are not installed")
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(chromium)
    for flag in (*BROWSER_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=Service(str(chromedriver)))
    yield found
    found.quit()
