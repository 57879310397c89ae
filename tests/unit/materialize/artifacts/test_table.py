"""The table of artifact kinds is complete, and only safe records describe artifacts.

A lock may come from anyone: nothing in it may be an option or a path of its choice.
"""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from envlock.materialize.artifacts import kinds, sources
from envlock.materialize.artifacts.artifact import ArtifactKind, Reference
from envlock.materialize.artifacts.kinds.deb import Deb
from envlock.materialize.artifacts.kinds.wheel import Wheel
from envlock.materialize.artifacts.table import KINDS, ROWS, artifact_of
from envlock.model.facts import SECTIONS
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


def test_a_published_artifact_is_described():
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
def test_any_other_record_describes_none(word):
    for key, facts in (
        (f"{word}:amd64", {"version": "1"}),
        (f"tool:{word}", {"version": "1"}),
        ("tool:amd64", {"version": word}),
        ("tool:amd64", {"version": "1", "source": word}),
        ("tool:amd64", {"version": "1", "sha256": word}),
    ):
        assert artifact_of(Reference("deb", key, "x"), lock("deb", key, **facts)) is None
    for key, facts in (
        # The name follows the last slash; the environment is before it.
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


SHARED = {
    "base",
    "cache",
    "directory",
    "registry",
    "snapshot",
    "archive",
    "download",
    "program",
    "mirrors",
}
"""Source modules that serve every kind."""


def modules(package):
    names = (info.name for info in pkgutil.iter_modules(package.__path__))
    return {name: importlib.import_module(f"{package.__name__}.{name}") for name in names}


@pytest.mark.parametrize("name", modules(kinds))
def test_every_kind_module_has_a_row(name):
    assert modules(kinds)[name].KIND in [row.kind for row in ROWS]


@pytest.mark.parametrize("name", sorted(modules(sources).keys() - SHARED))
def test_every_source_module_serves_a_kind(name):
    assert modules(sources)[name].sources in [row.sources for row in ROWS]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.scheme)
def test_a_kind_is_described_by_a_section_of_the_lock(kind: ArtifactKind):
    assert kind.section in SECTIONS
    assert " " not in kind.scheme


def test_a_scheme_names_one_kind():
    assert [row.kind.scheme for row in ROWS] == [*KINDS]
