"""What a unit of systemd names and needs at its start, and what does not exist.

Source: systemd.service(5), "COMMAND LINES"; systemd.exec(5); systemd.unit(5), conditions.
"""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.context import Context
from envlock.capture.discover.accounts import is_unknown_account
from envlock.formats.system.units import Settings
from envlock.model.tree import EntryType

_PREFIXES = "-@:+!|"
_STARTING = ("ExecStart", "ExecStartPre", "ExecCondition")
_CONFINED = ("RootDirectory", "RootImage", "ExtensionImages")
_UNKNOWN = frozenset("%$\\*?[~")
"""Signs of variables, specifiers, patterns and homes in a path."""
_MADE = ("StateDirectory", "CacheDirectory", "LogsDirectory", "ConfigurationDirectory")
"""Settings by which systemd makes folders before it starts the program."""
_ACCOUNTS = (("User", "user-missing"), ("Group", "group-missing"))


def unit_faults(settings: Settings, context: Context) -> dict[str, str]:
    """Return the facts of a service that cannot start: what it needs and what does not exist.

    Where there are no programs, there is no system that could start it.  Left out is what may fail,
    what has variables or specifiers in its path, and what a condition of the unit asks for.
    """
    service = settings.get("Service", {})
    is_part = context.lacks_shell() and not context.exists("/usr/bin")
    if is_part or any(name in service for name in _CONFINED):
        return {}
    facts: dict[str, str] = {}
    conditions = _conditions(settings)
    for program in _programs(service):
        if program not in conditions and context.is_gone(program):
            facts.setdefault("program-missing", program)
        elif _is_closed(program, context):
            facts.setdefault("program-not-executable", program)
    for setting, fact in _ACCOUNTS:
        name = service.get(setting, [""])[-1]
        if "DynamicUser" not in service and is_unknown_account(name, fact, context):
            facts[fact] = name
    folder = service.get("WorkingDirectory", [""])[-1]
    if not any(name in service for name in _MADE) and _is_missing(folder, context):
        facts["folder-missing"] = folder
    for path in service.get("EnvironmentFile", ()):
        if _is_missing(path, context):
            facts.setdefault("environment-missing", path)
    return facts


def _conditions(settings: Settings) -> str:
    return " ".join(
        value
        for name, values in settings.get("Unit", {}).items()
        if name.startswith(("Condition", "Assert"))
        for value in values
    )


def _programs(service: dict[str, list[str]]) -> Iterator[str]:
    """Yield the absolute paths of the programs whose failure is not ignored."""
    for name in _STARTING:
        for command in service.get(name, ()):
            word = command.split()[0] if command.split() else ""
            program = word.lstrip(_PREFIXES).strip("\"'")
            prefix = word[: len(word) - len(word.lstrip(_PREFIXES))]
            if program.startswith("/") and not {"%", "$", "\\"} & {*program} and "-" not in prefix:
                yield program


def _is_missing(path: str, context: Context) -> bool:
    """True for a plain absolute path that leads to nothing; with a dash before it, it may."""
    return path.startswith("/") and not _UNKNOWN & {*path} and context.is_gone(path)


def _is_closed(program: str, context: Context) -> bool:
    """True for a file that nobody may run."""
    entry = context.stat(context.resolve(program))
    return entry is not None and entry.type is EntryType.FILE and not entry.mode & 0o111
