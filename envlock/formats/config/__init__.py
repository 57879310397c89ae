"""Configuration formats: which file has which, and the parsers from text to names and values.

Parsers are pure, raise only ValueError, and reject what they do not fully understand: such a file
is compared by line.  Repeated names keep all their values; what repetition or order mean is left to
the comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from envlock.formats.config import blocks, ini, lines, structured
from envlock.model.glob import compile_globs

Parser = Callable[[str], object]


class Format(NamedTuple):
    """The format of the files that match `globs`.

    `separator` joins the names of nested settings into a path.  `is_ordered`: the order of names
    matters, since the first match wins.
    """

    globs: tuple[str, ...]
    parse: Parser
    separator: str = "."
    is_ordered: bool = False


_UNITS = (
    "service", "socket", "timer", "mount", "automount", "swap", "path", "slice", "scope", "target",
    "network", "netdev", "link", "nspawn", "dnssd",
)  # fmt: skip

_INI = (
    "**.nmconnection", "**/.gitconfig", "**/.git/config",
)  # fmt: skip

_KEYWORDS = (
    "/etc/login.defs", "/etc/resolv.conf", "/etc/host.conf", "/etc/nsswitch.conf",
    "**/redis*.conf", "**/chrony*.conf", "**/ntp.conf",
)  # fmt: skip

FORMATS: tuple[Format, ...] = (
    Format(("**.json", "**.ipynb"), structured.parse_json),
    Format(("**.toml", "**/Pipfile", "**/poetry.lock", "**/uv.lock"), structured.parse_toml),
    Format(("**.yaml", "**.yml"), structured.parse_yaml),
    Format(tuple(f"**.{unit}.d/*.conf" for unit in _UNITS), ini.parse_drop_in),
    Format(tuple(f"**.{unit}" for unit in _UNITS), ini.parse_unit),
    Format(("/etc/systemd/*.conf", "/etc/systemd/*.conf.d/*.conf"), ini.parse_drop_in),
    Format(
        ("**/sshd_config", "**/ssh_config", "**/sshd_config.d/*.conf", "**/ssh_config.d/*.conf"),
        lines.parse_ssh,
        "/",
        is_ordered=True,
    ),
    Format(
        ("**/nginx/**", "**/openresty/**", "**.nginx"), blocks.parse_nginx, "/", is_ordered=True
    ),
    Format(
        ("/etc/bind/**", "**/named.conf*", "**/dhcpd*.conf"),
        blocks.parse_bind,
        "/",
        is_ordered=True,
    ),
    Format(("**/.env", "**.env", "**/.env.*", "/etc/environment"), lines.parse_assignments),
    Format(("/etc/default/**", "/etc/sysconfig/**", "/etc/os-release"), lines.parse_assignments),
    Format(("/etc/fstab", "/etc/fstab.d/*"), lines.parse_fstab, "/"),
    Format(("/etc/hosts",), lines.parse_hosts, "/"),
    Format(("/etc/sysctl.conf", "/etc/sysctl.d/*"), lines.parse_sysctl, "/"),
    Format(("**/_remote.repositories",), lines.parse_sysctl, "/"),
    Format(("**/postgresql*.conf", "/etc/adduser.conf"), lines.parse_settings, "/"),
    Format(_KEYWORDS, lines.parse_keywords, "/"),
    Format(("/etc/security/limits.conf", "/etc/security/limits.d/*"), lines.parse_limits, "/"),
    Format(("**.ini", "**.cfg", "**.desktop", "**.repo", "**.cnf", "**.conf"), ini.parse_ini),
    Format(_INI, ini.parse_ini),
)
"""All known formats, the most specific first."""


def format_of(path: str) -> Format | None:
    """Return the format of the file at `path`, or None for text of no known format."""
    return next((f for f in FORMATS if compile_globs(f.globs).match(path)), None)
