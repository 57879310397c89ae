"""Interpreters of scripts that are not there.

Source: execve(2), "Interpreter scripts"; env(1).
"""

from __future__ import annotations

import posixpath
import re

from envlock.capture.context import Context
from envlock.capture.discover.candidates import may_be_software

_SCRIPT = re.compile(rb"#![ \t]*([^ \t\n]+)(?:[ \t]+([^\n]*))?")
_ENV_OPTION = re.compile(r"-\S*|\w+=\S*")
_SHELLS = frozenset({"sh", "bash", "dash", "ash"})
_PATH = (
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/snap/bin",
    "/usr/local/games",
    "/usr/games",
)
"""Directories that PATH has on most systems; any other directory may be in it, too."""


def parse_interpreter(head: bytes) -> str:
    """Return the interpreter of a script; only its name where env(1) looks it up."""
    script = _SCRIPT.match(head)
    if script is None:
        return ""
    program = script[1].decode("utf-8", "surrogateescape")
    if posixpath.basename(program) != "env":
        return program
    words = (script[2] or b"").decode("utf-8", "surrogateescape").split()
    return next((word for word in words if not _ENV_OPTION.fullmatch(word)), program)


class Interpreters:
    """Knows which interpreters there are."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._names: frozenset[str] = frozenset()
        self._known: dict[str, bool] = {}

    def is_missing(self, interpreter: str) -> bool:
        """True when it is proved that a script with this interpreter cannot start.

        Shell scripts in an image without any shell are left there by intention.
        """
        if interpreter not in self._known:
            is_path = interpreter.startswith("/")
            ask = self._context.is_gone if is_path else self._is_nowhere
            is_shell = posixpath.basename(interpreter) in _SHELLS
            is_meant = not is_shell or not self._context.lacks_shell()
            self._known[interpreter] = is_meant and ask(interpreter)
        return self._known[interpreter]

    def _is_nowhere(self, name: str) -> bool:
        """True when no program of this name is in a usual directory, nor anywhere in the scan."""
        context = self._context
        if "/" in name or any(name in context.names(folder) for folder in _PATH):
            return False
        if not self._names:
            entries = context.entries(may_be_software)
            self._names = frozenset(posixpath.basename(entry.path) for entry in entries)
        return name not in self._names and all(context.is_gone(f"{d}/{name}") for d in _PATH)
