"""Replace the secrets in the arguments of a program, judged as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from envlock.secrets.commands import command_parts, is_literal
from envlock.secrets.names import grade_name
from envlock.secrets.reading import Reading, Syntax
from envlock.secrets.settings import redact_text
from envlock.secrets.spans import MASK
from envlock.secrets.values import Demand, is_secret_value

_OPTION = re.compile(r"--?(?P<name>[^\W\d][\w.:/-]{1,127})")
_ACCOUNT_OPTIONS = frozenset(("-u", "--user", "-U", "--proxy-user", "--auth", "--credentials"))
_READING = Reading(Syntax.SHELL, Demand())


def redact_arguments(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments with `***` for every secret, as many as there were.

    An option is judged with the argument that follows it, a program by what its options mean, and
    each argument as a text of its own (``NAME=VALUE``, a header, a URL, a script of ``sh -c``).

    >>> redact_arguments(["mysql", "-phunter2", "--user", "app"])
    ('mysql', '-p***', '--user', 'app')
    """
    words = list(argv)
    for part in sorted(command_parts(argv), reverse=True):
        word = words[part.place]
        words[part.place] = f"{word[: part.start]}{MASK}{word[part.end :]}"
    for index, user in _accounts(argv):
        words[index] = f"{user}:{MASK}"
    for index in _indices_after_options(argv):
        words[index] = MASK
    return tuple(word if word == MASK else redact_text(word, _READING).text for word in words)


def redact_command(
    entrypoint: Sequence[str], command: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return both parts of what a container runs, judged as the one argument list that they make.

    >>> redact_command(["redis-cli"], ["-a", "hunter2"])
    (('redis-cli',), ('-a', '***'))
    """
    shown = redact_arguments([*entrypoint, *command])
    return shown[: len(entrypoint)], shown[len(entrypoint) :]


def _accounts(argv: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the place of each account with a password that any program may take, and its user."""
    for index, (option, value) in enumerate(pairwise(argv)):
        user, colon, password = value.partition(":")
        is_mixed = any(map(str.isdigit, password)) and any(map(str.isalpha, password))
        if option in _ACCOUNT_OPTIONS and colon and is_mixed and is_literal(password):
            yield index + 1, user


def _indices_after_options(argv: Sequence[str]) -> Iterator[int]:
    """Yield the places of arguments that follow an option whose name means a secret."""
    for index, (option, value) in enumerate(pairwise(argv)):
        found = _OPTION.fullmatch(option)
        name = found["name"] if found and not value.startswith("-") else ""
        if grade_name(name) and is_literal(value) and is_secret_value(name, value):
            yield index + 1
