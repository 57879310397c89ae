"""The sinks, one row each, with the option of ``envlock materialize`` that selects it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from envlock.materialize.sinks.base import Sink


class SinkRow(NamedTuple):
    """A sink and its option.

    `metavar` names the value of the option, and is empty for a switch.  `module` is the module
    below `envlock.materialize.sinks` that has a function `open_sink`; it is imported on use, so
    that the table is cheap.
    """

    flags: tuple[str, ...]
    metavar: str
    help: str
    module: str

    @property
    def option(self) -> str:
        """Return the long name of the option without dashes, as argparse names its value."""
        return self.flags[-1].removeprefix("--").replace("-", "_")

    def open(self, value: str, tag: str) -> Sink:
        """Return the sink for the value of its option (empty for a switch).

        `tag` is the name of the image, which may be empty.
        """
        sink: Sink = import_module(f"{__package__}.{self.module}").open_sink(value, tag)
        return sink


SINKS: tuple[SinkRow, ...] = (
    SinkRow(
        ("-o", "--output"),
        "DIR",
        "OCI layout directory",
        "layout",
    ),
    SinkRow(
        ("--archive",),
        "FILE",
        "one file for `docker load` and `skopeo copy`",
        "archive",
    ),
    SinkRow(
        ("--load",),
        "",
        "load it into the Docker engine",
        "docker",
    ),
    SinkRow(
        ("--push",),
        "REF",
        "push it to a registry: oci://HOST/REPOSITORY:TAG",
        "registry",
    ),
)
