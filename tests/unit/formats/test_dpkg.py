"""dpkg's status file and its journal, whole and damaged."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from envlock.formats.debian.dpkg import Database, parse_status, with_journal
from tests.conftest import unavailable


def stanza(name, version="1", status="install ok installed", arch="amd64", **more):
    fields = {
        "Package": name,
        "Status": status,
        "Maintainer": "nobody <nobody@example.org>",
        "Architecture": arch,
        "Version": version,
        **{key.replace("_", "-"): value for key, value in more.items()},
        "Description": "made for a test",
    }
    return "".join(f"{key}: {value}\n" for key, value in fields.items() if value) + "\n"


WHOLE = stanza("bash", "5.2") + stanza("curl", "8.5")


def names(database: Database) -> list[str]:
    return [package.name for package in database.packages]


def test_a_whole_status_file_has_no_damage():
    assert parse_status(WHOLE).damages == ()
    assert names(parse_status(WHOLE)) == ["bash", "curl"]


@pytest.mark.parametrize("status", ["hold", "deinstall", "purge", "unknown", "install"])
def test_a_selection_of_a_package_that_is_not_installed_is_no_damage(status):
    kept = f"Package: snapd\nStatus: {status} ok not-installed\nArchitecture: amd64\n\n"
    database = parse_status(WHOLE + kept)
    assert (database.damages, names(database)) == ((), ["bash", "curl"])
    assert database.gone == (("snapd", "amd64"),)


def test_every_cut_within_a_package_is_damage_and_that_package_is_not_told():
    """Only the description may be cut at the end of a line: no fact is taken from it."""
    start, last = len(stanza("bash", "5.2")), len(WHOLE) - len("Description: made for a test\n\n")
    for end in range(start + 1, last + 1):
        database = parse_status(WHOLE[:end])
        assert names(database) == ["bash"], WHOLE[:end]
        assert len(database.damages) == 1, WHOLE[:end]


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        ("", "holds no package"),
        ("\n\n", "holds no package"),
        ("Pakij: apt\nVershun: 1\n", "a package has no name"),
        (WHOLE + "Package: late\nStatus: install ok installed\n\n", "late has no version"),
        (WHOLE.replace("\n\nPackage: curl", "\nPackage: curl"), "in the middle of another"),
        (WHOLE + "\x01\x02 noise\n\n", "line 15 is not part of a package"),
        (WHOLE + "Package: openssl\nStatus: install ok insta", "in the middle of openssl"),
    ],
)
def test_damage_is_told_in_words(text, damage):
    assert damage in " ".join(parse_status(text).damages)


def test_a_status_file_by_another_program_may_end_without_an_empty_line():
    text = (
        "Package: a\nVersion: 1\n\nPackage: b\nVersion: 2\nHomepage: x\n\nPackage: c\nVersion: 3\n"
    )
    assert parse_status(text) == parse_status(f"{text}\n")
    assert parse_status(text).damages == ()


def test_a_control_file_may_end_with_its_description():
    control = stanza("base").rstrip("\n")
    assert names(parse_status(control, is_control=True)) == ["base"]
    assert parse_status(control, is_control=True).damages == ()
    cut = control.partition("Version: ")[0] + "Version: 0"
    assert parse_status(cut, is_control=True) == Database((), (), ("ends in the middle of base",))


def versions(packages) -> dict[str, str]:
    return {package.key: package.version for package in packages}


def test_the_journal_changes_adds_and_removes_packages_in_its_order():
    notes = [
        stanza("bash", "5.3", "install ok half-configured"),
        stanza("bash", "5.4") + stanza("new", "1"),
        "Package: curl\nStatus: deinstall ok not-installed\n\n",
    ]
    packages = with_journal(parse_status(WHOLE).packages, map(parse_status, notes))
    assert versions(packages) == {"bash:amd64": "5.4", "new:amd64": "1"}


def test_the_journal_replaces_another_architecture_unless_several_may_be_installed():
    before = stanza("one", "1", arch="all") + stanza("lib", "1", Multi_Arch="same")
    note = stanza("one", "2") + stanza("lib", "1", arch="i386", Multi_Arch="same")
    packages = with_journal(parse_status(before).packages, [parse_status(note)])
    assert versions(packages) == {"one:amd64": "2", "lib:amd64": "1", "lib:i386": "1"}


def test_dpkg_reads_its_journal_the_same_way(tmp_path):
    """dpkg itself applies the journal before it answers."""
    if not shutil.which("dpkg-query"):
        unavailable("dpkg", "dpkg-query is not here")
    notes = {
        "0000": stanza("bash", "5.3", "install ok unpacked"),
        "0001": stanza("bash", "5.4") + stanza("one", "2"),
        "0002": stanza("curl", "", "deinstall ok not-installed"),
        "0003": stanza("lib", "1", arch="i386", Multi_Arch="same"),
    }
    status = WHOLE + stanza("one", "1", arch="all") + stanza("lib", "1", Multi_Arch="same")
    for folder in ("info", "updates"):
        (tmp_path / folder).mkdir()
    (tmp_path / "info/format").write_text("1\n")
    (tmp_path / "status").write_text(status)
    (tmp_path / "available").touch()
    for name, text in notes.items():
        (tmp_path / "updates" / name).write_text(text)
    argv = [
        "dpkg-query",
        f"--admindir={tmp_path}",
        "-W",
        "-f",
        "${Package}:${Architecture} ${Version}\n",
    ]
    answer = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    told = dict(line.split(" ") for line in answer.splitlines() if not line.endswith(" "))
    packages = with_journal(parse_status(status).packages, map(parse_status, notes.values()))
    assert versions(packages) == told
