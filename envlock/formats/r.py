"""The DESCRIPTION of installed R packages, and the lockfile of renv.

Sources: Writing R Extensions, "The DESCRIPTION file"; R Installation and Administration, "Add-on
packages"; the remotes package, "Dependency resolution" (the fields ``Remote...``); renv,
"Lockfiles".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from envlock.formats.json_values import json_or_none, members, text_at

_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9@_-]*):[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)


class Package(NamedTuple):
    """An installed package.

    `built` is the version of R that built it, `platform` the one it is compiled for, empty without
    compiled code.  `origin` is empty for a package from a repository, which `repository` names.
    """

    name: str
    version: str
    built: str
    platform: str
    priority: str
    repository: str
    origin: str
    revision: str


def parse_description(text: str) -> Package | None:
    """Return the package of a DESCRIPTION, or None when it is not that of an installed package.

    The field Built is added at installation.
    """
    fields = {name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(text)}
    name, version, built = (fields.get(field, "") for field in ("package", "version", "built"))
    if not name or not version or not built:
        return None
    made_by, platform = (part.strip() for part in (*built.split(";"), "")[:2])
    return Package(
        name=name,
        version=version,
        built=made_by.removeprefix("R ").strip(),
        platform=platform,
        priority=fields.get("priority", ""),
        repository=fields.get("repository", ""),
        origin=_origin(fields),
        revision=fields.get("remotesha", "") if _origin(fields) else "",
    )


def parse_renv(text: str) -> tuple[str, Mapping[str, str]] | None:
    """Return the version of R and package -> version of a renv.lock, or None if malformed."""
    document = json_or_none(text)
    if not isinstance(document, dict) or "Packages" not in document:
        return None
    packages = {name: text_at(facts, "Version") for name, facts in members(document, "Packages")}
    return text_at(document, "R", "Version"), packages


def _origin(fields: Mapping[str, str]) -> str:
    kind = fields.get("remotetype", "")
    if kind in ("", "standard", "cran", "bioc"):
        return ""
    if url := fields.get("remoteurl", ""):
        return url
    names = [fields.get(f"remote{part}", "") for part in ("host", "username", "repo")]
    return "/".join(filter(None, names)) or kind
