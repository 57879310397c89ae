"""Files of kernel settings: sysctl.conf(5), sysctl.d(5)."""

from __future__ import annotations

import re

_MAX_LINES = 10_000
_NAME = re.compile(r"[A-Za-z0-9_*:@-]+(?:[./][A-Za-z0-9_*:@-]+)+\Z")


def parse_sysctl(text: str) -> dict[str, str]:
    """Return name (dotted) -> value of one sysctl file; the last of a name wins.

    >>> parse_sysctl("-net/ipv4/ip_forward = 1")
    {'net.ipv4.ip_forward': '1'}
    """
    found = {}
    for line in text.split("\n")[:_MAX_LINES]:
        name, equals, value = line.strip().partition("=")
        name = name.strip().removeprefix("-").strip()
        if equals and not name.startswith(("#", ";")) and _NAME.match(name):
            found[sysctl_name(name)] = " ".join(value.split())
    return {name: value for name, value in found.items() if value}


def sysctl_name(name: str) -> str:
    """Return the dotted name of a setting; if its first separator is a slash, dots become slashes.

    >>> sysctl_name("net/ipv4/conf/eth0.5/forwarding")
    'net.ipv4.conf.eth0/5.forwarding'
    """
    first = re.search(r"[./]", name)
    if first is None or first[0] == ".":
        return name
    return name.translate(str.maketrans("./", "/."))
