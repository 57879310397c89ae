"""The tables of artifact kinds and sinks are complete."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

from envlock.materialize.artifacts import kinds, sources
from envlock.materialize.artifacts.artifact import ArtifactKind
from envlock.materialize.artifacts.table import KINDS, ROWS
from envlock.materialize.sinks.archive import ArchiveSink
from envlock.materialize.sinks.docker import DockerSink
from envlock.materialize.sinks.layout import LayoutSink
from envlock.materialize.sinks.table import SINKS
from envlock.model.facts import SECTIONS

SHARED = {"base", "directory"}
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


@pytest.mark.parametrize(
    ("option", "value", "sink"),
    [
        ("output", "out", LayoutSink(directory=Path("out").absolute())),
        ("archive", "a.tar", ArchiveSink(path=Path("a.tar"), tag="web:1")),
        ("load", "", DockerSink(tag="web:1")),
    ],
)
def test_options_select_sinks(option, value, sink):
    (row,) = [row for row in SINKS if row.option == option]
    assert row.open(value, "web:1") == sink


def test_only_a_layout_is_built_in_place():
    places = {row.option: row.open("out", "").directory for row in SINKS}
    assert places == {"output": Path("out").absolute(), "archive": None, "load": None}
