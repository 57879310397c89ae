"""Looking for the content of a capture in published packages: where, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.messages import Message

if TYPE_CHECKING:
    from envlock.capture.published import Lookup, Published
    from envlock.cli.console import Console
    from envlock.config.load import Config
    from envlock.materialize.artifacts.artifact import Artifact
    from envlock.model.record import Facts
    from envlock.store.objects import Store


def published_packages(config: Config, store: Store, console: Console, *, fetch: bool) -> Published:
    """Return what looks for content in published packages, to give to `capture_target`.

    They are looked for in the caches of this machine and in the directories of the settings; with
    `fetch` the others are downloaded into the store's cache, and what is missing cannot be had.
    """
    from envlock.capture.published import Published

    def look(stated: Iterable[tuple[str, str]], repositories: Mapping[str, Facts]) -> Lookup:
        from envlock.materialize.artifacts.members import lookup

        store.cache.mkdir(parents=True, exist_ok=True)
        return lookup(stated, partial(find, repositories=repositories), store.cache)

    def find(
        wanted: Sequence[Artifact], repositories: Mapping[str, Facts]
    ) -> Mapping[Artifact, Path]:
        from envlock.cli.package_sources import source_options
        from envlock.materialize.artifacts.obtain import obtain
        from envlock.materialize.artifacts.sources.pip import is_built_here
        from envlock.model.lock import Lock

        known = Lock(sections={"repository": repositories})
        got = obtain(wanted, known, store, source_options(config, known, offline=not fetch))
        missing = (*got.missing, *(each for each, path in got.paths.items() if is_built_here(path)))
        if fetch and missing:
            said = [f"{place.name}: {line}" for place in got.places for line in place.said]
            names = ", ".join(map(str, missing[:_FEW]))
            more = f" and {len(missing) - _FEW} more" if len(missing) > _FEW else ""
            reason = got.no_network or "; ".join(said) or "no source has them"
            console.say(Message.KEPT_BY_VALUE, packages=f"{names}{more}", reason=reason)
        return {each: path for each, path in got.paths.items() if not is_built_here(path)}

    return Published(look, knows_all=fetch)


_FEW = 5
