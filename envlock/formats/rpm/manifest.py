"""The lists of packages in container images of Azure Linux and CBL-Mariner without a database.

Sources: Azure Linux, "container-manifest-1" and "container-manifest-2": rpm's answers to
``rpm --query --all``, in its default form and with one line of fields, separated by tabs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.formats.rpm.header import Package, split_source

_NEVRA = re.compile(r"(\S+)-([^\s-]+-[^\s-]+)\.([^\s.]+)\Z")
_NONE = ("(none)", "0", "")
_FIELDS = 10


def parse_manifest(text: str) -> Iterator[Package]:
    """Yield the packages of a list of either form.  Raise ValueError for another line."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            package = _from_fields(line.split("\t")) if "\t" in line else _from_name(line.strip())
            if package is None:
                raise ValueError(f"line {number} is no package")
            yield package


def _from_fields(fields: list[str]) -> Package | None:
    """Return the package of a line: name, version-release, times, vendor, epoch, size, arch..."""
    if len(fields) < _FIELDS or not fields[0] or "-" not in fields[1]:
        return None
    name, version, _, _, vendor, epoch, _, arch, number, source = fields[:_FIELDS]
    epoch = next((each for each in (epoch, number) if each not in _NONE), "")
    built = split_source("" if source in _NONE else source.strip())
    return _package(name, f"{epoch}:{version}" if epoch else version, arch, vendor, built)


def _from_name(line: str) -> Package | None:
    match = _NEVRA.match(line)
    return _package(match[1], match[2], match[3], "", ("", "")) if match else None


def _package(name: str, evr: str, arch: str, vendor: str, built: tuple[str, str]) -> Package:
    source, source_version = built
    return Package(
        name=name,
        evr=evr,
        arch="" if arch in _NONE else arch,
        vendor="" if vendor in _NONE else vendor,
        source=source,
        source_version=source_version,
        module="",
        sha256="",
        sha1="",
        signers=(),
        is_multiple=False,
    )
