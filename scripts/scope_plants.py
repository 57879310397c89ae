"""Twelve planted differences for each service, each of a kind that breaks programs.

A plant changes a copy of the image's root directory, or how a container of it is started.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from scope_services import APP, LEDGER_BUILD

LIBRARIES = "usr/lib/x86_64-linux-gnu"
_SPARE = b"\0rebuilt\0"
"""Appended to a file to make another build of it that still loads."""


class Places(NamedTuple):
    """What plants work with: the root to change, the development machine, and downloaded files."""

    root: Path
    machine: Path
    wheels: Path
    npm: Path


class Plant(NamedTuple):
    """One planted difference.

    `sign` is a regular expression that the section, key or fact of a finding caused by it matches,
    and a line of a report that shows it.  `change` is applied to the root; `environ` and `options`
    are for `docker create`.
    """

    kind: str
    what: str
    sign: str
    change: Callable[[Places], None] = lambda _places: None
    environ: Mapping[str, str] = {}
    options: tuple[str, ...] = ()


# What can be done to a root


def upgrade(root: Path, packages: str, version: str, path: str = "", old: bytes = b"") -> None:
    """Give Debian packages another version; a file of the first one becomes another build.

    Packages that depend on exactly the old version depend on the new one then.
    `path` is a glob from the root.  `old` is replaced in the file by the same number of bytes of
    `version`; without it, bytes are appended.
    """
    status = root / "var/lib/dpkg/status"
    text = status.read_text()
    for package in packages.split():
        stanza = re.search(
            rf"^Package: {re.escape(package)}\n(?:.+\n)*?Version: (.*)$", text, re.MULTILINE
        )
        if stanza is None:
            raise ValueError(f"{package} is not installed in {root}")
        text = f"{text[: stanza.start(1)]}{version}{text[stanza.end(1) :]}"
        exactly = re.escape(f"{package} (= {stanza[1]})")
        text = re.sub(rf"(?<![\w.+-]){exactly}", f"{package} (= {version})", text)
    status.write_text(text)
    if path:
        file = rebuild(root, path, old, version.encode()[: len(old)])
        _state_md5(root, packages.split(maxsplit=1)[0], file)


def rebuild(root: Path, path: str, old: bytes = b"", new: bytes = b"") -> Path:
    """Make a file of the root another build of itself, and return its real path."""
    matches = sorted(root.glob(path))
    if not matches:
        raise ValueError(f"no {path} in {root}")
    file = matches[0].resolve() if not matches[0].is_symlink() else _followed(matches[0])
    content = file.read_bytes()
    if old and old not in content:
        raise ValueError(f"{file} does not contain {old!r}")
    file.write_bytes(content.replace(old, new) if old else content + _SPARE)
    return file


def _followed(link: Path) -> Path:
    while link.is_symlink():
        link = link.parent / link.readlink().name
    return link


def _state_md5(root: Path, package: str, file: Path) -> None:
    """Let the package's list of digests state the new content of a file."""
    digest = hashlib.md5(file.read_bytes()).hexdigest()
    names = {str(file.relative_to(root)), str(file.relative_to(root)).removeprefix("usr/")}
    for listing in (root / "var/lib/dpkg/info").glob(f"{package}*.md5sums"):
        lines = [line.split("  ", 1) for line in listing.read_text().splitlines()]
        listing.write_text(
            "".join(f"{digest if path in names else md5}  {path}\n" for md5, path in lines)
        )


def remove(root: Path, packages: str) -> None:
    """Remove Debian packages although others need them."""
    run_in_root(root, f"dpkg --purge --force-depends {packages}")


def shadow(root: Path, library: str, folder: str) -> None:
    """Put another build of a library into a directory that the loader searches first."""
    source = next((root / LIBRARIES).glob(library), None) or next(root.glob(f"lib/*/{library}"))
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder / library).write_bytes(source.read_bytes() + _SPARE)
    run_in_root(root, "ldconfig")


def replace_text(root: Path, path: str, pattern: str, text: str) -> None:
    """Change the first text in a file that a regular expression matches."""
    file = root / path
    changed, count = re.subn(pattern, text, file.read_text(), count=1, flags=re.MULTILINE)
    if not count:
        raise ValueError(f"{path} has no {pattern}")
    file.write_text(changed)


