"""The conda collector on an environment that a conda client created."""

import asyncio
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest
import rattler

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.model.tree import FileClass
from envlock.store.objects import Store
from envlock.targets.local.filesystem import LocalTarget

PLACEHOLDER = "/opt/placeholder_placeholder_placeholder_placeholder_placeholder_placehold_placehold"
SITE = "lib/python3.11/site-packages"
METADATA = b"Metadata-Version: 2.1\nName: %s\nVersion: %s\n"
RECORD = b"%s-%s.dist-info/METADATA,,\n%s-%s.dist-info/RECORD,,\n"


class Channel:
    """A channel in a directory, with packages that the test builds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packages: dict[str, dict[str, object]] = {"linux-64": {}, "noarch": {}}

    def add(self, name, version, build, subdir, files, depends=()):
        """Build a package and add it to the index."""
        index = {
            "name": name, "version": version, "build": build, "build_number": 0,
            "subdir": subdir, "depends": list(depends), "noarch": "generic",
        }  # fmt: skip
        if subdir != "noarch":
            del index["noarch"]
        paths = [
            {
                "_path": path,
                "path_type": "hardlink",
                "sha256": hashlib.sha256(content).hexdigest(),
                "size_in_bytes": len(content),
                **(
                    {"prefix_placeholder": PLACEHOLDER, "file_mode": "text"}
                    if PLACEHOLDER.encode() in content
                    else {}
                ),
            }
            for path, content in files.items()
        ]
        members = {
            "info/index.json": json.dumps(index).encode(),
            "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode(),
            "info/files": "\n".join(files).encode(),
            **files,
        }
        archive = self.folder / subdir / f"{name}-{version}-{build}.tar.bz2"
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "w:bz2") as tar:
            for path, content in members.items():
                member = tarfile.TarInfo(path)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        raw = archive.read_bytes()
        digests = {
            "md5": hashlib.md5(raw, usedforsecurity=False).hexdigest(),
            "sha256": hashlib.sha256(raw).hexdigest(),
        }
        self.packages[subdir][archive.name] = {**index, **digests, "size": len(raw)}

    def install(self, prefix: Path, *specs: str) -> list[rattler.PrefixRecord]:
        """Install packages into an environment; return the records of the client."""
        for subdir, packages in self.packages.items():
            repodata = {"info": {"subdir": subdir}, "packages": packages, "packages.conda": {}}
            (self.folder / subdir).mkdir(parents=True, exist_ok=True)
            (self.folder / subdir / "repodata.json").write_text(json.dumps(repodata))

        async def work() -> None:
            cache = self.folder.parent / "cache"
            found = await rattler.solve(
                [rattler.Channel(self.folder.as_uri())],
                [rattler.MatchSpec(spec) for spec in specs],
                platforms=[rattler.Subdir("linux-64"), rattler.Subdir("noarch")],
                gateway=rattler.Gateway(cache_dir=cache / "index"),
            )
            await rattler.install(
                found,
                target_prefix=prefix,
                cache_dir=prefix.parent.parent / "pkgs",
                show_progress=False,
            )

        asyncio.run(work())
        return [
            rattler.PrefixRecord.from_path(path) for path in (prefix / "conda-meta").glob("*.json")
        ]


@pytest.fixture
def environment(tmp_path):
    """Return the prefix of an environment, and the records of the client."""
    channel = Channel(tmp_path / "channel")
    numpy = f"{SITE}/numpy-1.26.4.dist-info"
    channel.add("libblas", "3.9.0", "h1_0", "linux-64", {"lib/libblas.so.3": b"b" * 100})
    channel.add(
        "numpy",
        "1.26.4",
        "py311_0",
        "linux-64",
        {
            f"{numpy}/METADATA": METADATA % (b"numpy", b"1.26.4"),
            f"{numpy}/RECORD": RECORD % (b"numpy", b"1.26.4", b"numpy", b"1.26.4"),
            f"{numpy}/INSTALLER": b"conda\n",
            f"{SITE}/numpy/__init__.py": b"",
        },
        ["libblas"],
    )
    script = f"#!{PLACEHOLDER}/bin/python\n".encode()
    channel.add("tool", "2.0", "0", "noarch", {"bin/tool": script}, ["numpy >=1.20"])
    prefix = tmp_path / "root/opt/conda/envs/ml"
    records = channel.install(prefix, "tool >=1")
    requests = prefix / SITE / "requests-2.31.0.dist-info"
    requests.mkdir(parents=True)
    (requests / "METADATA").write_bytes(METADATA % (b"requests", b"2.31.0"))
    (requests / "INSTALLER").write_text("pip\n")
    return prefix, records


def captured(root: Path, folder: Path, *sections: str):
    with Store.open(folder / "store") as store:
        target = LocalTarget(root, "dir:root", is_host=False)
        return capture(target, collectors(), Request(only=frozenset(sections)), store=store)


def test_the_client_agrees(tmp_path, environment):
    prefix, records = environment
    found = captured(tmp_path / "root", tmp_path, "conda").lock.sections["conda"]
    packages = {key: facts for key, facts in found.items() if "/" in key}
    assert {key.partition("/")[2]: facts["version"] for key, facts in packages.items()} == {
        record.name.normalized: str(record.version) for record in records
    }
    for record in records:
        facts = packages[f"ml/{record.name.normalized}"]
        assert facts["build"] == str(record.build)
        assert facts["subdir"] == record.subdir
        assert facts["sha256"] == record.sha256.hex()
        assert facts["channel"] == "local"
    assert str(prefix) not in str(found)


def test_nothing_is_counted_twice(tmp_path, environment):
    """The cache of unpacked packages is not an environment, and pip packages are only in python."""
    lock = captured(tmp_path / "root", tmp_path, "conda", "python").lock
    assert sorted(key for key in lock.sections["python"] if "/" in key) == [
        "ml-3.11/numpy",
        "ml-3.11/requests",
    ]
    assert lock.sections["python"]["ml-3.11/numpy"]["packaged-by"] == "conda ml/numpy"
    assert "packaged-by" not in lock.sections["python"]["ml-3.11/requests"]
    assert "ml/requests" not in lock.sections["conda"]


def test_files_have_owners_and_edits_are_noticed(tmp_path, environment):
    prefix, _ = environment
    before = captured(tmp_path / "root", tmp_path, "conda").tree
    (prefix / "lib/libblas.so.3").write_bytes(b"edited")
    after = captured(tmp_path / "root", tmp_path, "conda").tree
    path = "/opt/conda/envs/ml/lib/libblas.so.3"
    rows = [{row.entry.path: row for row in tree.rows} for tree in (before, after)]
    assert rows[0]["/opt/conda/envs/ml/bin/tool"].file_class is FileClass.PACKAGE
    assert rows[0][path].file_class is FileClass.PACKAGE
    assert rows[0][path].owner == "conda ml/libblas"
    assert rows[1][path].file_class is FileClass.PACKAGE_MODIFIED
