"""Wheels are downloaded by the real pip, from a directory that stands for an index."""

from __future__ import annotations

import subprocess
import sys

import pytest

from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.kinds.wheel import Wheel
from envlock.materialize.artifacts.sources.base import SourceRequest, UnreachableSourceError
from envlock.materialize.artifacts.sources.pip import PipSource, sources
from envlock.model.lock import Lock
from tests.conftest import unavailable
from tests.registry.conftest import free_port
from tests.unit.materialize.packages import write_wheel

NATIVE = "b-2-cp39-cp39-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"
PUBLISHED = "d-1-cp39-cp39-manylinux1_x86_64.whl"
NAMES = (
    "a-1-py3-none-any.whl",
    "a-2-py3-none-any.whl",
    NATIVE,
    "c-1-cp39-cp39-win_amd64.whl",
    PUBLISHED,
)
A = Wheel("a", "1", "a-1-py3-none-any.whl", "3.9.2")
B = Wheel("b", "2", NATIVE, "3.9.2")
C = Wheel("c", "1", "c-1-cp39-cp39-linux_x86_64.whl", "3.9.2")
OTHER_PYTHON = Wheel("a", "2", "a-2-py3-none-any.whl", "3.12.0")


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Return the only place where pip looks for wheels."""
    pip = [sys.executable, "-m", "pip", "--version"]
    if subprocess.run(pip, capture_output=True, check=False).returncode:
        unavailable("pip", "the interpreter of the tests has none")
    directory = tmp_path / "index"
    directory.mkdir()
    for name in NAMES:
        project, version = name.split("-")[:2]
        write_wheel(directory / name, {f"{project}.py": b""}, name=f"{project}-{version}")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return directory


def test_wheels_of_any_platform_and_interpreter_are_downloaded(index, into):
    found = PipSource().fetch([A, B, OTHER_PYTHON, Deb("d", "1", "all", "d")], into, print)
    assert found == {wheel: into / wheel.filename for wheel in (A, B, OTHER_PYTHON)}
    for wheel, path in found.items():
        assert path.read_bytes() == (index / wheel.filename).read_bytes()


def test_a_wheel_that_is_missing_does_not_hold_up_the_others(index, into):
    said = []
    assert PipSource().fetch([A, C], into, said.append) == {A: into / A.filename}
    assert any(line.startswith("ERROR: ") and "c==1" in line for line in said)


def test_a_wheel_with_its_tags_in_another_order_is_the_same(index, into):
    other = B._replace(filename="b-2-cp39-cp39-manylinux2014_aarch64.manylinux_2_17_aarch64.whl")
    assert PipSource().fetch([other], into, print) == {other: into / NATIVE}


def test_a_wheel_is_found_that_an_index_publishes_for_another_platform_than_it_says(index, into):
    """PyPI takes no wheel for linux_x86_64: torch 1.13.1 says it, and is called manylinux1."""
    own = Wheel("d", "1", "d-1-cp39-cp39-linux_x86_64.whl", "3.9.2")
    assert PipSource().fetch([A, own], into, print) == {
        A: into / A.filename,
        own: into / PUBLISHED,
    }


def test_without_wheels_pip_is_not_started(into):
    assert PipSource().fetch([Deb("d", "1", "all", "d")], into, print) == {}


def test_an_index_that_does_not_answer_is_told_as_that_and_asked_once(into, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free_port()}/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(UnreachableSourceError, match=r"pip download failed: .*refused"):
        PipSource().fetch([A, B], into, print)


def test_the_cache_of_pip_comes_before_the_network(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "cache"))
    body = tmp_path / "cache/http-v2/a/b/0123456789abcdef.body"
    body.parent.mkdir(parents=True)
    write_wheel(body, {"a.py": b""})
    cache, pip = sources(SourceRequest(Lock(sections={}), [A], tmp_path))
    assert (cache.name, cache.is_local) == ("pip's cache", True)
    assert cache.fetch([A, B], tmp_path, print) == {A: body}
    assert (pip.name, pip.is_local) == ("this machine's pip", False)
