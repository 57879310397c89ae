"""Python distributions that load a library of the system by its name."""

from __future__ import annotations

import pytest

from envlock.model.scope import MemberClass
from envlock.scope.edges.by_name import ROWS
from tests.unit.formats.elf_files import linked_elf
from tests.unit.scope.conftest import Machine
from tests.unit.scope.test_library import LOADER, STATES

LIB = "/usr/lib/x86_64-linux-gnu"


@pytest.fixture
def app(machine: Machine) -> Machine:
    """A virtual environment, the loader, and the client library of PostgreSQL."""
    machine.file(LOADER, linked_elf(soname="ld-linux-x86-64.so.2") + STATES)
    machine.program("/usr/bin/python3.11", linked_elf(interpreter=LOADER))
    machine.link("/opt/app/bin/python", "/usr/bin/python3.11")
    machine.file("/opt/app/pyvenv.cfg", "home = /usr/bin\n")
    machine.file("/opt/app/lib/python3.11/site-packages/README.txt")
    machine.file(f"{LIB}/libpq.so.5", linked_elf(soname="libpq.so.5"), owner="deb libpq5:amd64")
    machine.record("python", "app", path="/opt/app", version="3.11.2")
    return machine


def test_a_distribution_brings_in_the_library_that_it_loads_by_name(app: Machine) -> None:
    app.record("python", "app/psycopg", version="3.2.3")
    member = app.closure("python:/opt/app")["deb:libpq5:amd64"]
    assert member.member_class is MemberClass.LOADED
    assert member.via == "python:app/psycopg → libpq.so.5"


def test_with_its_compiled_part_it_loads_nothing_by_name(app: Machine) -> None:
    app.record("python", "app/psycopg", version="3.2.3")
    app.record("python", "app/psycopg-binary", version="3.2.3")
    assert "deb:libpq5:amd64" not in app.closure("python:/opt/app")


def test_another_distribution_loads_nothing_by_name(app: Machine) -> None:
    app.record("python", "app/flask", version="3.0.3")
    assert "deb:libpq5:amd64" not in app.closure("python:/opt/app")


def test_a_library_that_is_not_there_is_no_member(app: Machine) -> None:
    app.record("python", "app/pyusb", version="1.3.1")
    assert not [name for name in app.closure("python:/opt/app") if "usb" in name.partition("/")[0]]


def test_each_row_names_its_source_and_its_distribution_once() -> None:
    assert len({row.distribution for row in ROWS}) == len(ROWS)
    assert all(row.libraries and row.source for row in ROWS)
