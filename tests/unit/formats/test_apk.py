"""apk's database and configuration files."""

import pytest

from envlock.formats.apk import ProtectedPaths, parse_checksum, parse_world


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
