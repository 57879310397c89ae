"""Packages of which Chisel cut slices into an image, and the files of these.

Files are compared with the digests, modes and link targets in the manifest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.files.ownership import Claim, Claims, Stated
from envlock.formats.chisel import ChiselManifest, ChiselPath, parse_chisel
from envlock.formats.hardware.modinfo import unpack
from envlock.model.record import Record
from envlock.model.tree import EntryType

_MANIFEST = "/var/lib/chisel/manifest.wall"
_LIMIT = 256 * 1024 * 1024
_OCTAL = re.compile(r"0?[0-7]{1,5}\Z")
_EMPTY = ChiselManifest((), ())


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each package, with the names of its slices."""
    for package in _manifest(context).packages:
        facts = {
            "version": package.version,
            "arch": package.arch,
            "sha256": package.sha256,
            "slices": " ".join(package.slices),
        }
        yield Record(
            "chisel", package.name, {name: value for name, value in facts.items() if value}
        )


def claims(context: Context) -> Claims:
    """Return the paths of the slices."""
    found: dict[str, Claim] = {}
    for path in _manifest(context).paths:
        if path.path.startswith("/") and path.package:
            folder, _, name = path.path.rstrip("/").rpartition("/")
            real = f"{context.resolve(folder or '/').rstrip('/')}/{name}"
            found[real] = _claim(path)
    return found


def _claim(path: ChiselPath) -> Claim:
    is_folder = path.path.endswith("/")
    kind = EntryType.DIRECTORY if is_folder else EntryType.SYMLINK if path.link else None
    has_mode = not path.link and _OCTAL.match(path.mode)
    return Claim(
        owner=f"chisel {path.package}",
        digest=f"sha256:{path.sha256}" if path.sha256 and not path.link else "",
        required=True,
        stated=Stated(
            type=kind,
            mode=int(path.mode, 8) if has_mode else None,
            target=path.link or None,
        ),
    )


def _manifest(context: Context) -> ChiselManifest:
    raw = context.read(_MANIFEST)
    if raw is None:
        return _EMPTY
    try:
        text = unpack("manifest.zst", raw, _LIMIT).decode("utf-8", "surrogateescape")
        return parse_chisel(text)
    except ValueError as error:
        context.gap(_MANIFEST, f"damaged: {error}")
        return _EMPTY


COLLECTOR = Collector(
    name="chisel",
    sections=("chisel",),
    reads=(_MANIFEST,),
    collect=collect,
    claims=claims,
    sources=("Chisel documentation, Chisel manifest and jsonwall",),
)
