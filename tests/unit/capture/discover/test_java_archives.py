"""Archives in archives: read to a limited depth, and never more than a limited number of bytes."""

from __future__ import annotations

import io
import zipfile

import pytest

from envlock.capture.context import Context
from envlock.capture.discover.java_archives import read_archive, walk
from envlock.targets.local.filesystem import directory

POM = "META-INF/maven/{0}/{1}/pom.properties"


def archive(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return out.getvalue()


def maven(group, name, version):
    text = f"groupId={group}\nartifactId={name}\nversion={version}\n"
    return {POM.format(group, name): text}


@pytest.fixture
def read(tmp_path):
    def read(content, name="app-1.0.ear"):
        (tmp_path / name).write_bytes(content)
        target = directory(tmp_path)
        entry = target.stat(f"/{name}")
        context = Context(target, {entry.path: entry})
        return read_archive(entry, context), [tuple(gap) for gap in context.gaps]

    return read


def coordinates(found):
    return [one.coordinates[1:] for one in walk(found)]


def test_a_library_of_a_web_application_of_an_application(read):
    library = archive(maven("org.example", "core", "2.14.1") | maven("org.other", "merged", "3"))
    web = archive({"WEB-INF/lib/renamed.jar": library, "static.zip": b"no library"})
    found, gaps = read(archive({"web.WAR": web, "lib/plain-1.2.jar": archive({})}))
    assert gaps == []
    assert coordinates(found) == [
        ("app", "1.0"),
        ("web", ""),
        ("renamed", ""),
        ("core", "2.14.1"),
        ("merged", "3"),
        ("plain", "1.2"),
    ]


def test_what_cannot_be_read_inside_is_named_and_a_gap(read):
    found, gaps = read(archive({"lib/broken-1.2.jar": b"PK no archive"}))
    assert coordinates(found) == [("app", "1.0"), ("broken", "1.2")]
    assert gaps == [("/app-1.0.ear!/lib/broken-1.2.jar", "not a readable archive")]


def test_the_depth_is_limited(read):
    content = archive(maven("org.example", "last", "1"))
    for level in range(8):
        content = archive({f"level{level}-1.jar": content})
    found, gaps = read(content)
    assert len(coordinates(found)) == 6
    assert gaps == [("/app-1.0.ear", "more archives inside than are read")]


def test_the_size_is_limited(read):
    """A few hundred kilobytes that unpack to 600 megabytes."""
    large = b"\0" * (200 * 1024 * 1024)
    found, gaps = read(archive({f"{name}-1.jar": large for name in "abc"}))
    assert coordinates(found) == [("app", "1.0"), ("a", "1"), ("b", "1"), ("c", "1")]
    assert gaps[-1] == ("/app-1.0.ear", "more archives inside than are read")


def test_a_plugin_states_its_version(read):
    found, _ = read(archive({"META-INF/MANIFEST.MF": "Plugin-Version: 5.2.0\n"}), "git.hpi")
    assert coordinates(found) == [("git", "5.2.0")]
    assert "Plugin-Version" in found.manifest
