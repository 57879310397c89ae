"""Other engines: a context with its certificates, an address; two engines in one comparison.

The second engine is the first one behind a proxy that wants TLS with certificates of both sides.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import ENGINE_SOCKET, Cli

pytestmark = pytest.mark.docker


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with an authority and certificates of a server and a client."""
    folder = tmp_path_factory.mktemp("engine-certificates")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650")
    openssl("req", "-x509", *new, "-subj", "/CN=ca", "-keyout", folder / "ca-key", "-out", folder / "ca.pem")  # fmt: skip  # noqa: E501
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl("req", *new[:-2], "-subj", f"/CN={name}", "-keyout", folder / f"{name}-key", "-out", folder / "csr")  # fmt: skip  # noqa: E501
        openssl("x509", "-req", "-in", folder / "csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca-key", "-CAcreateserial", "-days", "3650", "-extfile", folder / "ext", "-out", folder / f"{name}.pem")  # fmt: skip  # noqa: E501
    return folder


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def tls_engine(engine, certificates: Path) -> Iterator[str]:
    """Run the proxy; return its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server-key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))

    def join(raw: socket.socket) -> None:
        with (
            raw,
            suppress(OSError),
            context.wrap_socket(raw, server_side=True) as taken,
            socket.socket(socket.AF_UNIX) as there,
        ):
            there.connect(ENGINE_SOCKET)
            back = threading.Thread(target=pump, args=(there, taken))
            back.start()
            pump(taken, there)
            back.join()

    def serve() -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=join, args=(listener.accept()[0],)))
                threads[-1].start()

    threads = []
    threading.Thread(target=serve, daemon=True).start()
    yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join(30)


def as_docker_has_them(certificates: Path, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, source in (("ca", "ca.pem"), ("cert", "client.pem"), ("key", "client-key")):
        shutil.copy(certificates / source, folder / f"{name}.pem")
    return folder


def add_context(configuration: Path, name: str, host: str) -> Path:
    """Add a context; return the directory for its certificates."""
    key = hashlib.sha256(name.encode()).hexdigest()
    meta = configuration / "contexts/meta" / key
    meta.mkdir(parents=True)
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
    document = {"Name": name, "Metadata": {}, "Endpoints": endpoints}
    (meta / "meta.json").write_text(json.dumps(document))
    return configuration / "contexts/tls" / key / "docker"


@pytest.mark.plants_secrets("the key of a client's certificate, as a Docker context has it")
def test_two_engines_in_one_comparison(
    tls_engine: str, certificates: Path, run_container, debian_image, tmp_path: Path, envlock: Cli
):
    environ = {"DOCKER_CONFIG": str(tmp_path / "docker")}
    as_docker_has_them(certificates, add_context(tmp_path / "docker", "prod", tls_engine))
    dev, prod = run_container(debian_image), run_container(debian_image)
    prod.sh("echo 1 > /usr/local/marker")
    operands = (f"docker:{dev.name}", f"docker:{prod.name}@prod")
    found = envlock("diff", *operands, "--whole", status=1, **environ).out
    assert "/usr/local/marker" in found
    contexts = subprocess.run(
        ["docker", "--context", "prod", "version", "--format", "{{.Server.Version}}"],
        env={**environ, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
    )
    assert contexts.stdout.strip(), "docker itself reads this context"


@pytest.mark.plants_secrets("the key of a client's certificate, as a Docker context has it")
def test_certificates_are_checked_on_both_sides(
    tls_engine: str, certificates: Path, debian_image, tmp_path: Path, envlock: Cli
):
    folder = as_docker_has_them(certificates, tmp_path / "certificates")
    environ = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(folder)}
    operand = f"image:{debian_image}@{tls_engine}"
    asked = ["capture", operand, "--only", "os", "-o", "-"]
    assert "debian" in envlock(*asked, **environ).out
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other",
            "-keyout", foreign / "key.pem", "-out", foreign / "cert.pem")  # fmt: skip
    shutil.copy(foreign / "cert.pem", folder / "ca.pem")
    refused = envlock(*asked, status=4, **environ)
    assert f"does not answer at {tls_engine}" in refused.err
    assert "its certificate is not accepted" in refused.err, "the server is not of this authority"
    shutil.copy(certificates / "ca.pem", folder / "ca.pem")
    assert "debian" in envlock(*asked, **environ).out
    for name in ("cert.pem", "key.pem"):
        shutil.copy(foreign / name, folder / name)
    assert "does not answer" in envlock(*asked, status=4, **environ).err, "nor is the client"
    assert "does not answer" in envlock(*asked, status=4).err, "without certificates"
