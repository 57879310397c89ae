"""The table of sections is closed: a section of packages has everything that the diff needs."""

import pytest

from envlock.capture.registry import collectors
from envlock.model.facts import SECTIONS, Family, Kind, kind_of, packages_of

PACKAGE_GROUPS = ("os", "language", "hpc")
"""Sub-packages of `envlock.capture.collectors` whose collectors write packages."""

NOT_PACKAGES = {
    "alternative", "apt-pin", "apt-source", "diversion", "os", "repository", "statoverride",
    "unread",
}  # fmt: skip
"""Sections that these collectors write beside packages."""


def group_of(collector):
    return collector.collect.__module__.split(".")[-2]


@pytest.mark.parametrize(
    "section",
    sorted(s for c in collectors() if group_of(c) in PACKAGE_GROUPS for s in c.sections),
)
def test_a_section_of_packages_has_a_family(section):
    assert (SECTIONS[section].family is None) == (section in NOT_PACKAGES)


WITHOUT_COMMAND = {"pacman", "snap", "flatpak", "opkg"}
"""Sections whose package manager installs only the newest version by name."""
NO_COMMAND = {"chisel", "homebrew"}
"""Sections of images that are made anew, or whose names have the form of a name and a version."""


@pytest.mark.parametrize("section", packages_of())
def test_a_section_of_packages_has_commands(section):
    row = SECTIONS[section]
    assert ("{" in row.install) == (section not in WITHOUT_COMMAND | NO_COMMAND)
    assert ("{" in row.install + row.remove) == (section not in NO_COMMAND)


@pytest.mark.parametrize("section", packages_of(Family.DEBIAN, Family.SYSTEM))
def test_the_packages_of_an_operating_system_have_core_libraries(section):
    assert SECTIONS[section].core_libraries


@pytest.mark.parametrize("family", Family)
def test_every_family_has_sections(family):
    assert packages_of(family)


def test_packages_are_listed_in_the_order_of_the_table():
    assert packages_of(Family.HPC, Family.DEBIAN) == ("deb", "spack", "easybuild")
    assert set(packages_of()) == {name for name, row in SECTIONS.items() if row.family}


def test_a_row_decides_the_kind_of_a_fact_in_its_section_only():
    assert kind_of("deb", "sha256") is Kind.PROVENANCE
    assert kind_of("rpm", "sha256") is Kind.DIGEST
    assert kind_of("go", "path") is Kind.ADDRESS
    assert kind_of("software", "path") is Kind.TEXT


def test_no_fact_has_two_kinds_in_one_section():
    for section in SECTIONS.values():
        assert not set(section.provenance) & set(section.address), section.name
