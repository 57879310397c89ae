"""Formulae installed by Homebrew, from the receipts in its Cellar."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.naming import logical_name, unique_names
from envlock.capture.discover.package_folders import claim_folders, version_keys
from envlock.capture.files.ownership import Claims
from envlock.formats.homebrew import Receipt, parse_receipt
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.urls import clean_facts

_PATTERN = "**/Cellar/*/*/INSTALL_RECEIPT.json"
_LARGEST = 4 * 1024 * 1024


class _Keg(NamedTuple):
    """An installed version of a formula: ``PREFIX/Cellar/NAME/VERSION``."""

    prefix: str
    name: str
    version: str
    receipt: Receipt

    @property
    def folder(self) -> str:
        return f"{self.prefix}/Cellar/{self.name}/{self.version}"


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each installed version of each formula."""
    for key, keg in _kegs(context).items():
        is_pinned = context.exists(f"{keg.prefix}/var/homebrew/pinned/{keg.name}")
        bottle = {None: "", True: "true", False: "false"}
        facts = {
            "version": keg.version,
            "mark": "hold" if is_pinned else keg.receipt.mark,
            "tap": keg.receipt.tap,
            "spec": "" if keg.receipt.spec == "stable" else keg.receipt.spec,
            "bottle": bottle[keg.receipt.is_bottle],
        }
        yield Record("homebrew", key, clean_facts(facts))


def claims(context: Context) -> Claims:
    """Return a claim, without a digest, for each path in the directories of the formulae."""
    owners = {keg.folder: f"homebrew {key}" for key, keg in _kegs(context).items()}
    return claim_folders(context, owners, "/Cellar/")


def _kegs(context: Context) -> dict[str, _Keg]:
    found: dict[str, list[_Keg]] = {}
    for path in context.glob(_PATTERN):
        text = context.text(path, _LARGEST)
        receipt = parse_receipt(text) if text is not None else None
        folder = posixpath.dirname(path)
        rest, _, version = folder.rpartition("/")
        cellar, _, name = rest.rpartition("/")
        if receipt is not None:
            keg = _Keg(cellar.removesuffix("/Cellar"), name, version, receipt)
            found.setdefault(keg.prefix, []).append(keg)
        elif text is not None:
            context.gap(path, "not the receipt of a formula")
    names = unique_names({prefix: (prefix, logical_name(prefix or "/")) for prefix in found})
    keyed: dict[str, _Keg] = {}
    for prefix in sorted(found, key=lambda prefix: sort_key(names[prefix])):
        kegs = {(keg.name, keg.version): keg for keg in found[prefix]}
        keyed |= {f"{names[prefix]}/{key}": kegs[pair] for pair, key in version_keys(kegs).items()}
    return keyed


COLLECTOR = Collector(
    name="homebrew",
    sections=("homebrew",),
    reads=(_PATTERN,),
    collect=collect,
    claims=claims,
    needs_scan=True,
    sources=("Homebrew documentation, Formula Cookbook", "Homebrew, Library/Homebrew/tab.rb"),
)
