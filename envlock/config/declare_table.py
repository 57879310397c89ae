"""The tables of declared environments in envlock.toml: ``[declare.NAME]``."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from envlock.config.setting import Kind, Setting, Table, Value

PYTHON_INPUTS = ("requirements", "lock", "pyproject", "pylock")
"""The kinds of files that say which Python packages are wanted."""

_FROM = re.compile(r"(debian|ubuntu):[a-z][a-z0-9.-]{0,60}\Z")
_PACKAGE = re.compile(
    r"[a-z0-9][a-z0-9+.-]{0,200}(?::[a-z0-9-]{1,30})?(?:=[A-Za-z0-9.+:~-]{1,200})?\Z"
)
_SUITE = re.compile(r"[a-z][a-z0-9./-]{0,100}\Z")
_COMPONENT = re.compile(r"[a-z][a-z0-9./-]{0,60}\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,200}\Z")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")
_MODE = re.compile(r"0?[0-7]{3}\Z")
_OF_KERNEL = ("/proc", "/sys", "/dev", "/run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One ``[declare.NAME]``.

    `origin` is ``debian:SUITE`` or ``ubuntu:SUITE``.  `python`, `npm`, `files`, `modes` and `env`
    are pairs in the order of their first part.  Files of the project are paths relative to it,
    those of the environment absolute.  `modes` are octal.
    """

    name: str
    origin: str
    apt: tuple[str, ...] = ()
    recommends: bool = False
    suites: tuple[str, ...] = ()
    components: tuple[str, ...] = ("main",)
    mirrors: tuple[str, ...] = ()
    python: tuple[tuple[str, str], ...] = ()
    npm: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    modes: tuple[tuple[str, str], ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    user: str = ""
    cmd: tuple[str, ...] = ()

    @property
    def distribution(self) -> str:
        """``debian`` or ``ubuntu``."""
        return self.origin.partition(":")[0]

    @property
    def suite(self) -> str:
        """The release, such as ``bookworm``."""
        return self.origin.partition(":")[2]


def to_declaration(name: str, row: Mapping[str, Value]) -> Declaration:
    """Return the declaration of a valid row of `DECLARE`."""
    return Declaration(
        name=name,
        origin=str(row["from"]),
        apt=_texts(row, "apt"),
        recommends=bool(row.get("recommends", False)),
        suites=_texts(row, "suites"),
        components=_texts(row, "components") or ("main",),
        mirrors=_texts(row, "mirrors"),
        python=_pairs(row, "python"),
        npm=_pairs(row, "npm"),
        files=_pairs(row, "files"),
        modes=_pairs(row, "modes"),
        env=_pairs(row, "env"),
        user=str(row.get("user", "")),
        cmd=_texts(row, "cmd"),
    )


def _texts(row: Mapping[str, Value], name: str) -> tuple[str, ...]:
    value = row.get(name, ())
    return value if isinstance(value, tuple) else ()


def _pairs(row: Mapping[str, Value], name: str) -> tuple[tuple[str, str], ...]:
    split = (text.partition("=") for text in _texts(row, name))
    return tuple((key, value) for key, _, value in split)


def _check(row: Mapping[str, Value]) -> str:
    """Return what is wrong with a declaration as a whole, empty if nothing is."""
    found = to_declaration("", row)
    problems = chain(
        _wrong_words(found), _wrong_python(found), _wrong_npm(found), _wrong_files(found)
    )
    return next(problems, "")


def _wrong_words(found: Declaration) -> chain[str]:
    checks = (
        (_FROM, (found.origin,), 'has a wrong from: {0}: write "debian:SUITE" or "ubuntu:SUITE"'),
        (_PACKAGE, found.apt, "has a wrong name of a package: {0}"),
        (_SUITE, found.suites, "has a wrong suite: {0}"),
        (_COMPONENT, found.components, "has a wrong component: {0}"),
        (_VARIABLE, [name for name, _ in found.env], "has a wrong name of a variable: {0}"),
        (_USER, [found.user] if found.user else [], "has a wrong name of a user: {0}"),
        (
            _MODE,
            [mode for _, mode in found.modes],
            'has a wrong mode: {0}: write for example "0640"',
        ),
    )
    return chain.from_iterable(
        (text.format(word) for word in words if not pattern.match(word))
        for pattern, words, text in checks
    )


def _wrong_python(found: Declaration) -> list[str]:
    if not found.python:
        return []
    given = dict(found.python)
    inputs = [name for name in PYTHON_INPUTS if name in given]
    if len(inputs) != 1 or "path" not in given:
        return [f"python needs path, and one of {', '.join(PYTHON_INPUTS)}"]
    return _wrong_place(given["path"]) or _wrong_source(given[inputs[0]])


def _wrong_npm(found: Declaration) -> list[str]:
    if not found.npm:
        return []
    given = dict(found.npm)
    if "path" not in given or "lock" not in given:
        return ["npm needs path and lock"]
    return _wrong_place(given["path"]) or _wrong_source(given["lock"])


def _wrong_files(found: Declaration) -> list[str]:
    places = {place for place, _ in found.files}
    problems = [
        f"gives a mode to {p}, which is not in files" for p, _ in found.modes if p not in places
    ]
    for place, source in found.files:
        problems += _wrong_place(place) or _wrong_source(source)
    return problems


def _wrong_place(path: str) -> list[str]:
    """Return what is wrong with a path in the environment."""
    is_plain = path.startswith("/") and posixpath.normpath(path) == path != "/"
    if not is_plain or "\n" in path or path.startswith("//"):
        return [f"has a wrong path in the environment: {path!r}: write an absolute one without .."]
    if any(path == above or path.startswith(f"{above}/") for above in _OF_KERNEL):
        return [f"cannot have files in {path}, which is made when a machine starts"]
    return []


def _wrong_source(path: str) -> list[str]:
    """Return what is wrong with a path in the project."""
    normal = posixpath.normpath(path)
    if not path or path.startswith(("/", "~")) or normal == ".." or normal.startswith("../"):
        return [f"has a wrong path in the project: {path!r}: write one below that of envlock.toml"]
    return []


DECLARE = Table(
    key="declare",
    is_array=False,
    help="Environments that are declared, not captured: `envlock lock NAME` installs one once in a "
    "sandbox and captures it; every rebuild then uses the lock.",
    fields=(
        Setting(
            key="from",
            kind=Kind.TEXT,
            default="",
            help="The distribution and its release: debian:SUITE or ubuntu:SUITE.",
        ),
        Setting(
            key="apt",
            kind=Kind.TEXTS,
            default=(),
            help="Its packages, NAME or NAME=VERSION, besides the smallest system that has apt.",
        ),
        Setting(
            key="recommends",
            kind=Kind.SWITCH,
            default=False,
            help="Whether recommended packages are installed, too.",
        ),
        Setting(
            key="components",
            kind=Kind.TEXTS,
            default=("main",),
            help="The components of the archive.",
        ),
        Setting(
            key="suites",
            kind=Kind.TEXTS,
            default=(),
            help="The suites to install from; without it the release, its updates and its security "
            "updates.",
        ),
        Setting(
            key="mirrors",
            kind=Kind.URLS,
            default=(),
            help="Mirrors to install from, which the environment has as sources, too; without it "
            'those of this machine. One with "security" in its URL serves the suites that have it.',
        ),
        Setting(
            key="python",
            kind=Kind.PAIRS,
            default=(),
            help="A virtual environment: its path, and one file that says what is in it: "
            "requirements, lock (uv.lock), pylock or pyproject.",
            choices=("path", *PYTHON_INPUTS),
        ),
        Setting(
            key="npm",
            kind=Kind.PAIRS,
            default=(),
            help="Packages of npm: their directory, and a package-lock.json with a package.json "
            "beside it.",
            choices=("path", "lock"),
        ),
        Setting(
            key="files",
            kind=Kind.PAIRS,
            default=(),
            help="Files and directories of this project to copy, by their path in the environment.",
        ),
        Setting(
            key="modes",
            kind=Kind.PAIRS,
            default=(),
            help="Modes of those files; without it 0755 for what its owner may execute, else 0644.",
        ),
        Setting(key="env", kind=Kind.PAIRS, default=(), help="Environment variables."),
        Setting(
            key="user",
            kind=Kind.TEXT,
            default="",
            help="The user that runs the command, created unless a package does.",
        ),
        Setting(key="cmd", kind=Kind.TEXTS, default=(), help="The command, one word an item."),
    ),
    example={
        "from": "debian:bookworm",
        "apt": ("nginx", "python3", "nodejs", "npm"),
        "recommends": False,
        "components": ("main",),
        "suites": ("bookworm", "bookworm-updates", "bookworm-security"),
        "mirrors": (
            "https://mirror.example.org/debian",
            "https://mirror.example.org/debian-security",
        ),
        "python": ("lock=uv.lock", "path=/opt/app"),
        "npm": ("lock=web/package-lock.json", "path=/srv/web"),
        "files": ("/etc/nginx/conf.d/shop.conf=deploy/shop.conf",),
        "modes": ("/etc/nginx/conf.d/shop.conf=0640",),
        "env": ("LANG=C.UTF-8",),
        "user": "app",
        "cmd": ("nginx", "-g", "daemon off;"),
    },
    required=frozenset({"from"}),
    check=_check,
)
