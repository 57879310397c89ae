"""Where packages are kept and taken from, as the settings say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from envlock.errors import UsageError
from envlock.materialize.artifacts.obtain import SourceOptions
from envlock.model.digest import digests
from envlock.registry.reference import PREFIX, Reference

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.model.lock import Lock

_DIGITS = 32


def source_options(config: Config, lock: Lock, *, offline: bool) -> SourceOptions:
    """Return the sources that the settings name; with `offline`, none on the network is asked."""
    vendor = vendor_place(config, lock) if config.locks.vendor else None
    folders = (vendor,) if isinstance(vendor, Path) and vendor.is_dir() else ()
    return SourceOptions(
        offline=offline,
        directories=(*folders, *config.materialize.wheels),
        registries=(vendor,) if isinstance(vendor, Reference) else (),
        mirrors=tuple(config.materialize.mirrors),
        snapshots=tuple(config.materialize.snapshots),
        archives=tuple(config.materialize.archives),
    )


def vendor_place(config: Config, lock: Lock, given: str = "") -> Path | Reference:
    """Return where the packages of a lock are kept: what is given, else what ``locks.vendor`` says.

    Without a tag, a reference gets one that names the state of the lock, so that the packages of
    older versions of it stay.  Raise TargetNameError for a reference that is none, UsageError where
    no place is named.
    """
    text = given or config.locks.vendor
    if not text:
        raise UsageError(
            "no place for packages is named", hint="give --to PLACE, or set vendor in [locks]"
        )
    if not text.startswith(PREFIX):
        path = Path(text).expanduser()
        return path if given else config.root / path
    reference = Reference.parse(text)
    if reference.digest or ":" in text.removeprefix(PREFIX).partition("/")[2]:
        return reference
    state = digests(lock).environment.rpartition(":")[2]
    return reference._replace(tag=f"packages-{state[:_DIGITS]}")
