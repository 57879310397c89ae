"""Who claims a path: the packages' own lists, as data for the classification of files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Claim(NamedTuple):
    """A package's statement about one path.

    `owner` is the claiming record, ``deb libc6:amd64`` or ``python app/numpy``.  `digest` is the
    packaged content as ``md5:<hex>`` or ``sha256:<hex>``, empty when the package states none (a
    directory, a link).  `conffile` marks configuration the administrator may edit.  `source` is
    where a matching file can be had again (``deb PACKAGE MEMBER``, ``wheel DIST MEMBER``), empty
    when the artifact is not to be had and the content must travel by value.
    """

    owner: str
    digest: str = ""
    conffile: bool = False
    source: str = ""


Claims = Mapping[str, Claim]
"""Path (links in its directory part resolved, as the scan yields it) -> claim."""
