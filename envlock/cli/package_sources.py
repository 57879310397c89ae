"""Where packages are kept and taken from, as the settings say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from envlock.config.sources import Source
from envlock.errors import UsageError
from envlock.materialize.artifacts.obtain import SourceOptions
from envlock.materialize.vendor import is_made_for_packages
from envlock.model.digest import digests
from envlock.registry.reference import PREFIX, Reference

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.model.lock import Lock

_DIGITS = 32


def source_options(config: Config, lock: Lock, *, offline: bool) -> SourceOptions:
    """Return the sources that the settings name; with `offline`, none on the network is asked."""
    vendor = vendor_place(config, lock) if config.locks.vendor else None
    folders = (vendor,) if isinstance(vendor, Path) and _is_searched(vendor, config) else ()
    return SourceOptions(
        offline=offline,
        directories=(*folders, *config.materialize.wheels),
        registries=(vendor,) if isinstance(vendor, Reference) else (),
        mirrors=tuple(config.materialize.mirrors),
        snapshots=tuple(config.materialize.snapshots),
        archives=tuple(config.materialize.archives),
    )


def own_folder(config: Config) -> Path | None:
    """Return the folder of packages that envlock made for a project, None without one.

    A capture leaves it out.  A folder that somebody else made may hold code of the project (Go,
    Composer and Bundler keep theirs in ``vendor``), whatever the settings say of it.
    """
    if not config.locks.vendor or config.locks.vendor.startswith(PREFIX):
        return None
    folder = _folder(config)
    return folder if is_made_for_packages(folder) else None


def _is_searched(folder: Path, config: Config) -> bool:
    """True for a folder that envlock made, and for any that the settings name."""
    is_named = config.origins["locks.vendor"].source is not Source.DEFAULT
    return folder.is_dir() if is_named else is_made_for_packages(folder)


def _folder(config: Config) -> Path:
    return config.root / Path(config.locks.vendor).expanduser()


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
        return Path(given).expanduser() if given else _folder(config)
    reference = Reference.parse(text)
    if reference.digest or ":" in text.removeprefix(PREFIX).partition("/")[2]:
        return reference
    state = digests(lock).environment.rpartition(":")[2]
    return reference._replace(tag=f"packages-{state[:_DIGITS]}")
