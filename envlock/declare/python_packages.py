"""Which Python packages a declaration wants, as requirements of pip.

Sources: pip's requirements file format; PEP 621 (pyproject.toml); PEP 751 (pylock.toml); uv.lock.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from envlock.model.document import parse_toml

_MOST_MARKERS = 16
"""Most conditions of one package; with more it is wanted always."""
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}\Z")
_VERSION = re.compile(r"[A-Za-z0-9.!+_-]{1,200}\Z")
_OTHER_FILE = re.compile(r"\s*(?:-[rce]\b|--(?:requirement|constraint|editable|find-links)\b|\.|/)")


class Requirements(NamedTuple):
    """Lines of a requirements file; `is_complete`: nothing else is to be resolved."""

    lines: tuple[str, ...]
    is_complete: bool


def requirements_of(kind: str, content: bytes) -> Requirements:
    """Return what a file wants; `kind` is ``requirements``, ``pyproject``, ``pylock`` or ``lock``.

    Raise ValueError saying what is wrong.
    """
    text = content.decode()  # a UnicodeDecodeError is a ValueError
    if kind == "requirements":
        return Requirements(tuple(_plain(text)), is_complete=False)
    try:
        document = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not TOML: {error}") from error
    if kind == "pyproject":
        wanted = _table(document.get("project")).get("dependencies", [])
        return Requirements(tuple(_one_line(each) for each in _list(wanted)), is_complete=False)
    found = _of_pylock(document) if kind == "pylock" else _of_uv(document)
    return Requirements(tuple(found), is_complete=True)


def _plain(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if _OTHER_FILE.match(line):
            raise ValueError(f"a line that needs other files: {line.strip()[:80]}")
        yield line


def _of_pylock(document: Mapping[str, Any]) -> Iterator[str]:
    for package in map(_table, _list(document.get("packages"))):
        marker = package.get("marker", "")
        if "dependency_groups" in marker or "extras" in marker:
            raise ValueError("it has groups or extras; export one without")
        files = [*_list(package.get("wheels")), package.get("sdist"), package.get("archive")]
        hashes = (_table(_table(file).get("hashes")).get("sha256", "") for file in files if file)
        yield _pinned(package, marker, hashes)


def _of_uv(document: Mapping[str, Any]) -> Iterator[str]:
    packages = [_table(each) for each in _list(document.get("package"))]
    conditions = _uv_conditions(packages)
    for number, package in enumerate(packages):
        if number not in conditions or _is_project(package):
            continue
        if "registry" not in _table(package.get("source")):
            raise ValueError(f"{package.get('name')} does not come from an index")
        files = [*_list(package.get("wheels")), package.get("sdist")]
        marker = " or ".join(f"({each})" for each in sorted(conditions[number]) if each)
        always = "" in conditions[number] or len(conditions[number]) > _MOST_MARKERS
        hashes = (_table(file).get("hash", "") for file in files if file)
        yield _pinned(package, "" if always else marker, hashes)


def _is_project(package: Mapping[str, Any]) -> bool:
    return bool({"virtual", "editable", "directory"} & _table(package.get("source")).keys())


def _uv_conditions(packages: list[Mapping[str, Any]]) -> dict[int, set[str]]:
    """Return each package that the projects need, by its number, with the markers on the way."""
    of_name: dict[str, list[int]] = {}
    for number, package in enumerate(packages):
        of_name.setdefault(str(package.get("name")), []).append(number)
    found: dict[int, set[str]] = {n: {""} for n, each in enumerate(packages) if _is_project(each)}
    if not found:
        raise ValueError("it has no project")
    seen: set[tuple[int, str, str]] = set()
    waiting = [(number, "", "") for number in found]
    while waiting:
        number, extra, marker = waiting.pop()
        if (number, extra, marker) in seen or len(found[number]) > _MOST_MARKERS:
            continue
        seen.add((number, extra, marker))
        package = packages[number]
        wanted = _table(package.get("optional-dependencies")).get(extra) if extra else None
        for edge in map(_table, _list(wanted if extra else package.get("dependencies"))):
            own = str(edge.get("marker", ""))
            joined = (
                f"({marker}) and ({own})" if marker and own and own != marker else marker or own
            )
            for target in of_name.get(str(edge.get("name")), ()):
                if edge.get("version", packages[target].get("version")) != packages[target].get(
                    "version"
                ):
                    continue
                found.setdefault(target, set()).add(joined)
                waiting += [(target, each, joined) for each in ("", *_list(edge.get("extra")))]
    return found


def _pinned(package: Mapping[str, Any], marker: str, hashes: Iterator[Any]) -> str:
    name, version = str(package.get("name", "")), str(package.get("version", ""))
    if not _NAME.match(name) or not _VERSION.match(version):
        raise ValueError(f"a package without name or version: {name[:80]!r}")
    matches = (_SHA256.match(str(each)) for each in hashes)
    found = sorted({match[1] for match in matches if match})
    if not found:
        raise ValueError(f"{name} has no SHA-256")
    condition = f" ; {_one_line(marker)}" if marker else ""
    return " ".join([f"{name}=={version}{condition}", *(f"--hash=sha256:{each}" for each in found)])


def _one_line(value: object) -> str:
    if not isinstance(value, str) or "\n" in value or value.startswith("-"):
        raise ValueError(f"not a requirement: {str(value)[:80]!r}")
    return value


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
