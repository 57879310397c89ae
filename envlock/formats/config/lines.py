"""Formats with one setting per line: name and value, separated by blanks or an equals sign.

Sources: sshd_config(5), ssh_config(5), fstab(5), hosts(5), sysctl.conf(5), limits.conf(5),
login.defs(5), environment(5) and the assignments of sh(1).
"""

from __future__ import annotations

import re

from envlock.formats.config.values import Document, add_block, add_value, setting_lines

_ASSIGNMENT = re.compile(
    r"(?:export\s+)?([A-Za-z_][\w.-]*)=(?:'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|([^\s'\"]*))"
    r"(?:\s+#.*)?\Z"
)
_SETTING = re.compile(
    r"([\w.*/-]++)(?:\s*+=\s*+|\s++)"
    r"(?:'((?:[^']|'')*+)'|([^#\s](?:[^#\s]++|\s++(?=[^#\s]))*+))\s*+(?:#.*)?\Z"
)
_SYSCTL = re.compile(r"(-?)\s*([^\s=]+)\s*=\s*(.*)\Z")
_SSH = re.compile(r"([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)(.*)\Z")
_FSTAB = ("device", "type", "options", "dump", "pass")


def parse_ssh(text: str) -> Document:
    """Return keyword -> value, with keywords in lower case as in ``sshd -T``, and the blocks.

    A block is named by its first line: ``match[user git]``, ``host[*.example.org]``.
    """
    document: Document = {}
    here = document
    for line in setting_lines(text):
        found = _SSH.match(line)
        if found is None:
            raise ValueError("a keyword without a value")
        keyword, value = found[1].lower(), " ".join(found[2].split())
        if keyword in ("match", "host"):
            here = add_block(document, f"{keyword}[{value}]")
        else:
            add_value(here, keyword, value)
    return document


def parse_assignments(text: str) -> Document:
    """Return name -> value of shell assignments.  Raise ValueError for any other shell code."""
    document: Document = {}
    for line in setting_lines(text):
        found = _ASSIGNMENT.match(line)
        if found is None:
            raise ValueError("more than an assignment")
        add_value(document, found[1], next((g for g in found.groups()[1:] if g is not None), ""))
    return document


def parse_settings(text: str) -> Document:
    """Return name -> value of ``name = value`` and ``name value``, without trailing comments."""
    document: Document = {}
    for line in setting_lines(text):
        found = _SETTING.match(line)
        if found is None:
            raise ValueError("not a setting")
        add_value(document, found[1], found[2] if found[2] is not None else found[3])
    return document


def parse_sysctl(text: str) -> Document:
    """Return key -> value; slashes in a key become dots, a leading ``-`` is kept."""
    document: Document = {}
    for line in setting_lines(text, "#;"):
        found = _SYSCTL.match(line)
        if found is None:
            raise ValueError("not an assignment")
        add_value(document, found[1] + found[2].replace("/", "."), " ".join(found[3].split()))
    return document


def parse_keywords(text: str) -> Document:
    """Return keyword -> rest of the line with single blanks; without a rest it is ``(set)``."""
    document: Document = {}
    for line in setting_lines(text, "#;!"):
        keyword, *rest = line.split(None, 1)
        add_value(
            document, keyword.removesuffix(":"), " ".join(rest[0].split()) if rest else "(set)"
        )
    return document


def parse_limits(text: str) -> Document:
    """Return ``domain type item`` -> value."""
    document: Document = {}
    for line in setting_lines(text):
        fields = line.partition("#")[0].split()
        if len(fields) != 4:
            raise ValueError("not domain, type, item and value")
        add_value(document, " ".join(fields[:3]), fields[3])
    return document


def parse_fstab(text: str) -> Document:
    """Return mount point -> field name -> value; swap and the like are keyed by device."""
    document: Document = {}
    for line in setting_lines(text):
        fields = line.split()
        if not 3 <= len(fields) <= 6:
            raise ValueError("not the fields of fstab")
        device, mount_point, *rest = fields
        here = add_block(document, mount_point if mount_point.startswith("/") else device)
        here.update(zip(_FSTAB, (device, *rest), strict=False))
    return document


def parse_hosts(text: str) -> Document:
    """Return address -> names, a list of them for an address with several lines."""
    document: Document = {}
    for line in setting_lines(text):
        address, *names = line.partition("#")[0].split()
        if not names:
            raise ValueError("an address without a name")
        add_value(document, address, " ".join(names))
    return document
