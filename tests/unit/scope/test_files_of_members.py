"""Files that are members beside their package, since they are not what it brought."""

from __future__ import annotations

from envlock.model.scope import MemberClass
from tests.unit.formats.elf_files import linked_elf
from tests.unit.scope.conftest import Machine
from tests.unit.scope.test_library import LOADER, STATES

LIBRARY = "/usr/lib/x86_64-linux-gnu/libx.so.1"


def program(machine: Machine) -> None:
    machine.file(LOADER, linked_elf(soname="ld-linux-x86-64.so.2") + STATES)
    machine.program("/usr/bin/x", linked_elf("libx.so.1", interpreter=LOADER), owner="deb x:amd64")
    machine.file(LIBRARY, linked_elf(soname="libx.so.1"), owner="deb libx1:amd64")


def test_a_changed_library_of_a_package_is_a_member_beside_it(machine: Machine) -> None:
    program(machine)
    machine.record("file", LIBRARY, class_="package-modified")
    members = machine.closure("exe:/usr/bin/x")
    changed = members[f"file:{LIBRARY}"]
    assert (changed.member_class, changed.via) == (
        MemberClass.LINKED,
        "deb:libx1:amd64 → libx.so.1",
    )
    assert "deb:libx1:amd64" in members


def test_a_library_as_its_package_brought_it_is_none(machine: Machine) -> None:
    program(machine)
    assert f"file:{LIBRARY}" not in machine.closure("exe:/usr/bin/x")
