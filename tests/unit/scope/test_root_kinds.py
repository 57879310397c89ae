"""Roots that are directories, conda environments, processes of this machine; base interpreters."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from envlock.model.process import ProcessConfig
from envlock.model.scope import MemberClass, Root, RootKind
from envlock.scope.edges import EDGES
from envlock.scope.graph import EdgeKind, File, Item
from envlock.scope.roots import ROOTS
from envlock.targets.kinds import open_target
from tests.unit.scope.conftest import Machine, files


@pytest.fixture
def sleeping() -> Iterator[subprocess.Popen[bytes]]:
    """A process of this machine that waits with a library mapped."""
    code = "import ssl, sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": "/opt/mine/bin"},
        cwd="/",
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_process_of_this_machine_needs_its_program_and_what_it_has_mapped(
    sleeping: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with closing(open_target("host")) as target:
        machine = Machine(tmp_path, target)
        members = machine.closure(f"pid:{sleeping.pid}")
    paths = {name.partition(":")[2] for name in members}
    assert str(Path(sys.executable).resolve()) in paths
    assert any("libcrypto" in path or "_ssl" in path for path in paths)
    assert any(Path(path).name.startswith("libc.") for path in paths)


@pytest.mark.parametrize("number", ["999999999", "self", "1/../2"])
def test_a_process_that_is_not_there_is_a_gap(machine: Machine, number: str) -> None:
    assert machine.closure(f"pid:{number}") == {}
    assert machine.view.gaps


def test_what_a_captured_process_has_mapped_is_needed(machine: Machine) -> None:
    machine.program("/srv/app")
    machine.file("/usr/lib/libplugin.so", owner="deb plugin:amd64")
    line = "7f00-7f01 r-xp 00000000 fe:00 {} {}\n"
    machine.view.config = ProcessConfig(
        exe="/srv/app",
        maps=line.format(1, "/usr/lib/libplugin.so") + line.format(2, "/gone.so (deleted)"),
    )
    member = machine.closure("process")["deb:plugin:amd64"]
    assert member.member_class is MemberClass.TRACED
    assert member.via == "app → mapped by the process"


def test_a_directory_stands_for_the_programs_libraries_and_applications_below_it(
    machine: Machine,
) -> None:
    machine.program("/opt/tool/bin/run", "#!/usr/bin/tool\n")
    machine.file("/opt/tool/lib/libtool.so.1.2")
    machine.file("/opt/tool/README")
    machine.file("/opt/tool/.git/hooks/x.so")
    machine.file("/opt/tool/web/package.json", "{}")
    machine.record("npm", "web", path="/opt/tool/web")
    found = machine.roots("dir:/opt/tool")
    assert sorted(files(found)) == ["/opt/tool/bin/run", "/opt/tool/lib/libtool.so.1.2"]
    assert Item("npm", "web") in found


def test_the_choice_of_an_alternative_is_needed(machine: Machine) -> None:
    machine.program("/usr/bin/mawk")
    machine.link("/etc/alternatives/awk", "/usr/bin/mawk")
    machine.link("/usr/bin/awk", "../../etc/alternatives/awk")
    machine.record("alternative", "awk", value="/usr/bin/mawk")
    assert machine.roots("exe:awk") == [File("/usr/bin/mawk"), Item("alternative", "awk")]


def test_a_conda_environment_has_its_packages_and_its_python(machine: Machine) -> None:
    machine.record("conda", "base", path="/opt/conda")
    machine.record("conda", "base/numpy", version="1")
    machine.record("python", "conda-3.12", path="/opt/conda", version="3.12.1")
    machine.record("python", "conda-3.12/numpy", version="1")
    machine.file("/opt/conda/lib/python3.12/site-packages/x")
    found = set(machine.closure("conda:/opt/conda"))
    assert found == {
        "conda:base",
        "conda:base/numpy",
        "python:conda-3.12",
        "python:conda-3.12/numpy",
    }


def test_the_python_of_a_base_image_is_needed_as_a_whole(machine: Machine) -> None:
    """Its standard library has no package: it belongs to the environment that it serves."""
    lib = "/usr/local/lib/python3.12"
    machine.program("/usr/local/bin/python3.12")
    machine.link("/usr/local/bin/python3", "python3.12")
    machine.record("software", "/usr/local/bin/python3.12", sha256="0")
    machine.file(f"{lib}/os.py")
    machine.file(f"{lib}/lib-dynload/_ssl.so")
    machine.file(f"{lib}/site-packages/README.txt")
    machine.record("python", "local-3.12", path="/usr/local", version="3.12.1")
    machine.record("python", "local-3.12/flask", version="3")
    machine.view.config = ProcessConfig(cmd=("python3", "app.py"))
    members = machine.closure("process")
    assert set(members) == {
        "python:local-3.12",
        "python:local-3.12/flask",
        "software:/usr/local/bin/python3.12",
    }
    assert members["software:/usr/local/bin/python3.12"].via == "app"


@pytest.mark.parametrize("kind", RootKind)
def test_every_kind_of_root_says_how_it_is_written_and_where_it_begins(kind: RootKind) -> None:
    form = ROOTS[kind]
    assert str(Root.parse(form.written)) == form.written
    assert form.begins
    assert form.sources


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.name)
def test_every_kind_of_edge_says_what_it_is_and_whom_it_follows(edge: EdgeKind) -> None:
    assert edge.of
    assert edge.to
    assert edge.evidence
    assert edge.sources
    assert [each.name for each in EDGES].count(edge.name) == 1
