"""Package repositories of dnf, yum, zypper, apk and pacman, and how signatures are checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.system.repositories import (
    parse_apk_repositories,
    parse_pacman_repositories,
    parse_pacman_servers,
    parse_repo_file,
)
from envlock.model.record import Record
from envlock.secrets.urls import clean_facts, strip_user

_REPO_FOLDERS = (("rpm", "/etc/yum.repos.d"), ("rpm", "/etc/zypp/repos.d"))
_APK = "/etc/apk/repositories"
_PACMAN = "/etc/pacman.conf"
_MIRROR_LISTS = "/etc/pacman.d"
_MOST_MIRRORS = 4


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each repository; of duplicates the first counts."""
    seen: set[str] = set()
    for name, facts in _repositories(context):
        key = strip_user(name)
        if key not in seen:
            seen.add(key)
            yield Record("repository", key, clean_facts(facts))


def _repositories(context: Context) -> Iterator[tuple[str, dict[str, str]]]:
    for system, folder in _REPO_FOLDERS:
        for name in context.names(folder):
            if name.endswith(".repo"):
                for called, facts in parse_repo_file(context.text(f"{folder}/{name}") or ""):
                    yield f"{system} {called}", facts
    files = [_APK, *(f"{_APK}.d/{n}" for n in context.names(f"{_APK}.d") if n.endswith(".list"))]
    for path in files:
        for called, facts in parse_apk_repositories(context.text(path) or ""):
            yield f"apk {called}", facts
    for called, facts in parse_pacman_repositories(context.text(_PACMAN) or ""):
        mirrors = " ".join(_mirrors(facts.get("include", ""), context))
        yield f"pacman {called}", facts | ({"mirrors": mirrors} if mirrors else {})


def _mirrors(included: str, context: Context) -> Sequence[str]:
    """Return the first mirrors of the lists that a repository of pacman includes."""
    lists = (path for path in included.split() if _is_list(path))
    texts = (context.text(path) or "" for path in lists)
    return [server for text in texts for server in parse_pacman_servers(text)][:_MOST_MIRRORS]


def _is_list(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return folder == _MIRROR_LISTS and "mirrorlist" in name


COLLECTOR = Collector(
    name="repository",
    sections=("repository",),
    reads=(
        *(f"{folder}/*.repo" for _, folder in _REPO_FOLDERS),
        _APK,
        f"{_APK}.d/*.list",
        _PACMAN,
        f"{_MIRROR_LISTS}/*mirrorlist*",
    ),
    collect=collect,
    sources=("dnf.conf(5)", "zypper(8)", "apk-repositories(5)", "pacman.conf(5)"),
)
