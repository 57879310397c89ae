"""From touched files to a trace, and from a trace to the needs that it shows elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envlock.model.scope import MemberClass, Root, RootKind
from envlock.model.trace import NO_TRACE, TouchedKind, Trace
from envlock.scope.closure import closure
from envlock.scope.edges import EDGES
from envlock.scope.engine import find_scope
from envlock.scope.graph import File, Item
from envlock.scope.roots import start
from envlock.scope.touched import trace_of
from envlock.scope.traced import traced
from tests.unit.formats.elf_files import make_elf
from tests.unit.scope.conftest import Machine


@pytest.fixture
def library() -> bytes:
    return make_elf({})


def test_packages_are_named_by_record_and_other_software_by_path(
    machine: Machine, library: bytes
) -> None:
    m = machine
    opened = [
        m.file("/usr/lib/libpq.so.5.1", library, owner="deb libpq5:amd64"),
        m.file("/usr/share/zoneinfo/UTC", owner="deb tzdata:all"),
        m.file("/srv/app/site-packages/np/_x.so", library, owner="python app/np"),
        m.file("/opt/tool/libtool.so", library),
        m.file("/opt/tool/app.jar", b"PK\3\4"),
    ]
    program = m.program("/usr/local/bin/tool", library)
    m.link("/usr/bin/alias", "/usr/local/bin/tool")
    assert trace_of(opened, ["/usr/bin/alias"], m.view) == Trace(
        {
            "deb:libpq5:amd64": ("/usr/lib/libpq.so.5.1",),
            "deb:tzdata:all": (),
            "python:app/np": (),
        },
        {
            "/opt/tool/app.jar": TouchedKind.LIBRARY,
            "/opt/tool/libtool.so": TouchedKind.LIBRARY,
            program: TouchedKind.PROGRAM,
        },
    )


def test_what_is_gone_and_directories_bring_no_package(machine: Machine) -> None:
    machine.file("/usr/share/doc/x/copyright", owner="deb x:amd64")
    machine.owners |= {"/usr/share/doc": "deb base:all", "/usr/lib/gone": "deb gone:all"}
    assert trace_of(["/usr/share/doc", "/usr/lib/gone"], [], machine.view) == NO_TRACE


def test_a_script_brings_the_interpreter_that_the_kernel_took(machine: Machine) -> None:
    machine.program("/bin/dash", owner="deb dash:amd64")
    machine.link("/bin/sh", "dash")
    machine.program("/opt/run", "#!/bin/sh -e\n")
    found = trace_of([], ["/opt/run"], machine.view)
    assert found.records == {"deb:dash:amd64": ("/bin/dash",)}
    assert found.files == {"/opt/run": TouchedKind.PROGRAM}


def test_data_is_left_out_and_configuration_is_named(machine: Machine, library: bytes) -> None:
    m = machine
    opened = [
        m.file("/home/ann/letter.txt"),
        m.file("/srv/app/data.db"),
        m.file("/var/lib/app/state"),
        m.file("/tmp/x/lib.so", library),
        m.file("/opt/not-a-library.so", "text"),
        m.file("/etc/app.ini"),
        m.file("/etc/owned.conf", owner="deb app:all"),
        m.file("/etc/ld.so.cache"),
        m.file("/lib/python3/dist-packages/x-1.dist-info/METADATA", owner="deb python3-x:all"),
        "/etc/gone.conf",
        "/proc/cpuinfo",
    ]
    found = trace_of(opened, [], m.view)
    assert found.records == {"deb:app:all": ()}
    assert found.files == {
        "/etc/app.ini": TouchedKind.CONFIG,
        "/etc/owned.conf": TouchedKind.CONFIG,
    }


@pytest.mark.parametrize(
    "path",
    [
        "/etc/ssl/private/server.key",
        "/etc/app/.htpasswd",
        "/root/.ssh/id_rsa",
        "/etc/ghp_16C7e42F292c6912E7710c838347Ae178B4a/x.conf",
    ],
)
def test_nothing_that_is_a_secret_by_its_name_is_in_a_trace(machine: Machine, path: str) -> None:
    machine.file(path, owner="deb app:all")
    assert trace_of([path], [path], machine.view) == NO_TRACE


def test_home_directories_have_no_names_of_people(machine: Machine, library: bytes) -> None:
    opened = [
        machine.file("/home/ann/.pyenv/lib/libpython.so", library),
        machine.file("/root/lib/libx.so.1", library),
    ]
    assert list(trace_of(opened, [], machine.view).files) == [
        "~/.pyenv/lib/libpython.so",
        "~/lib/libx.so.1",
    ]


def test_compiled_python_belongs_to_the_package_of_its_source(machine: Machine) -> None:
    machine.file("/usr/lib/python3/json/x.py", owner="deb libpython3-stdlib:amd64")
    opened = [machine.file("/usr/lib/python3/json/__pycache__/x.cpython-311.opt-1.pyc")]
    found = trace_of(opened, [], machine.view)
    assert found.records == {"deb:libpython3-stdlib:amd64": ()}


def needs(machine: Machine, trace: Trace, **variables: str) -> list[object]:
    around = replace(machine.around(variables), trace=trace)
    found = list(traced(around, "app"))
    assert {need.member_class for need in found} <= {MemberClass.TRACED}
    return [need.node for need in found]


def test_records_are_taken_by_key_and_else_by_name(machine: Machine) -> None:
    for section, key in (
        ("deb", "libpq5:amd64"),
        ("deb", "curl:arm64"),
        ("python", "shop/numpy"),
        ("python", "a/twice"),
        ("python", "b/twice"),
    ):
        machine.record(section, key, version="1")
    names = ("deb:libpq5:amd64", "deb:curl:amd64", "python:app/numpy", "python:app/twice")
    assert needs(machine, Trace(dict.fromkeys(names, ()), {})) == [
        Item("deb", "libpq5:amd64"),
        Item("deb", "curl:arm64"),
        Item("python", "shop/numpy"),
    ]
    (gap,) = machine.view.gaps
    assert gap.reason == "its trace names what is not here: python:app/twice"


def test_a_package_of_another_system_is_found_by_its_programs_and_libraries(
    machine: Machine,
) -> None:
    machine.program("/usr/bin/convert")
    machine.file("/usr/lib64/libpq.so.5")
    paths = ("/usr/bin/convert", "/usr/lib/x86_64-linux-gnu/libpq.so.5", "/usr/bin/none")
    found = needs(machine, Trace({"deb:x:amd64": paths}, {}))
    assert found == [File("/usr/bin/convert"), File("/usr/lib64/libpq.so.5")]
    assert machine.view.gaps == []


def test_files_are_found_where_they_are_here(machine: Machine) -> None:
    machine.program("/opt/tool")
    machine.program("/usr/local/bin/other")
    machine.file("/home/bob/lib/libx.so")
    machine.file("/etc/app.ini")
    machine.file("/etc/plain.ini")
    machine.record("file", "/etc/app.ini", sha256="00")
    files = {
        "/opt/tool": TouchedKind.PROGRAM,
        "/opt/elsewhere/other": TouchedKind.PROGRAM,
        "~/lib/libx.so": TouchedKind.LIBRARY,
        "/etc/app.ini": TouchedKind.CONFIG,
        "/etc/plain.ini": TouchedKind.CONFIG,
        "/opt/none.so": TouchedKind.LIBRARY,
    }
    assert needs(machine, Trace({}, files), HOME="/home/bob") == [
        File("/opt/tool"),
        File("/usr/local/bin/other"),
        File("/home/bob/lib/libx.so"),
        Item("file", "/etc/app.ini"),
    ]


def test_a_trace_adds_to_a_root_of_another_kind(machine: Machine) -> None:
    machine.program("/bin/app", owner="deb app:all")
    for key in ("app:all", "libpq5:amd64"):
        machine.record("deb", key, version="1")
    around = replace(machine.around(), trace=Trace({"deb:libpq5:amd64": ()}, {}))
    members = closure("app", start(Root(RootKind.EXE, "/bin/app"), around), EDGES, around)
    classes = {member.name: member.member_class for member in members}
    assert classes["deb:app:all"] is MemberClass.DECLARED
    assert classes["deb:libpq5:amd64"] is MemberClass.TRACED


def test_a_trace_can_be_the_root_and_one_without_a_root_is_said(machine: Machine) -> None:
    machine.record("deb", "libpq5:amd64", version="1")
    around = machine.around()
    trace = Trace({"deb:libpq5:amd64": ()}, {})
    roots = {"app": Root(RootKind.TRACE, "x.trace")}
    scope = find_scope(machine.view, around.lock, roots, machine.view.gaps, "/", {"app": trace})
    assert "deb:libpq5:amd64" in {member.name for member in scope.roles[0].members}
    find_scope(machine.view, around.lock, roots, machine.view.gaps, "/", {"web": trace})
    assert any("--root web=trace:FILE" in gap.reason for gap in machine.view.gaps)
