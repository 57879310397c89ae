"""Real registries on loopback: Debian's docker-registry, plain, with passwords, with TLS."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from envlock.registry.client import Repository
from envlock.registry.credentials import find_credentials
from envlock.registry.reference import Reference
from envlock.registry.transport import HostSettings, Transport
from tests.conftest import Cli, unavailable

USER, PASSWORD = "anna", "hunter2-of-the-tests"
HTPASSWD = f"{USER}:$2b$04$hNndtC7s22HUuMIdr5hSuusEzCh1nAsSZCJ02rQ6PIXOyE/TsfvOy\n"
"""The line of a file of passwords (bcrypt) for `USER` with `PASSWORD`."""

_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {data}}}
  delete: {{enabled: true}}
http:
  addr: {address}
  relativeurls: false
{more}
"""


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, more: str = "", scheme: str = "http") -> Iterator[str]:
    """Run a registry with its data in `folder`; yield its host and port."""
    program = shutil.which("docker-registry")
    if program is None:
        unavailable("registry", "docker-registry is not installed")
    folder.mkdir(exist_ok=True, parents=True)
    address = f"127.0.0.1:{free_port()}"
    config = folder / "config.yml"
    config.write_text(_CONFIG.format(data=folder / "data", address=address, more=more))
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([str(program), "serve", str(config)], stdout=log, stderr=log)
    try:
        _wait(scheme, address, server)
        yield address
    finally:
        server.terminate()
        server.wait(10)


def _wait(scheme: str, address: str, server: subprocess.Popen[bytes]) -> None:
    host, _, port = address.partition(":")
    for _ in range(300):
        assert server.poll() is None, "the registry ended"
        try:
            socket.create_connection((host, int(port)), 1).close()
            if scheme == "http":
                urllib.request.urlopen(f"http://{address}/v2/", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
            continue
        return
    raise AssertionError("the registry does not answer")


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return host and port of a registry that everybody may use."""
    with running(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture(scope="session")
def private_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return host and port of a registry that wants `USER` and `PASSWORD`."""
    folder = tmp_path_factory.mktemp("private-registry")
    (folder / "htpasswd").write_text(HTPASSWD)
    more = f"auth: {{htpasswd: {{realm: tests, path: {folder / 'htpasswd'}}}}}"
    with running(folder, more) as address:
        yield address


class Tls(NamedTuple):
    """A registry with TLS, and the certificate of the authority that signed its own."""

    address: str
    authority: Path


@pytest.fixture(scope="session")
def tls_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    """Return a registry with TLS of a private authority."""
    folder = tmp_path_factory.mktemp("tls-registry")
    authority, key = folder / "ca.crt", folder / "ca.key"
    _openssl(
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "3650",
        "-subj",
        "/CN=authority of the tests",
        "-keyout",
        key,
        "-out",
        authority,
    )
    request, extension = folder / "host.csr", folder / "ext"
    extension.write_text("subjectAltName=IP:127.0.0.1\n")
    _openssl(
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=127.0.0.1",
        "-keyout",
        folder / "host.key",
        "-out",
        request,
    )
    _openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", key, "-CAcreateserial",
        "-days", "3650", "-extfile", extension, "-out", folder / "host.crt")  # fmt: skip
    more = f"  tls: {{certificate: {folder / 'host.crt'}, key: {folder / 'host.key'}}}"
    with running(folder, more, scheme="https") as address:
        yield Tls(address, authority)


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def repository(
    registry: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Repository]]:
    """Return a function that opens a repository of a host, by default one of `registry`.

    It never waits between two tries unless it is given another `sleep`.
    """
    name = "".join(c if c.isalnum() else "-" for c in request.node.name.lower()).strip("-")
    name = "-".join(filter(None, name.split("-")))[:100]

    with ExitStack() as stack:

        def opened(
            host: str = registry,
            repository: str = name,
            environ: Mapping[str, str] | None = None,
            sleep: Callable[[float], None] = lambda _seconds: None,
            **settings: object,
        ) -> Repository:
            reference = Reference(host, repository, "latest")
            home = {"HOME": str(tmp_path), **(environ or {})}
            transport = Transport(
                host=host,
                settings=HostSettings(**{"is_plain": True, **settings}),  # type: ignore[arg-type]
                environ=home,
                sleep=sleep,
            )
            found = Repository(reference, transport, find_credentials(host, repository, home))
            stack.callback(found.close)
            return found

        yield opened


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root of files that no package has, one of them large."""
    root = tmp_path / "root"
    for number in range(300):
        path = root / f"usr/local/share/data/{number:03}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content {number}\n" * (number + 1))
    (root / "usr/local/lib").mkdir()
    (root / "usr/local/lib/large.bin").write_bytes(bytes(range(256)) * 8192)
    (root / "usr/bin").mkdir()
    shutil.copy2("/bin/sh", root / "usr/bin/sh", follow_symlinks=True)  # it has the architecture
    (root / "bin").symlink_to("usr/bin")
    (root / "etc").mkdir()
    (root / "etc/os-release").write_text("ID=test\nVERSION_ID=1\n")
    return root


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Cli]:
    """Return a function that moves on to another machine: other home, other store, other folder."""

    def go(name: str) -> Cli:
        folder = tmp_path / name / "work"
        folder.mkdir(parents=True)
        monkeypatch.setenv("HOME", str(tmp_path / name))
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / name / "data"))
        return Cli(folder)

    return go
