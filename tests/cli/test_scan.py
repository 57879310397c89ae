"""``envlock scan`` finds secrets in whatever it is given and tells where, never what."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard

from envlock.model.tree import TREE_HEADER, Entry, EntryType, FileClass, Row, Tree
from envlock.store.bundle import write_bundle
from envlock.store.carried import files_of, write_files
from envlock.store.objects import Store
from envlock.store.shipment import pack_shipment
from tests.conftest import Cli

SECRET = "Hunter2Zq7vK2"
TOKEN = "ghp_" + "aB3dE6gH9jK2" * 3
SETTINGS = f"[db]\npassword = {SECRET}\n".encode()


def tar_of(**files: bytes) -> bytes:
    """Return a tar of files, whose names have underscores for slashes."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name.replace("__", "/").replace("_dot_", "."))
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def zip_of(content: bytes) -> bytes:
    """Return a zip archive of one file of settings."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("etc/app.ini", content)
    return stream.getvalue()


PACKED = {
    "plain": lambda raw: raw,
    "gzip": gzip.compress,
    "zstd": lambda raw: zstandard.ZstdCompressor().compress(raw),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "tar": lambda raw: tar_of(etc__app_dot_ini=raw),
    "tar.gz": lambda raw: gzip.compress(tar_of(etc__app_dot_ini=raw)),
    "tar in tar.zst": lambda raw: zstandard.ZstdCompressor().compress(
        tar_of(a__layer=tar_of(etc__app_dot_ini=raw), b=b"other\n")
    ),
    "zip": zip_of,
    "zip in tar": lambda raw: tar_of(x__y=zip_of(raw)),
    "utf-16": lambda raw: raw.decode().encode("utf-16"),
}


@pytest.mark.parametrize("kind", PACKED)
def test_a_secret_is_found_however_it_is_packed(kind: str, envlock: Cli, tmp_path: Path) -> None:
    suffix = {"gzip": ".gz", "zstd": ".zst", "bzip2": ".bz2", "xz": ".xz"}.get(kind, "")
    path = tmp_path / f"app.ini{suffix}"
    path.write_bytes(PACKED[kind](SETTINGS))
    told = envlock("scan", path, status=6)
    assert "password (password-setting)" in told.out
    assert SECRET not in told.out + told.err
    path.write_bytes(PACKED[kind](b"[db]\nport = 1\n"))
    assert envlock("scan", path).out == "no secrets\n"


@pytest.mark.plants_secrets("in a store, a bundle and packs, to see that they are found")
def test_packs_and_bundles_are_looked_into(envlock: Cli, tmp_path: Path) -> None:
    """A file that only its path makes a secret is found by the file tree beside it."""
    secrets = {"/etc/app.ini": SETTINGS, "/srv/notes": f"x {TOKEN}\n".encode()}
    with Store.open(tmp_path / "store") as store:
        rows = []
        for path, content in sorted(secrets.items()):
            sha256 = store.put(content)
            entry = Entry(path, EntryType.FILE, 0o644, size=len(content), sha256=sha256)
            rows.append(Row(entry, FileClass.UNOWNED, source=f"blob {sha256}"))
        tree = store.put_packed(Tree(tuple(rows)).to_bytes())
        shipment = pack_shipment(b"", tree, store, {})
        write_bundle(tmp_path / "x.bundle", shipment, "x")
        folder = tmp_path / "objects"
        write_files(folder, files_of(shipment, folder, 1 << 20) or {})
    for given in (tmp_path / "x.bundle", folder):
        told = envlock("scan", given, status=6)
        assert "password (password-setting)" in told.out
        assert "line 1 (github-token)" in told.out
        assert SECRET not in told.out + told.err
    pack = next(folder.glob("*.pack"))
    assert "github-token" in envlock("scan", pack, status=6).out
    pack.write_bytes(pack.read_bytes()[:-3])
    assert "not searched: object" in envlock("scan", pack, status=6).out


def test_a_file_is_private_where_its_mode_was_chosen_and_a_document_is_no_password(
    envlock: Cli, tmp_path: Path
) -> None:
    """Python fills in 0600 for a member of a zip archive; an index of an image has one line."""
    word = b"Zq7vK2Hu9aB3\n"
    wheel, chosen, index = tmp_path / "a.whl", tmp_path / "b.zip", tmp_path / "index.json"
    wheel.write_bytes(zip_of(word))
    with zipfile.ZipFile(chosen, "w") as archive:
        info = zipfile.ZipInfo("etc/app.ini")
        info.external_attr = (stat.S_IFREG | 0o600) << 16
        archive.writestr(info, word)
    index.touch(0o600)
    index.write_text('{"schemaVersion":2,"manifests":[]}')
    assert envlock("scan", wheel, index).out == "no secrets\n"
    assert "whole file (private-file)" in envlock("scan", chosen, status=6).out


LOCK = """\
lock-version = "1.0"

