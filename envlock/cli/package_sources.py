"""Where packages are taken from, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envlock.materialize.artifacts.obtain import SourceOptions

if TYPE_CHECKING:
    from envlock.config.load import Config


def source_options(config: Config, *, offline: bool) -> SourceOptions:
    """Return the sources that the settings name; with `offline`, none on the network is asked."""
    return SourceOptions(
        offline=offline,
        directories=tuple(config.materialize.wheels),
        mirrors=tuple(config.materialize.mirrors),
    )
