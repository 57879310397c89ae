"""Software installed by EasyBuild, found by the easyconfig in its directory ``easybuild``."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.package_folders import claim_folders, version_keys
from envlock.capture.files.ownership import Claims
from envlock.formats.hpc import EasyConfig, parse_easyconfig
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import clean_facts

_PATTERN = "**/software/*/*/easybuild/*.eb"
_LARGEST = 1024 * 1024


class _Software(NamedTuple):
    """An installation: `folder` is PREFIX/software/NAME/FULL-VERSION."""

    folder: str
    config: EasyConfig

    @property
    def prefix(self) -> str:
        return self.folder.rpartition("/software/")[0]

    @property
    def name(self) -> str:
        return posixpath.basename(posixpath.dirname(self.folder))

    @property
    def full_version(self) -> str:
        return posixpath.basename(self.folder)


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each installation."""
    for key, software in _installed(context).items():
        yield Record("easybuild", key, _facts(software, context))


def claims(context: Context) -> Claims:
    """Return a claim, without a digest, for each path in the directories of the installations."""
    owners = {software.folder: f"easybuild {key}" for key, software in _installed(context).items()}
    return claim_folders(context, owners, "/software/")


def _installed(context: Context) -> dict[str, _Software]:
    found: dict[str, dict[str, _Software]] = {}
    for path in context.glob(_PATTERN):
        folder = posixpath.dirname(posixpath.dirname(path))
        text = context.text(path, _LARGEST)
        version = posixpath.basename(folder)
        config = parse_easyconfig(text, version) if text is not None else None
        if config is not None:
            software = _Software(folder, config)
            found.setdefault(software.prefix, {}).setdefault(folder, software)
        elif text is not None:
            context.gap(path, "not an easyconfig with a toolchain")
    names = unique_names({prefix: (prefix, logical_name(prefix or "/")) for prefix in found})
    keyed = {}
    for prefix in sorted(found, key=lambda prefix: sort_key(names[prefix])):
        named = {(s.name, s.full_version): s for s in found[prefix].values()}
        for pair, key in version_keys(named).items():
            keyed[f"{names[prefix]}/{key}"] = named[pair]
    return keyed


def _facts(software: _Software, context: Context) -> dict[str, str]:
    config = software.config
    module = f"{software.name}/{software.full_version}"
    file = f"{software.prefix}/modules/all/{module}"
    exists = any(context.entry(file + end) is not None for end in ("", ".lua"))
    return clean_facts(
        {
            "version": config.version,
            "toolchain": config.toolchain,
            "suffix": config.suffix,
            "module-class": config.module_class,
            "module": module if exists else "",
        }
    )


COLLECTOR = Collector(
    name="easybuild",
    sections=("easybuild",),
    reads=(_PATTERN,),
    collect=collect,
    claims=claims,
    needs_scan=True,
    sources=("EasyBuild documentation, Writing easyconfig files",),
)
