"""The answer for all paths in a directory is that for each of them."""

from __future__ import annotations

import pytest

from envlock.model.glob import GlobSet

DIRECTORIES = (
    "",
    "/etc",
    "/etc/ssl",
    "/srv",
    "/srv/app",
    "/usr/lib/python3/dist-packages/x",
    "/a\nb",
)
NAMES = ("etc", "x", "site-packages", "dist-packages", "a.conf", ".", "\udcff", "app")


@pytest.mark.parametrize(
    "globs",
    [
        (),
        ("/**",),
        ("/etc/**",),
        ("/etc/**", "**/dist-packages/**"),
        ("/srv/*/**",),
        ("/etc/**", "/srv/app"),
        ("**/*.conf",),
        ("/srv/?pp/**", "/etc"),
    ],
)
def test_a_directory_decides_for_its_names(globs):
    globset = GlobSet(globs)
    for directory in DIRECTORIES:
        found = {globset(f"{directory}/{name}") for name in NAMES}
        answer = globset.all_in(directory)
        assert answer is None or found == {answer}


def test_globs_of_whole_trees_are_decided_by_directory():
    globset = GlobSet(("/etc/**", "**/site-packages/**"))
    assert {globset.all_in(directory) for directory in DIRECTORIES} == {True, False}


def test_an_excluded_tree_matches_only_what_is_always_included():
    globset = GlobSet(("/etc/**",), but_not=("**/cache/**",), always=("**/cache/kept",))
    assert globset("/etc/x")
    assert globset("/etc/cache"), "the directory itself is not below itself"
    assert not globset("/etc/cache/x")
    assert globset("/etc/cache/kept")
    assert globset("/srv/cache/kept")
    assert not globset("/srv/x")
    assert [globset.all_in(directory) for directory in ("/etc", "/srv", "/etc/cache")] == [
        True,
        None,
        None,
    ]
    by_directory = GlobSet(("/etc/**",), but_not=("**/cache/**",), always=("/srv/**",))
    directories = ("/etc", "/etc/cache", "/srv/cache", "/opt")
    assert [by_directory.all_in(directory) for directory in directories] == [
        True,
        False,
        True,
        False,
    ]
