"""Package repositories in the configuration of dnf, zypper, apk and pacman.

Sources: dnf.conf(5), zypper(8), apk-repositories(5), pacman.conf(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.formats.system.ini import IniSection, parse_ini

_QUERY = re.compile(r"\?([^\s#]*)")
_PUBLIC = re.compile(r"(?:\w*arch|repo\w*|release\w*|version|path|infra|country|protocol)=")
"""Query parameters of mirror lists; any other may be a token."""
_OFF = frozenset({"0", "no", "false", "off"})


def parse_repo_file(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield id and facts of each repository in a ``.repo`` file."""
    for section in parse_ini(text):
        if section.name == "main":
            continue
        url = next(filter(None, map(section.text, ("baseurl", "metalink", "mirrorlist"))), "")
        facts = {
            "url": " ".join(url.replace(",", " ").split()),
            "enabled": "false" if section.text("enabled").lower() in _OFF else "true",
            "gpgcheck": _flag(section, "gpgcheck"),
            "repo-gpgcheck": _flag(section, "repo_gpgcheck"),
            "keys": " ".join(section.text("gpgkey").replace(",", " ").split()),
            "priority": section.text("priority"),
            "exclude": section.text("excludepkgs") or section.text("exclude"),
            "include": section.text("includepkgs"),
        }
        yield section.name, {name: without_tokens(v) for name, v in facts.items() if v}


def without_tokens(urls: str) -> str:
    """Return URLs without those query parameters that may be secret."""
    return _QUERY.sub(lambda match: _public(match[1]), urls)


def _public(query: str) -> str:
    kept = [word for word in query.split("&") if _PUBLIC.match(word)]
    return f"?{'&'.join(kept)}" if kept else ""


def _flag(section: IniSection, option: str) -> str:
    value = section.text(option).lower()
    return "" if not value else "false" if value in _OFF else "true"


def parse_apk_repositories(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield URL and facts of each repository in apk's list, without commented ones."""
    for line in text.split("\n"):
        words = line.partition("#")[0].split()
        tag = words.pop(0)[1:] if words and words[0].startswith("@") else ""
        if words:
            url = without_tokens(" ".join(words))
            yield url, {"url": url, "enabled": "true", **({"tag": tag} if tag else {})}


def parse_pacman_repositories(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield name and facts of each repository in a ``pacman.conf``."""
    default = ""
    for section in parse_ini(text):
        if section.name == "options":
            default = section.text("siglevel")
            continue
        facts = {
            "url": without_tokens(section.text("server")),
            "include": section.text("include"),
            "signature": section.text("siglevel") or default,
            "enabled": "true",
        }
        yield section.name, {name: value for name, value in facts.items() if value}


def parse_pacman_servers(text: str) -> Iterator[str]:
    """Yield the addresses in a list of mirrors, with variables such as ``$repo``."""
    for line in text.split("\n"):
        option, _, value = line.partition("#")[0].partition("=")
        if option.strip() == "Server" and value.strip():
            yield without_tokens(value.strip())
