"""What is said of all paths in a folder at once is what is said of each."""

from __future__ import annotations

import pytest

from envlock.model.glob import GlobSet

FOLDERS = ("", "/etc", "/etc/ssl", "/srv", "/srv/app", "/usr/lib/python3/dist-packages/x", "/a\nb")
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
    wanted = GlobSet(globs)
    for folder in FOLDERS:
        found = {wanted(f"{folder}/{name}") for name in NAMES}
        stated = wanted.all_in(folder)
        assert stated is None or found == {stated}


def test_globs_of_whole_trees_are_decided_by_directory():
    wanted = GlobSet(("/etc/**", "**/site-packages/**"))
    assert {wanted.all_in(folder) for folder in FOLDERS} == {True, False}


def test_an_excluded_tree_matches_only_what_is_always_included():
    wanted = GlobSet(("/etc/**",), but_not=("**/cache/**",), always=("**/cache/kept",))
    assert wanted("/etc/x")
    assert wanted("/etc/cache"), "the folder itself lies in no tree"
    assert not wanted("/etc/cache/x")
    assert wanted("/etc/cache/kept")
    assert wanted("/srv/cache/kept")
    assert not wanted("/srv/x")
    assert [wanted.all_in(folder) for folder in ("/etc", "/srv", "/etc/cache")] == [
        True,
        None,
        None,
    ]
    by_folder = GlobSet(("/etc/**",), but_not=("**/cache/**",), always=("/srv/**",))
    folders = ("/etc", "/etc/cache", "/srv/cache", "/opt")
    assert [by_folder.all_in(folder) for folder in folders] == [True, False, True, False]
