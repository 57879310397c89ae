"""Argument lists that are safe to run: what is not plain is refused, never quoted into a command.

A fix is run on the right side and gives it what the left side has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from envlock.diff.drift import Command, Delta
from envlock.model.lock import Lock
from envlock.model.record import Facts

Commands = tuple[Command, ...]

NO_FIX: Commands = ()
"""There is no command: the rule's sentence says what to do."""

_NAME = re.compile(r"[A-Za-z0-9@_][A-Za-z0-9_.:@+~^=/-]*\Z")
"""Names and versions of packages, accounts and units: no blank, quote or sign of a shell."""
_LONGEST = 4096


_NO_LOCK = Lock(sections={})


@dataclass(frozen=True)
class Surroundings:
    """What a fix needs to know beside the difference: both locks, and which packages go together.

    `together` maps the record of a package to the differences that one command has to remove at
    once, itself included.
    """

    left: Lock = _NO_LOCK
    right: Lock = _NO_LOCK
    together: Mapping[str, tuple[Delta, ...]] = field(default_factory=dict)

    def before(self, section: str, key: str = "") -> Facts:
        """Return the facts of a record on the left side, empty without it."""
        return self.left.get(section, key)

    def after(self, section: str, key: str = "") -> Facts:
        """Return the facts of a record on the right side, empty without it."""
        return self.right.get(section, key)

    @property
    def system(self) -> str:
        """The id of the operating system of the right side, empty if it is unknown."""
        return self.after("os").get("id", "")

    @property
    def is_one_release(self) -> bool:
        """False if the two sides are known to have different operating systems or releases."""
        left, right = self.before("os"), self.after("os")
        return all(
            left.get(name) == right.get(name) for name in ("id", "version") if left and right
        )

    @cached_property
    def debian_architecture(self) -> str:
        """The architecture of most Debian packages of the right side, empty without any."""
        counted = Counter(key.rpartition(":")[2] for key in self.right.sections.get("deb", ()))
        del counted["all"]
        return min(counted, key=lambda name: (-counted[name], name), default="")


Fix = Callable[[Delta, Surroundings], Commands]
"""Returns the commands that remove a difference, none if no command does or a name is unsafe."""


def is_name(text: str) -> bool:
    """True for a name or version that no program takes for an option or for several words.

    >>> is_name("libssl3"), is_name("1:3.0~rc1+b2"), is_name("--purge"), is_name("1;reboot")
    (True, True, False, False)
    """
    return len(text) < _LONGEST and _NAME.match(text) is not None


def is_text(text: str) -> bool:
    r"""True for an argument of any printable characters that is no option.

    >>> is_text("/srv/a b"), is_text("-rf"), is_text("a\nb"), is_text("a\u202eb")
    (True, False, False, False)
    """
    return bool(text) and len(text) < _LONGEST and text.isprintable() and text[0] != "-"


def command(*words: str) -> Commands:
    """Return one command, no command if a word is not printable text.

    Options are words too: values come through `is_name` or `is_text`, or follow ``--``.
    """
    is_safe = all(word and word.isprintable() and len(word) < _LONGEST for word in words)
    return (words,) if is_safe else NO_FIX


def filled(template: str, words: Mapping[str, str]) -> Commands:
    """Return the command of a template; every word must be a name, or there is no command.

    >>> filled("apt-mark auto {name}", {"name": "curl"})
    (('apt-mark', 'auto', 'curl'),)
    >>> filled("apt-mark auto {name}", {"name": "curl;reboot"})
    ()
    """
    used = {name: word for name, word in words.items() if f"{{{name}}}" in template}
    optional = {"build", "toolchain", "suffix"}
    for name, word in used.items():
        is_path = name == "path" and word.startswith("/") and is_text(word)
        if not (is_name(word) or is_path or (name in optional and is_name(f"x{word}"))):
            return NO_FIX
    return (tuple(part.format_map(words) for part in _split(template)),)


def _split(template: str) -> list[str]:
    """Split a template at blanks outside of single quotes."""
    pieces = template.split("'")
    parts: list[str] = []
    for number, piece in enumerate(pieces):
        parts += [piece] if number % 2 else piece.split()
    return parts
