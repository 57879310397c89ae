"""The options of the command select sinks."""

from __future__ import annotations

from pathlib import Path

import pytest

from envlock.materialize.sinks.archive import ArchiveSink
from envlock.materialize.sinks.docker import DockerSink
from envlock.materialize.sinks.layout import LayoutSink
from envlock.materialize.sinks.table import SINKS


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
