"""The command by which the package manager of each kind installs one version of a package."""

from __future__ import annotations

import re
from collections.abc import Mapping

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.predicates import package_name

_SYSTEMS: Mapping[str, str] = {
    "deb": "apt-get install {name}={version}",
    "rpm": "dnf install {name}-{version}",
    "apk": "apk add {name}={version}",
    "pacman": "pacman -U the archived package {name}-{version}",
}
_COMMANDS: Mapping[str, str] = {
    "conda": "conda install -n {place} {name}={version}{build}",
    "npm": "npm install {name}@{version}",
    "gem": "gem install {name} -v {version}",
    "go": "go install {main}@{version}",
    "cargo": "cargo install {name} --version {version}",
    "r": 'Rscript -e \'remotes::install_version("{name}", "{version}")\'',
    "java": "mvn dependency:copy -Dartifact={group}:{name}:{version}",
    "composer": "composer require {name}:{version}",
    "spack": "spack install {name}@{version}",
    "easybuild": "eb --robot {name}-{version}{toolchain}{suffix}.eb",
    "module": "module load {name}/{version}",
}
_LATER = re.compile(r"(?<=[^/])@[^@]*\Z")
_INSIDE = "node_modules/"
_PLAIN = re.compile(r"[\w./@:+~=-]*\Z")


def install_command(delta: Delta) -> str:
    """Return how to get the left version of a package where it is not, in words or a command.

    What came inside another package is had with that one.
    """
    if delta.section in _SYSTEMS:
        words = {"name": package_name(delta), "version": delta.left or "nothing"}
        return _SYSTEMS[delta.section].format_map(words)
    owner = delta.facts.get("packaged-by", "")
    if owner:
        return f"bring {owner} to one version"
    version = delta.left if delta.field in ("", "version") else None
    command = _COMMANDS.get(delta.section)
    is_whole = delta.section not in ("go", "module") and "/" not in delta.key
    words = _words(delta, version or "")
    # What means something to a shell is not put into a command.
    is_plain = all(_PLAIN.match(word) for word in words.values())
    if command is None or not version or is_whole or not is_plain:
        return f"install {delta.key} {delta.left or ''}".rstrip()
    return command.format_map(words)


def _words(delta: Delta, version: str) -> dict[str, str]:
    place, _, rest = delta.key.partition("/") if delta.section != "module" else ("", "", delta.key)
    # What else is known of the left side is known only where the right side has nothing.
    facts = delta.facts if delta.kind is ChangeKind.REMOVED and not delta.field else {}
    toolchain = facts.get("toolchain", "") if delta.section == "easybuild" else ""
    return {
        "place": place,
        "name": _LATER.sub("", rest.rpartition(_INSIDE)[2]),
        "main": delta.facts.get("package", delta.key),
        "group": delta.facts.get("group", "GROUP"),
        "version": version,
        "build": f"={facts['build']}" if "build" in facts else "",
        "toolchain": f"-{toolchain}" if toolchain not in ("", "system") else "",
        "suffix": facts.get("suffix", ""),
    }
