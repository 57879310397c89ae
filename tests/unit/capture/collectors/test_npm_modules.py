"""Compiled modules of Node packages: the interface of Node and the libraries that they need."""

import shutil
import subprocess

import pytest

from envlock.model.depth import Depth
from tests.conftest import unavailable

ONLY = {"only": frozenset({"npm"}), "depth": Depth.RECORDS}


@pytest.fixture
def package(tmp_path):
    """Return the directory of a package in node_modules."""
    if not shutil.which("gcc"):
        unavailable("gcc", "there is no compiler")
    root = tmp_path / "root"
    package = root / "srv/app/node_modules/bcrypt"
    (package / "build/Release").mkdir(parents=True)
    (package / "package.json").write_text('{"name": "bcrypt", "version": "5.1.0"}')
    for name in ("usr/bin/env", "usr/lib/libfoo.so.1"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    return package


def build(package, source, *options):
    argv = ["gcc", "-x", "c", "-", "-shared", "-fPIC", "-nostdlib", *options]
    out = package / "build/Release/x.node"
    subprocess.run([*argv, "-o", out], input=source, text=True, check=True)


def facts(captured, package):
    lock = captured(package.parents[3], **ONLY).lock
    return lock.sections["npm"]["app/bcrypt"]


def test_the_interface_of_node(captured, package):
    build(package, "int node_register_module_v108(void) { return 0; }")
    assert facts(captured, package)["node-abi"] == "108"
    build(package, "int napi_register_module_v1(void) { return 0; }")
    assert "node-abi" not in facts(captured, package)


def test_a_library_that_is_missing(captured, package, tmp_path):
    library = tmp_path / "libfoo.so.1"
    argv = ["gcc", "-x", "c", "-", "-shared", "-nostdlib", "-Wl,-soname,libfoo.so.1", "-o", library]
    subprocess.run(argv, input="int f(void) { return 1; }", text=True, check=True)
    options = ("-x", "none", str(library))
    build(package, "int f(void); int g(void) { return f(); }", *options)
    assert "missing" not in facts(captured, package)
    (package.parents[3] / "usr/lib/libfoo.so.1").unlink()
    assert facts(captured, package)["missing"] == "libfoo.so.1"
