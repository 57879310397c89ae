"""GPU and BLAS libraries that a process has loaded, and loaded libraries replaced on disk.

A loaded library may not be the installed one: LD_LIBRARY_PATH, a wheel or a toolkit may provide
another copy than the one that an administrator upgraded.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.libraries import distribution_version, logical_location
from envlock.formats.binary.library_name import is_exact
from envlock.formats.hardware.blas import parse_blas
from envlock.formats.hardware.cuda import parse_library
from envlock.formats.system.process_maps import Mapped, parse_maps
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.targets.base import Capability


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each loaded component, and for each library that was replaced on disk.

    Facts: ``version``, ``from`` (the locations of the loaded copies; several are a mixture),
    ``packaged-by``, and ``deleted = "true"`` when the file no longer exists.
    """
    process = context.process()
    groups: dict[str, list[Mapped]] = {}
    for mapped in parse_maps(process.maps) if process else ():
        name = _component(mapped)
        if name:
            groups.setdefault(name, []).append(mapped)
    for name, files in sorted(groups.items(), key=lambda item: sort_key(item[0])):
        yield Record("loaded", name, _facts(files, context))


def _component(mapped: Mapped) -> str:
    name = posixpath.basename(mapped.path)
    library, blas = parse_library(name), parse_blas(mapped.path)
    if library is not None:
        return library.component
    if blas is not None:
        return blas.vendor if blas.vendor != "reference" else name.partition(".so")[0]
    return name if mapped.is_deleted and ".so" in name else ""


def _facts(files: Iterable[Mapped], context: Context) -> dict[str, str]:
    versions, locations, owners = set(), set(), set()
    is_deleted = False
    for mapped in files:
        library = parse_library(posixpath.basename(mapped.path))
        blas = parse_blas(mapped.path)
        version = library.version if library else blas.version if blas else ""
        owner = context.owner(mapped.path)
        is_known = is_exact(version) or library is None
        versions.add(version if is_known else distribution_version(mapped.path, owner, context))
        owners.add(owner)
        locations.add(logical_location(mapped.path, owner))
        is_deleted = is_deleted or mapped.is_deleted
    facts = {
        "version": " ".join(sorted(versions - {""})),
        "from": " ".join(sorted(locations, key=sort_key)),
        "packaged-by": owners.pop() if len(owners) == 1 else "",
        "deleted": "true" if is_deleted else "",
    }
    return {name: value for name, value in facts.items() if value}


COLLECTOR = Collector(
    name="loaded",
    sections=("loaded",),
    reads=(),
    needs=frozenset({Capability.FILES, Capability.MAPS}),
    collect=collect,
    needs_scan=True,
    needs_owners=True,
    sources=("proc_pid_maps(5)",),
)
