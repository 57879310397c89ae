"""What is published: a source archive and a wheel that hold what they should, and install."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import unavailable

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ("3.11", "3.12", "3.13")
_NOT_COPIED = shutil.ignore_patterns(".*", "*.egg-info", "build", "dist", "__pycache__")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the source archive and, built from it, the wheel."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT, folder / "source", symlinks=True, ignore=_NOT_COPIED)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, folder / "source"],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """Return the wheel."""
    (path,) = built.glob("*.whl")
    return path


def package_files() -> set[str]:
    """Return every file of the package as it stands in the source."""
    found = (path for path in (ROOT / "envlock").rglob("*") if path.is_file())
    return {str(p.relative_to(ROOT)) for p in found if "__pycache__" not in p.parts}


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
    assert {name for name in names if ".dist-info/" not in name} == package_files()
    assert {"envlock/py.typed", "envlock/report/diff.schema.json"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert re.search(r"^Name: envlockfile$", text, re.MULTILINE)
    assert re.search(r"^License-Expression: Apache-2.0$", text, re.MULTILINE)
    assert "envlock captures a running environment" in text


def test_the_source_archive_holds_what_a_build_needs(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames() if "/" in name}
        owners = {(info.uname, info.uid) for info in archive}
    files = {name for name in names if "." in name.rpartition("/")[2] or name == "LICENSE"}
    assert package_files() <= names
    assert {"pyproject.toml", "README.md", "LICENSE"} <= names
    tops = {name.partition("/")[0] for name in files}
    assert tops <= {
        "envlock", "tests", "pyproject.toml", "README.md", "LICENSE", "PKG-INFO", "setup.cfg",
        "envlockfile.egg-info",
    }  # fmt: skip
    assert len(owners) == 1


def interpreters() -> Iterator[tuple[str, str]]:
    """Yield each known version with a Python of it; the version of this one always."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    pyenv = Path.home() / ".pyenv/versions"
    for version in dict.fromkeys((*VERSIONS, here)):
        candidates = [shutil.which(f"python{version}") or ""]
        candidates += [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python"))]
        if version == here:
            candidates.insert(0, sys.executable)
        works = (path for path in candidates if path and says(path) == version)
        if (python := next(works, None)) is not None:
            yield version, python


def says(python: str) -> str:
    """Return the version an interpreter has, empty when it does not start."""
    script = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
    return done.stdout.strip()


@pytest.mark.registry
@pytest.mark.parametrize(("version", "python"), [*interpreters()])
def test_the_wheel_works_where_it_is_installed(
    version: str, python: str, wheel: Path, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    subprocess.run([python, "-m", "venv", venv], check=True)
    pip = [venv / "bin/python", "-m", "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "--no-deps", wheel], check=True, capture_output=True)
    fetched = subprocess.run([*pip, wheel], capture_output=True, text=True, check=False)
    if fetched.returncode:
        unavailable("registry", f"pip cannot fetch what {version} needs: {fetched.stderr}")

    def envlock(*words: object) -> str:
        done = subprocess.run(
            [venv / "bin/envlock", *map(str, words)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONWARNINGS": "error"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=example\n")
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/arch").write_text("amd64\n")
    assert envlock("--version").startswith("envlock ")
    assert "example" in envlock("capture", f"dir:{root}", "--name", "lesson")
    assert envlock("check", "lesson") == "lesson: ok\n"
    assert envlock("diff", "lesson", f"dir:{root}").startswith("EQUAL")
    envlock("materialize", "lesson", "-o", "image", "--offline")
    assert envlock("verify", "lesson", "oci:image").startswith("EQUAL")