def other_wheel(places: Places, requirement: str) -> None:
    """Install another version of a distribution into the environment of the image."""
    inside = places.root / "tmp/wheels"
    shutil.copytree(places.wheels, inside)
    pip = f"{APP}/.venv/bin/pip install --quiet --no-index --no-deps --find-links /tmp/wheels"
    run_in_root(places.root, f"{pip} {requirement}")
    shutil.rmtree(inside)


def other_build(root: Path, name: str) -> None:
    """Make a distribution another build of the same version: its compiled files and its tag."""
    info = next((root / APP.lstrip("/")).glob(f".venv/lib/*/site-packages/{name}-*.dist-info"))
    wheel = info / "WHEEL"
    wheel.write_text(re.sub(r"^Tag: .*\n", "Build: 1local\nTag: cp311-cp311-linux_x86_64\n",
                            wheel.read_text(), count=1, flags=re.MULTILINE))  # fmt: skip
    rows = []
    for row in (info / "RECORD").read_text().splitlines():
        path = row.rsplit(",", 2)[0]
        file = info.parent / path
        if path.endswith(".so"):
            file.write_bytes(file.read_bytes() + _SPARE)
        rows.append(record_row(path, file) if path.endswith((".so", "/WHEEL")) else row)
    (info / "RECORD").write_text("\n".join([*rows, ""]))


def record_row(path: str, file: Path) -> str:
    """Return the row of a RECORD file for a file."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).rstrip(b"=")
    return f"{path},sha256={digest.decode()},{file.stat().st_size}"


def other_node_package(places: Places, name: str, version: str) -> None:
    """Put another version of a Node package in the place of the one that is there."""
    folder = places.root / APP.lstrip("/") / "node_modules" / name
    shutil.rmtree(folder)
    folder.mkdir()
    archive = places.npm / f"{name}-{version}.tgz"
    subprocess.run(
        ["tar", "-xzf", str(archive), "--strip-components=1", "--no-same-owner", "-C", str(folder)],
        check=True,
    )


def other_jar(places: Places) -> None:
    """Build the Java service with another version of its library."""
    scratch = places.machine / "tmp/ledger"
    shutil.copytree(places.machine / "home/dev/ledger", scratch)
    shutil.rmtree(scratch / "lib")
    run_in_root(places.machine, f"cd /tmp/ledger; {LEDGER_BUILD.format(version='1.3')}")
    app = places.root / APP.lstrip("/")
    shutil.rmtree(app / "lib")
    shutil.copytree(scratch / "lib", app / "lib")
    shutil.copy(scratch / "ledger.jar", app)
    shutil.rmtree(scratch)


def trust(places: Places) -> None:
    """Let the image trust a certificate authority that the development machine does not know."""
    name = "usr/local/share/ca-certificates/planted.crt"
    request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650"
    run_in_root(
        places.machine,
        f"cd /tmp; {request} -keyout planted.key -out planted.crt -subj '/CN=Planted Test CA'",
    )
    (places.root / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(places.machine / "tmp/planted.crt", places.root / name)
    (places.machine / "tmp/planted.key").unlink()
    run_in_root(places.root, "update-ca-certificates")


def distrust(places: Places) -> None:
    """Let the image no longer trust a certificate authority."""
    replace_text(places.root, "etc/ca-certificates.conf", "^(mozilla/ISRG_Root_X1.crt)", r"!\1")
    run_in_root(places.root, "update-ca-certificates")


def own_driver(places: Places) -> None:
    """Put a copy of the GPU driver's library into the image, older than the CUDA runtime needs."""
    name = "libcuda.so.470.57.02"
    build = f"gcc -shared -fPIC -Wl,-soname,libcuda.so.1 -x c -o /tmp/{name} /dev/null"
    run_in_root(places.machine, build)
    shutil.move(places.machine / "tmp" / name, places.root / LIBRARIES / name)
    (places.root / LIBRARIES / "libcuda.so.1").symlink_to(name)
    run_in_root(places.root, "ldconfig")


def other_zone(places: Places) -> None:
    """Set the time zone of the image."""
    (places.root / "etc/localtime").unlink(missing_ok=True)
    (places.root / "etc/localtime").symlink_to("/usr/share/zoneinfo/America/New_York")
    (places.root / "etc/timezone").write_text("America/New_York\n")


def run_in_root(root: Path, script: str) -> None:
    """Run a shell script in a root directory, without a network."""
    spaces = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]
    enter = 'mount -t proc proc "$0/proc"; exec chroot "$0" sh -ec "$1"'
    argv = [*spaces, "sh", "-ec", enter, str(root), script]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{script}: {done.returncode}\n{done.stdout}{done.stderr}")
