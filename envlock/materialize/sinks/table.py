"""The sinks, one row each, with the option of ``envlock materialize`` that selects it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from envlock.materialize.sinks.archive import ArchiveSink
from envlock.materialize.sinks.base import Sink
from envlock.materialize.sinks.docker import DockerSink
from envlock.materialize.sinks.layout import LayoutSink


class SinkRow(NamedTuple):
    """A sink and its option.

    `metavar` names the value of the option, and is empty for a switch.  `open` returns the sink
    for that value (empty for a switch) and the name of the image, which may be empty.
    """

    flags: tuple[str, ...]
    metavar: str
    help: str
    open: Callable[[str, str], Sink]

    @property
    def option(self) -> str:
        """Return the long name of the option without dashes, as argparse names its value."""
        return self.flags[-1].removeprefix("--").replace("-", "_")


SINKS: tuple[SinkRow, ...] = (
    SinkRow(
        ("-o", "--output"),
        "DIR",
        "OCI layout directory",
        lambda value, tag: LayoutSink(directory=Path(value).absolute()),  # noqa: ARG005
    ),
    SinkRow(
        ("--archive",),
        "FILE",
        "one file for `docker load` and `skopeo copy`",
        lambda value, tag: ArchiveSink(path=Path(value), tag=tag),
    ),
    SinkRow(
        ("--load",),
        "",
        "load it into the Docker engine",
        lambda value, tag: DockerSink(tag=tag),  # noqa: ARG005
    ),
)
