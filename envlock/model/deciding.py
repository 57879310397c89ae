"""What decides how programs run wherever it lies: programs, settings, key stores, plug-ins.

A file rule gives a path a noisy class by the place where it lies.  It may hide content that decides
nothing, but never what people and package managers put there to be run or read as settings.  So a
rule names the kinds that stay significant in its place.  They are recognised by type, mode and
name, since a rule must decide before the content is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Flag, auto
from typing import NamedTuple

from envlock.model.tree import Entry, EntryType

Exists = Callable[[str], bool]
"""True when a path is there."""


class Kind(Flag):
    """A kind of file that stays significant where a rule says so."""

    NOTHING = 0
    PROGRAM = auto()
    """What is run or loaded: an executable, library, archive of code, script, module."""
    SETTING = auto()
    """What is read as configuration."""
    KEY_STORE = auto()
    """Whom to trust: certificates, truststores, keyrings."""
    PLUGIN = auto()
    """Everything in a folder of plug-ins or web applications."""
    ADDED = auto()
    """A file where a manager only makes links."""
    WITHOUT_SOURCE = auto()
    """A compiled form whose source is gone, so that it is what is loaded."""
    FOLDER = auto()
    """The folder of a service, which does not start if it may not write there."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


(_PROGRAM, _SETTING, _KEY_STORE, _PLUGIN, _ADDED, _WITHOUT_SOURCE, _FOLDER) = (
    kind.value for kind in Kind
)
_FOLDER_OF_SERVICE = re.compile(r"/var/[^/]+/[^/]+\Z")
"""``/var/log/app``; below it a service makes its own."""


class _Words(NamedTuple):
    """What a kind is called, and how it is recognised."""

    title: str
    suffixes: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


_NO_PROGRAM = _set(
    "log txt md html htm css csv json jsonl map db sqlite sqlite3 wal shm lock pid dat idx pack "
    "gz xz zst bz2 lz4 zip tar tgz deb rpm whl crate png jpg jpeg gif svg ico "
    "webp mp4 woff woff2 "
    "ttf otf pdf tmp bak old swp ibd ibdata frm myd myi sock pyc pyo nbi nbc"
)
"""Suffixes of data, which has the right to be executed only where every file was given it."""
_WORDS = {
    Kind.PROGRAM: _Words(
        "programs",
        _set(
            "so dylib dll exe ko node jar war ear jpi hpi class phar pyz egg wasm py pyx pl pm rb "
            "php js mjs cjs sh bash zsh lua tcl r groovy jsp ps1"
        ),
    ),
    Kind.SETTING: _Words(
        "settings",
        _set(
            "conf cnf cfg config ini toml yaml yml properties xml rules acl env local pkla policy "
            "list service socket timer path mount automount target network netdev link "
            "signal cil pp nft"
        ),
        _set(
            ".env .htaccess .htpasswd .netrc .pgpass .my.cnf .npmrc .pypirc hosts.allow "
            "hosts.deny securenets sshd_config ssh_config rules-save"
        ),
    ),
    Kind.KEY_STORE: _Words(
        "key stores",
        _set("jks jceks bcfks p12 pfx keystore truststore pem crt cer der gpg asc"),
        _set("cacerts jssecacerts authorized_keys authorized_keys2"),
    ),
    Kind.PLUGIN: _Words(
        "plug-ins",
        names=_set(
            "plugins plug-ins extensions addons webapps modules mods themes hooks conf.d "
            "providers dags"
        ),
    ),
    Kind.ADDED: _Words("files that are no links"),
    Kind.WITHOUT_SOURCE: _Words("compiled files without their source"),
    Kind.FOLDER: _Words("folders of services"),
}
_JSON_SETTING = re.compile(
    r"(?:conf|setting|option|polic|plugin|manifest|package)[\w.-]{0,255}\.json\Z"
)
_VERSIONED_LIBRARY = re.compile(r"\.so(?:\.[0-9]+)+\Z")
_CHANGING = _set("cache caches .cache data log logs sessions temp tmp uploads work")
"""Folders in which plug-ins themselves write."""
_SOURCES = {".pyc": ".py", ".pyo": ".py", ".elc": ".el", ".db": ""}
"""Suffix of a compiled file -> that of the source beside it."""
_NAMED = frozenset({EntryType.FILE, EntryType.HARDLINK, EntryType.SYMLINK})


def decides(entry: Entry, kinds: Kind, exists: Exists) -> bool:
    """True when an entry is of one of the kinds."""
    wanted = kinds.value  # operations on flags take microseconds each
    if wanted & _PLUGIN and _is_plugin(entry.path):
        return True
    if entry.type not in _NAMED:
        return bool(wanted & _FOLDER and _is_folder_of_service(entry))
    is_link = entry.type is EntryType.SYMLINK
    if wanted & _ADDED and not is_link:
        return True
    mode = 0 if is_link else entry.mode  # the mode of a link has no effect
    name = entry.path.rpartition("/")[2]
    suffix = name.rpartition(".")[2].lower() if "." in name[1:] else ""
    return bool(
        (wanted & _PROGRAM and _is_program(name, suffix, mode))
        or (wanted & _SETTING and (_is_of(Kind.SETTING, name, suffix) or _is_json(name)))
        or (wanted & _KEY_STORE and _is_of(Kind.KEY_STORE, name, suffix))
        or (wanted & _WITHOUT_SOURCE and is_without_source(entry.path, exists))
    )


def titles(kinds: Kind) -> str:
    """Return what kinds are called, for documentation and messages."""
    return ", ".join(_WORDS[kind].title for kind in Kind if kind & kinds)


def is_without_source(path: str, exists: Exists) -> bool:
    """True for a compiled file without its source beside it, which is then what is loaded."""
    stem, dot, suffix = path.rpartition(".")
    source = _SOURCES.get(dot + suffix)
    return source is not None and not exists(stem + source)


def _is_of(kind: Kind, name: str, suffix: str) -> bool:
    words = _WORDS[kind]
    return suffix in words.suffixes or name in words.names


def _is_program(name: str, suffix: str, mode: int) -> bool:
    if suffix in _WORDS[Kind.PROGRAM].suffixes or _VERSIONED_LIBRARY.search(name):
        return True
    return bool(mode & 0o111) and suffix not in _NO_PROGRAM


def _is_json(name: str) -> bool:
    """True for a JSON file that is read as settings by its name; most others are state."""
    return name.endswith(".json") and _JSON_SETTING.search(name) is not None


def _is_folder_of_service(entry: Entry) -> bool:
    """True for a folder of an account other than root, directly below one of the system's."""
    is_folder = entry.type is EntryType.DIRECTORY and entry.uid != 0
    return is_folder and _FOLDER_OF_SERVICE.match(entry.path) is not None


def _is_plugin(path: str) -> bool:
    """True in a folder of plug-ins, but not in one in which they write."""
    parts = path.split("/")[1:-1]
    at = next((at for at, part in enumerate(parts) if part in _WORDS[Kind.PLUGIN].names), None)
    return at is not None and not _CHANGING.intersection(parts[at + 1 :])
