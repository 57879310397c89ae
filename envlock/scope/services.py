"""Units of systemd with their drop-ins, and init scripts: what a service starts, and as whom.

Sources: systemd.unit(5), "Unit File Load Path" and "Description"; systemd.service(5), "COMMAND
LINES"; systemd.exec(5), Environment and EnvironmentFile; LSB init scripts.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from envlock.formats.system.units import Settings, parse_unit
from envlock.model.text import from_bytes
from envlock.scope.commands import started_by
from envlock.scope.graph import Around, File, Item, Need

_FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_STARTS = ("ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost")
"""What runs while a service starts; what stops it is not part of what it does."""
_BESIDE = ("ExecStartPre", "ExecStartPost")
"""Commands beside the service; one that may fail is nothing that the service needs."""
_PREFIXES = "-@:+!|"
_SUFFIXES = (".service", ".socket", ".timer", ".target", ".mount", ".path")
READS = (
    *(f"{folder}/*.{kind}" for folder in _FOLDERS for kind in ("service", "socket")),
    *(f"{folder}/*.d/*.conf" for folder in _FOLDERS),
    "/etc/default/*",
    "/etc/sysconfig/*",
    "/etc/conf.d/*",
    "/etc/init.d/*",
    "/etc/pam.d/*",
)
"""Paths that are read for a service."""


def unit_name(name: str) -> str:
    """Return the full name of a unit: ``nginx`` is ``nginx.service``."""
    return name if name.endswith(_SUFFIXES) else f"{name}.service"


def unit_files(name: str, around: Around) -> tuple[str, ...]:
    """Return the real paths of a unit's file and of its drop-ins, in the order they apply."""
    before, at, _ = name.rpartition("@")
    suffix = name.rpartition(".")[2]
    names = [name, f"{before}@.{suffix}"] if at and before else [name]
    file = next(
        (
            found.path
            for each in names
            for folder in _FOLDERS
            if (found := around.real(f"{folder}/{each}")) is not None
        ),
        "",
    )
    if file and posixpath.basename(file) not in names:  # an alias of another unit
        names.append(posixpath.basename(file))
    drop_ins: dict[str, str] = {}
    for each in (f"{suffix}.d", *(f"{each}.d" for each in reversed(names))):
        for folder in reversed(_FOLDERS):
            for part in around.view.names(f"{folder}/{each}"):
                if part.endswith(".conf"):
                    drop_ins[part] = around.view.resolve(f"{folder}/{each}/{part}")
    ordered = [drop_ins[part] for part in sorted(drop_ins)]
    return (file, *ordered) if file else tuple(ordered)


def unit_settings(name: str, around: Around) -> Settings:
    """Return the settings of a unit with its drop-ins applied."""
    settings: Settings = {}
    for path in unit_files(name, around):
        parse_unit(from_bytes(around.view.read(path) or b""), settings)
    return settings


def around_service(argument: str, around: Around) -> Around:
    """Return what is around the programs of a service: its variables and working directory."""
    service = unit_settings(unit_name(argument), around).get("Service", {})
    variables: dict[str, str] = {}
    for line in service.get("Environment", ()):
        variables.update(_assignments(line))
    for path in _environment_files(service):
        raw = around.view.read(path)
        for line in from_bytes(raw).split("\n") if raw is not None else ():
            if line.strip()[:1] not in ("#", ";", ""):
                variables.update(_assignments(line))
    folder = next(iter(service.get("WorkingDirectory", ())), "/").lstrip("-")
    return replace(around, variables=variables, workdir=folder if folder[:1] == "/" else "/")


def _assignments(line: str) -> Mapping[str, str]:
    pairs = (word.partition("=") for word in words_of(line))
    return {name: value for name, equals, value in pairs if equals}


def _environment_files(service: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for value in service.get("EnvironmentFile", ()):
        path = value.lstrip("-")
        if path.startswith("/") and "%" not in path:
            yield path


def words_of(command: str) -> list[str]:
    """Return the words of a command line of a unit, quotes removed."""
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def service_needs(argument: str, around: Around) -> Iterator[Need]:
    """Yield the record, files, account and programs of a service."""
    name = unit_name(argument)
    files = unit_files(name, around)
    if not files:
        yield from _init_script(name.removesuffix(".service"), around)
        return
    yield from _records(name, around)
    for path in files:
        yield Need(File(path))
    service = unit_settings(name, around).get("Service", {})
    for path in _environment_files(service):
        found = around.real(path)
        if found is not None:
            yield Need(found, "EnvironmentFile")
    yield from _accounts(service, around)
    for setting in _STARTS:
        for command in service.get(setting, ()):
            words = words_of(command)
            if words and not (setting in _BESIDE and _may_fail(words[0])):
                words = [words[0].lstrip(_PREFIXES), *words[1:]]
                yield from started_by(_expanded(words, around), around)


def _may_fail(word: str) -> bool:
    """True for the first word of a command whose failure counts as success."""
    return "-" in word[: len(word) - len(word.lstrip(_PREFIXES))]


def _records(name: str, around: Around) -> Iterator[Need]:
    """Yield the records of a service, and of the socket and timer that start it."""
    records = around.lock.sections.get("service", {})
    stem = name.rpartition(".")[0]
    for key in (name, f"{stem}.socket", f"{stem}.timer"):
        if key in records:
            yield Need(Item("service", key))


def _accounts(service: Mapping[str, Sequence[str]], around: Around) -> Iterator[Need]:
    for setting, section in (("User", "user"), ("Group", "group")):
        for account in service.get(setting, ())[-1:]:
            if account in around.lock.sections.get(section, {}):
                yield Need(Item(section, account), setting)
    for module in service.get("PAMName", ())[-1:]:
        found = around.real(f"/etc/pam.d/{module}")
        if found is not None:
            yield Need(found, "PAMName")


def _expanded(words: Sequence[str], around: Around) -> list[str]:
    """Return words with the variables that are words of their own replaced (systemd.service(5))."""
    found: list[str] = []
    for word in words:
        name = word.removeprefix("$").strip("{}")
        value = around.variables.get(name) if word.startswith("$") else None
        if value is None:
            found.append(word)
        else:
            found += [value] if word.startswith("${") else value.split()
    return found


def _init_script(name: str, around: Around) -> Iterator[Need]:
    found = around.real(f"/etc/init.d/{name}")
    if found is None:
        return
    yield from _records(f"{name}.service", around)
    yield Need(found)
    defaults = around.real(f"/etc/default/{name}")
    if defaults is not None:
        yield Need(defaults)
