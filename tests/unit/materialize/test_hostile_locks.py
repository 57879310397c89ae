"""A lock may come from anyone: nothing in it is an option, a path or a transport of its choice."""

from __future__ import annotations

import pytest

from envlock.materialize.artifacts.artifact import Reference
from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.kinds.wheel import Wheel
from envlock.materialize.artifacts.sources.apt import apt_lines
from envlock.materialize.artifacts.table import artifact_of
from envlock.model.lock import Lock

HOSTILE = [
    "-oDir::Bin::methods=x",
    "--pre",
    "../../etc/passwd",
    "a/b",
    "a b",
    "a\nb",
    "a\0b",
    ".hidden",
    "a;b",
    "$(id)",
    "a[b]",
    "a\\b",
    "é",
]


def lock(section, key, **facts):
    return Lock(sections={section: {key: facts}})


def test_what_archives_hold_is_an_artifact():
    described = lock("deb", "g++-12:amd64", version="1:12.2.0~rc1+dfsg-14+b1", sha256="0" * 64)
    assert artifact_of(Reference("deb", "g++-12:amd64", "usr/bin/g++"), described) == Deb(
        "g++-12", "1:12.2.0~rc1+dfsg-14+b1", "amd64", "g++-12", "0" * 64
    )
    name = "Zope.Interface-1!2.0+local.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    described = lock("python", "app/zope.interface", version="1!2.0+local.1", artifact=name)
    assert artifact_of(Reference("wheel", "app/zope.interface", "x"), described) == Wheel(
        "zope.interface", "1!2.0+local.1", name, "3"
    )


@pytest.mark.parametrize("word", HOSTILE)
def test_nothing_else_is_one(word):
    for key, facts in (
        (f"{word}:amd64", {"version": "1"}),
        (f"tool:{word}", {"version": "1"}),
        ("tool:amd64", {"version": word}),
        ("tool:amd64", {"version": "1", "source": word}),
        ("tool:amd64", {"version": "1", "sha256": word}),
    ):
        assert artifact_of(Reference("deb", key, "x"), lock("deb", key, **facts)) is None
    for key, facts in (
        # What follows the last slash is the name; what stands before is only where it was.
        (f"app/{word.replace('/', ' ')}", {"version": "1", "artifact": "a-1-py3-none-any.whl"}),
        ("app/a", {"version": word, "artifact": "a-1-py3-none-any.whl"}),
        ("app/a", {"version": "1", "artifact": f"{word}.whl"}),
    ):
        assert artifact_of(Reference("wheel", key, "x"), lock("python", key, **facts)) is None
    both = Lock(
        sections={
            "python": {
                "app": {"version": word},
                "app/a": {"version": "1", "artifact": "a-1-py3-none-any.whl"},
            }
        }
    )
    assert artifact_of(Reference("wheel", "app/a", "x"), both) is None


@pytest.mark.parametrize(
    "facts",
    [
        {"uri": "ssh://-oProxyCommand=id/debian"},
        {"uri": "copy:/root"},
        {"uri": "file:/root"},
        {"uri": "https://example.org/debian\ndeb http://example.org/evil x"},
        {"uri": "[allow-insecure=yes] https://example.org/debian"},
        {"uri": "https://example.org/[a]"},
        {"suite": "stable main\ndeb"},
        {"components": "main\nx"},
        {"type": "deb-src"},
        {"enabled": "false"},
    ],
)
def test_apt_is_given_only_plain_web_sources(facts):
    usual = {
        "type": "deb",
        "enabled": "true",
        "uri": "https://example.org/debian",
        "suite": "stable",
        "components": "main contrib",
    }
    line = "deb https://example.org/debian stable main contrib"
    assert apt_lines(lock("apt-source", "a", **usual)) == [line]
    assert apt_lines(lock("apt-source", "a", **usual | facts)) == []
