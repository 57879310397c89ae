"""The options of the command select sinks."""

from __future__ import annotations

from pathlib import Path

import pytest

from envlock.materialize.sinks.archive import ArchiveSink
from envlock.materialize.sinks.docker import DockerSink
from envlock.materialize.sinks.layout import LayoutSink
from envlock.materialize.sinks.registry import RegistrySink
from envlock.materialize.sinks.table import SINKS
from envlock.registry.reference import Reference

PUSHED = Reference("h.example.org", "a", "1")


@pytest.mark.parametrize(
    ("option", "value", "sink"),
    [
        ("output", "out", LayoutSink(directory=Path("out").absolute())),
        ("archive", "a.tar", ArchiveSink(path=Path("a.tar"), tag="web:1")),
        ("load", "", DockerSink(tag="web:1")),
        ("push", "oci://h.example.org/a:1", RegistrySink(reference=PUSHED)),
    ],
)
def test_options_select_sinks(option, value, sink):
    (row,) = [row for row in SINKS if row.option == option]
    assert row.open(value, "web:1") == sink


def test_only_a_layout_is_built_in_place():
    place = "oci://h.example.org/a:1"
    places = {row.option: row.open(place, "").directory for row in SINKS}
    assert places.pop("output") == Path(place).absolute()
    assert set(places.values()) == {None}
