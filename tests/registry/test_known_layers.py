"""An image of which layers are known gives the same lock as one that is read whole."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from envlock.capture.known_layers import KnownLayers
from envlock.capture.request import Request
from envlock.lockfile.writer import render_lock
from envlock.model.tree import EntryType
from envlock.registry.client import digest_of
from envlock.store.gc import collect_garbage
from envlock.store.objects import Store
from envlock.workflow import capture_target
from tests.registry.conftest import running
from tests.registry.images import push_layers

WORD = "Zk3jfu39" + "Gh28sLq0" + "pW7vTn5x"
KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{WORD * 8}\n-----END OPENSSH PRIVATE KEY-----\n"
SETTING = f"port = 1\npassword = {WORD}\n"
SHADOW = "root:*:19000:0:99999:7:::\n"
SITE = "usr/lib/python3.11/site-packages"
CACHED = b"\xa7\r\r\n" + bytes(12) + b"compiled"


class Link(NamedTuple):
    """A link, symbolic unless it is hard."""

    target: str
    is_hard: bool = False


Members = Sequence[tuple[str, bytes | str | Link | None]]
"""Path without its first slash -> content; None for a directory."""


def layer(*members: tuple[str, bytes | str | Link | None]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path, content in members:
            member = tarfile.TarInfo(path)
            member.mode = 0o755 if content is None or "bin/" in path else 0o644
            found = b""
            if content is None:
                member.type = tarfile.DIRTYPE
            elif isinstance(content, Link):
                member.type = tarfile.LNKTYPE if content.is_hard else tarfile.SYMTYPE
                member.linkname = content.target
            else:
                found = content.encode() if isinstance(content, str) else content
                member.size = len(found)
            archive.addfile(member, io.BytesIO(found))
    return raw.getvalue()


def dist(name: str, files: Mapping[str, bytes | str]) -> Members:
    """Return an installed Python package; files of other packages may be among its own."""
    listed = "".join(
        f"{path},sha256={_urlsafe(content)},{len(content)}\n" for path, content in files.items()
    )
    info = f"{SITE}/{name}-1.0.dist-info"
    return (
        (f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"),
        (f"{info}/RECORD", f"{listed}{name}-1.0.dist-info/RECORD,,\n"),
        *((f"{SITE}/{path}", content) for path, content in files.items()),
    )


def _urlsafe(content: bytes | str) -> str:
    raw = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()


def debian(md5: str) -> Members:
    status = "Package: app\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n"
    return (
        ("var/lib/dpkg/status", status),
        ("var/lib/dpkg/info/app.list", "/.\n/usr\n/usr/share\n/usr/share/app.txt\n"),
        ("var/lib/dpkg/info/app.md5sums", f"{md5}  usr/share/app.txt\n"),
    )


TEXT = "of the package\n"
MD5 = hashlib.md5(TEXT.encode()).hexdigest()
PROGRAM = Path(shutil.which("true") or "/bin/true").read_bytes()
BASE = layer(
    ("etc", None),
    ("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    ("etc/shadow", SHADOW),
    ("etc/app.conf", SETTING),
    ("etc/empty.conf", ""),
    ("bin/sh", PROGRAM),
    ("bin/script", "#!/bin/sh\nexec /bin/sh\n"),
    ("opt/tool/bin/tool", PROGRAM + b"2"),
    ("root/.ssh/id_ed25519", KEY),
    ("usr/share/app.txt", TEXT),
    ("usr/share/link", Link("app.txt")),
    ("usr/local/b", "linked\n"),
    ("usr/local/a", Link("usr/local/b", is_hard=True)),
    ("usr/local/folder/one", "1\n"),
    ("usr/local/folder/two", "2\n"),
    ("var/log/app.log", "started\n"),
    ("var/cache/app/x", "cached\n"),
    (f"{SITE}/__pycache__/late.cpython-311.pyc", CACHED),
    *debian(MD5),
    *dist("first", {"first.py": "one = 1\n", "first/data.txt": "data\n"}),
)
SHADOWING = layer(
    ("etc/app.conf", "port = 2\n"),
    ("var/log/app.log", "stopped\n"),
    ("usr/share/app.txt", "edited\n"),
    ("usr/local/b", "no longer linked\n"),
)
HIDING = layer(
    ("usr/local/.wh.b", ""),
    ("usr/local/folder", None),
    ("usr/local/folder/.wh..wh..opq", ""),
    ("usr/local/folder/three", "3\n"),
    (f"{SITE}/first-1.0.dist-info/.wh.RECORD", ""),
)
LINKING = layer(("opt/first", Link("usr/local/a", is_hard=True)), ("opt/second", "x\n"))
CLAIMING = layer(*dist("late", {"__pycache__/late.cpython-311.pyc": CACHED})[:2])
TWICE = layer(("opt/x", "one\n"), ("opt/x", "two\n"))
IMAGES = {
    "base": (BASE,),
    "shadowed": (BASE, SHADOWING),
    "shown-again": (BASE, layer(("opt/new", "new\n"))),
    "hidden": (BASE, SHADOWING, HIDING),
    "linked": (BASE, LINKING),
    "linked-and-hidden": (BASE, LINKING, HIDING),
    "claimed": (BASE, CLAIMING),
    "twice": (TWICE, BASE, TWICE),
    "above": (SHADOWING, BASE),
}


def locked(reference: str, store: Store, request: Request | None = None) -> bytes:
    """Return the bytes of the lock of an image."""
    captured = capture_target(reference, request or Request(), store, lambda *_: None)
    return render_lock(captured.lock)


def forget_captures(store: Store) -> None:
    """Forget what is known of whole images, so that only layers are known."""
    shutil.rmtree(store.cache / "known", ignore_errors=True)


def layer_files(store: Store) -> list[Path]:
    return sorted((store.cache / "known-layers").iterdir())


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory):
    """Push the images to a registry of their own, which has secrets."""
    with running(tmp_path_factory.mktemp("layers-registry")) as host:
        yield {name: push_layers(host, f"a:{name}", layers) for name, layers in IMAGES.items()}


@pytest.fixture(scope="module")
def expected(
    references: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """Return the lock of each image, captured with an empty store."""
    folder = tmp_path_factory.mktemp("expected")
    found = {}
    for name, reference in references.items():
        with Store.open(folder / name) as store:
            found[name] = locked(reference, store)
    assert len(set(found.values())) == len(found) - 1, "only what is above hides all below"
    return found


@pytest.mark.plants_secrets("in images of a registry of their own, to see what is kept of them")
@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_known_layer_gives_the_same_bytes(
    references: Mapping[str, str], expected: Mapping[str, bytes], tmp_path: Path, is_reversed: bool
):
    names = sorted(references, reverse=is_reversed)
    with Store.open(tmp_path / "store") as store:
        for name in (*names, *names):
            forget_captures(store)
            assert locked(references[name], store) == expected[name], name


@pytest.mark.plants_secrets("in images of a registry of their own, to see what is kept of them")
def test_nothing_of_a_secret_is_kept(references: Mapping[str, str], tmp_path: Path):
    with Store.open(tmp_path / "store") as store:
        locked(references["base"], store)
        known = KnownLayers(store, Request())
        (path,) = layer_files(store)
        raw = path.read_bytes()
        for content in (KEY, SETTING, WORD, SHADOW):
            assert content.encode() not in raw
            assert hashlib.sha256(content.encode()).hexdigest().encode() not in raw
        layers = [each for each in map(known.layer, _digests(references["base"])) if each]
        (found,) = ({entry.path: entry for entry in each.entries} for each in layers)
        for hidden in ("/root/.ssh/id_ed25519", "/etc/app.conf", "/etc/shadow", "/var/log/app.log"):
            assert not found[hidden].sha256
        files = [e for e in found.values() if e.type is EntryType.FILE and e.sha256]
        assert len(files) > 15
        assert all(WORD.encode() not in (known.content(entry) or b"") for entry in files)


def _digests(reference: str) -> list[str]:
    from contextlib import closing

    from envlock.registry.client import Repository
    from envlock.registry.reference import Reference

    with closing(Repository.open(Reference.parse(reference))) as repository:
        return [str(each["digest"]) for each in repository.manifest().document["layers"]]


@pytest.mark.plants_secrets("in images of a registry of their own, to see what is kept of them")
@pytest.mark.parametrize("damage", ["header", "content", "cut", "store"])
def test_a_damaged_layer_is_read_again(
    references: Mapping[str, str], expected: Mapping[str, bytes], tmp_path: Path, damage: str
):
    with Store.open(tmp_path / "store") as store:
        locked(references["base"], store)
        (path,) = layer_files(store)
        raw = bytearray(path.read_bytes())
        if damage == "header":
            raw[200] ^= 1
        elif damage == "content":
            for at in range(len(raw) - 2000, len(raw), 7):
                raw[at] ^= 1
        if damage != "store":
            path.write_bytes(raw[:-1] if damage == "cut" else raw)
    if damage == "store":
        for each in (tmp_path / "store/objects").rglob("*"):
            if each.is_file():
                each.unlink()
    with Store.open(tmp_path / "store") as store:
        forget_captures(store)
        assert locked(references["shown-again"], store) == expected["shown-again"]


@pytest.mark.plants_secrets("in images of a registry of their own, to see what is kept of them")
def test_another_request_knows_nothing_and_garbage_is_collected(
    references: Mapping[str, str], tmp_path: Path
):
    with Store.open(tmp_path / "store") as store:
        locked(references["base"], store)
        (path,) = layer_files(store)
        digests = _digests(references["base"])
        assert KnownLayers(store, Request()).layer(digests[0]) is not None
        assert KnownLayers(store, Request(value_key=None, jobs=1)).layer(digests[0]) is not None
        other = Request(ignore=("/etc/**",))
        assert KnownLayers(store, other).layer(digests[0]) is None
        locked(references["base"], store, other)
        assert len(layer_files(store)) == 2
    with Store.open(tmp_path / "store") as store:
        collect_garbage(store, -1)
        assert layer_files(store) == []
        assert digest_of(BASE) not in digests, "the layer is stored compressed"
        assert not path.exists()