[env."DB_PASSWORD"]
value = "%s"

[process]
cmd = "[\\"x\\",\\"--token=%s\\"]"
"""


@pytest.mark.plants_secrets("in documents that stand for the outputs of older versions")
@pytest.mark.parametrize(
    ("name", "text", "places"),
    [
        ("old.lock", LOCK % (SECRET, SECRET), ["env DB_PASSWORD value", "process cmd"]),
        (
            "diff.json",
            json.dumps(
                {
                    "changes": [
                        {
                            "section": "env",
                            "key": "DB_PASSWORD",
                            "field": "value",
                            "left": SECRET,
                            "right": None,
                        }
                    ]
                }
            ),
            ["env DB_PASSWORD value"],
        ),
        ("report.html", f"<p>a <code>{TOKEN}</code></p>", ["line 1 (github-token)"]),
        ("report.txt", f"changed\n  to {TOKEN}\n", ["line 2 (github-token)"]),
        ("id_rsa", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n", ["whole file"]),
        (".netrc", "machine x login y password z1\n", ["whole file (secret-name)"]),
        ("big.env", "# filler\n" * 200_000 + f"DB_PASSWORD={SECRET}\n", ["DB_PASSWORD of part 2"]),
    ],
)
def test_documents(name: str, text: str, places: list[str], envlock: Cli, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    told = envlock("scan", path, status=6)
    for place in places:
        assert place in told.out
    assert SECRET not in told.out
    assert TOKEN not in told.out
    document = envlock("scan", "--json", path, status=6).json
    assert {hit["file"] for hit in document["hits"]} == {str(path)}
    assert document["not_searched"] == []


def test_what_a_capture_writes_is_clean(envlock: Cli, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/app.ini").write_bytes(SETTINGS)
    (root / "etc/credentials.xml").write_text(f"<password>{SECRET}</password>\n")
    envlock("capture", f"dir:{root}", "-o", "a.lock", "--record", "a.tar.zst")
    envlock("capture", f"dir:{root}", "-o", "a.lock")
    store = os.environ["XDG_DATA_HOME"]
    assert envlock("scan", "a.lock", "a.tar.zst", store).out == "no secrets\n"
    told = envlock("scan", root, status=6)
    assert "/etc/app.ini: password (password-setting)" in told.out


def test_names_links_and_what_is_no_file(envlock: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(f"https://bob:{SECRET}@example.org/")
    os.mkfifo(folder / "pipe")
    told = envlock("scan", folder, status=6)
    assert told.out.splitlines()[0].endswith("link: link target (url-credentials)")
    assert envlock("scan", tmp_path / "none", status=2).err.startswith(
        "envlock: error: there is no"
    )


def test_what_cannot_be_searched_is_not_clean(envlock: Cli, tmp_path: Path) -> None:
    path = tmp_path / "cut.tar.gz"
    path.write_bytes(gzip.compress(tar_of(etc__app_dot_ini=b"a = 1\n" * 10_000))[:60])
    told = envlock("scan", path, status=3)
    assert "not searched" in told.out
    assert envlock("scan", "--json", path, status=3).json["not_searched"][0]["file"] == str(path)


def test_a_damaged_file_tree_in_a_store_is_not_searched(envlock: Cli, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    envlock("capture", f"dir:{tmp_path / 'root'}", "-o", "a.lock")
    store = Path(os.environ["XDG_DATA_HOME"])
    with Store.open(store / "envlock") as opened:
        opened.put_packed(TREE_HEADER.encode() + b"a\n")
        opened.commit()
    told = envlock("scan", store, status=3)
    assert "not searched: a damaged file tree" in told.out


def test_archives_are_opened_to_a_depth(envlock: Cli, tmp_path: Path) -> None:
    content = SETTINGS
    for _ in range(20):
        content = gzip.compress(content)
    path = tmp_path / "deep"
    path.write_bytes(content)
    assert "archives in archives" in envlock("scan", path, status=3).out
