"""apk's database and configuration files."""

import pytest

from envlock.formats.apk import ProtectedPaths, parse_checksum, parse_installed, parse_world


def test_the_last_matching_pattern_decides_whether_a_path_is_protected():
    paths = ProtectedPaths.parse(
        "+etc\n@etc/init.d\n!etc/apk\n-etc/tool/*.cache\n\n?junk\n+opt/*/conf\n"
    )
    covered = {
        "/etc/passwd": True,
        "/etc/init.d/x": False,
        "/etc/apk/world": False,
        "/etc/tool/a.cache": False,
        "/etcetera": False,
        "/opt/a/conf/b": True,
    }
    assert {path: paths.covers(path) for path in covered} == covered


def test_world_is_parsed_with_its_constraints():
    world = parse_world("musl nginx<1.29 shop@local=1.2-r0\n!telnet so:libc.so.1 a~1.2 .deps\n")
    assert world == {
        "musl": "musl", "nginx": "nginx<1.29", "shop": "shop@local=1.2-r0",
        "so:libc.so.1": "so:libc.so.1", "a": "a~1.2", ".deps": ".deps",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "Q1", "Q1***", "Q9abcd", "zz", "0123", "Q1\udcff"])
def test_malformed_checksums_are_empty(text):
    assert parse_checksum(text) in ("", "sha1:")


def entry(name, version="1-r0", files="F:bin\nR:x\nZ:Q1aaaaaaaaaaaaaaaaaaaaaaaaaaa=\n"):
    return f"C:Q1bbbbbbbbbbbbbbbbbbbbbbbbbbb=\nP:{name}\nV:{version}\nA:x86_64\n{files}\n"


def test_a_database_that_ends_in_the_middle_of_a_package_is_damaged():
    whole = entry("musl", "1.2.5-r0") + entry("busybox", "1.36.1-r2")
    assert parse_installed(whole).damages == ()
    begin = len(entry("musl", "1.2.5-r0"))
    for end in range(begin + 1, len(whole) - 1):
        if whole[end - 1] == "\n":
            continue
        found = parse_installed(whole[:end])
        assert "ends in the middle" in found.damages[0], whole[:end]
        told = {package.name: package.version for package in found.packages}
        assert told["musl"] == "1.2.5-r0"
        assert told.get("busybox", "1.36.1-r2") == "1.36.1-r2", "half a version is not told"


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        ("", "holds no package"),
        ("\n\n", "holds no package"),
        (entry("a") + "P:b\n\n", "package 2 has no name or no version"),
        (entry("a").replace("A:", "?\x01"), "lines that are not its own"),
        (entry("a").rstrip("\n") + "\n" + entry("b"), "lines that are not its own"),
    ],
)
def test_damage_of_a_database_is_told_in_words(text, damage):
    assert damage in " ".join(parse_installed(text).damages)
