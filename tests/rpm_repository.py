"""Repositories of rpm packages, as createrepo_c makes them, with only what is read of them."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import quoteattr

from tests.unit.materialize.packages import COMPRESSIONS

_COMMON = (
    'xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"'
)
_PACKAGE = """\
<package type="rpm">
  <name>{name}</name>
  <arch>{arch}</arch>
  <version epoch="{epoch}" ver="{version}" rel="{release}"/>
  <checksum type="sha256" pkgid="YES">{sha256}</checksum>
  <summary>{name}</summary>
  <packager/>
  <location href={href}/>
  <format>
    <rpm:license>MIT</rpm:license>
    <rpm:provides><rpm:entry name="other" flags="EQ" epoch="0" ver="9" rel="9"/></rpm:provides>
    <file>/usr/bin/name</file>
  </format>
</package>
"""
_REPOMD = """\
<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo">
  <data type="filelists">
    <checksum type="sha256">{other}</checksum>
    <location href="repodata/filelists.xml.gz"/>
  </data>
  <data type="primary">
    <checksum type="sha256">{sha256}</checksum>
    <open-checksum type="sha256">{other}</open-checksum>
    <location href="{href}"/>
  </data>
</repomd>
"""


def make_repository(folder: Path, rpms: Iterable[Path], suffix: str = ".gz") -> Path:
    """Make a repository of packages in `folder`; `suffix` names how its index is compressed."""
    (folder / "repodata").mkdir(parents=True)
    entries = []
    for path in rpms:
        there = folder / "Packages" / path.name
        there.parent.mkdir(exist_ok=True)
        there.write_bytes(path.read_bytes())
        entries.append(_entry(there, f"Packages/{path.name}"))
    text = f'<?xml version="1.0"?>\n<metadata {_COMMON}>{"".join(entries)}</metadata>\n'
    packed = COMPRESSIONS[suffix](text.encode())
    sha256 = hashlib.sha256(packed).hexdigest()
    href = f"repodata/{sha256}-primary.xml{suffix}"
    (folder / href).write_bytes(packed)
    repomd = _REPOMD.format(sha256=sha256, href=href, other="0" * 64)
    (folder / "repodata/repomd.xml").write_text(repomd)
    return folder


def _entry(path: Path, href: str) -> str:
    form = "%{NAME}\t%{ARCH}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}"
    argv = ["rpm", "-qp", "--nosignature", "--qf", form, str(path)]
    shown = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    name, arch, epoch, version, release = shown.split("\t")
    return _PACKAGE.format(
        name=name,
        arch=arch,
        epoch=epoch,
        version=version,
        release=release,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        href=quoteattr(href),
    )
