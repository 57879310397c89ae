"""What a simulation of apt does beside a plan, and the words that ask for it."""

from pathlib import Path

import pytest

from envlock.apply.managers.apt import Apt, _request, _surplus
from envlock.apply.plan import PackageChange, Transaction, Verb
from envlock.apply.programs import CommandFailed, Machine

UPGRADE = PackageChange(Verb.UPGRADE, "tool", "all", "1", "2")
FOREIGN = PackageChange(Verb.INSTALL, "lib", "i386", "", "3")
REMOVAL = PackageChange(Verb.REMOVE, "old", "amd64", "1", "")


def surplus(told, *changes):
    return list(_surplus(told, Transaction("apt", changes)))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Inst tool [1] (2 localhost [all])", []),
        ("Inst tool [1] (2 localhost [all]) []", []),
        ("Inst tool [1] (2 a:1/b, c:2/d [all]) [x:amd64 ]", []),
        ("Conf other (1 localhost [all])", []),
        ("Inst tool [1] (3 localhost [all])", ["install tool 3"]),
        ("Inst other (1 localhost [amd64])", ["install other 1"]),
        ("Remv other [1]", ["remove other"]),
        ("Purg other [1]", ["remove other"]),
        ("Remv old [1]", ["remove old"]),
    ],
)
def test_only_what_is_planned_may_be_done(line, found):
    assert surplus(f"Reading package lists...\n{line}\n", UPGRADE) == found


def test_architectures_are_told_apart():
    assert surplus("Inst lib:i386 (3 localhost [i386])", FOREIGN) == []
    assert surplus("Inst lib (3 localhost [amd64])", FOREIGN) == ["install lib 3"]


def test_a_removal_that_is_planned():
    assert surplus("Remv old [1]", REMOVAL) == []


def test_removals_are_forbidden_unless_planned():
    assert "--no-remove" in _request(Transaction("apt", (UPGRADE, FOREIGN)))
    words = _request(Transaction("apt", (UPGRADE, FOREIGN, REMOVAL)))
    assert "--no-remove" not in words
    assert words[-3:] == ("tool=2", "lib:i386=3", "old:amd64-")


def test_an_interrupted_dpkg_is_an_obstacle(tmp_path):
    machine = Machine(str(tmp_path))
    assert Apt().obstacle(machine) == "there is no apt-get on it"
    (tmp_path / "usr/bin").mkdir(parents=True)
    for name in ("apt-get", "dpkg"):
        Path(tmp_path, "usr/bin", name).touch()
    assert Apt().obstacle(machine) == ""
    (tmp_path / "var/lib/dpkg/updates").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/updates/0001").touch()
    assert "interrupted" in Apt().obstacle(machine)


def test_a_command_that_fails_is_told():
    with pytest.raises(CommandFailed, match="ended with 3: said"):
        Machine("/").run(("sh", "-c", "echo said; exit 3"))
    with pytest.raises(CommandFailed, match="No such file"):
        Machine("/").run(("/no/such/program",))
    assert Machine("/").run(("sh", "-c", "echo $DEBIAN_FRONTEND")) == "noninteractive\n"
