"""Programs that units of systemd start, and that do not exist.

Source: systemd.service(5), "COMMAND LINES"; systemd.unit(5), conditions.
"""

from __future__ import annotations

from envlock.capture.context import Context
from envlock.formats.system.units import Settings

_PREFIXES = "-@:+!|"
_STARTING = ("ExecStart", "ExecStartPre", "ExecCondition")


def missing_program(settings: Settings, context: Context) -> str:
    """Return the first program of a service that does not exist, empty when all do.

    Where there is no shell, there is no system that could start it.  Left out are programs whose
    failure is ignored, that have variables or specifiers in their path, or that a condition of the
    unit asks for.
    """
    service, unit = settings.get("Service", {}), settings.get("Unit", {})
    is_confined = context.lacks_shell() or any(
        name in service for name in ("RootDirectory", "RootImage", "ExtensionImages")
    )
    conditions = " ".join(
        value
        for name, values in unit.items()
        if name.startswith(("Condition", "Assert"))
        for value in values
    )
    for name in _STARTING if not is_confined else ():
        for command in service.get(name, ()):
            word = command.split()[0] if command.split() else ""
            program = word.lstrip(_PREFIXES).strip("\"'")
            prefix = word[: len(word) - len(word.lstrip(_PREFIXES))]
            is_plain = program.startswith("/") and not {"%", "$", "\\"} & {*program}
            is_needed = "-" not in prefix and program not in conditions
            if is_plain and is_needed and context.is_gone(program):
                return program
    return ""
