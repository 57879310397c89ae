"""Time grows with the length of a text and no faster, whatever stands in it.

Every compiled pattern of the package is found by walking its modules, and tried on adversarial
texts of two lengths.  Only ratios are compared: a machine may be slow, but not more so for long
texts.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pytest

import envlock.secrets
from envlock.secrets.arguments import redact_arguments
from envlock.secrets.files import judge_file
from envlock.secrets.names import grade_name
from envlock.secrets.placeholders import is_placeholder, looks_random
from envlock.secrets.settings import redact_settings
from envlock.secrets.shapes import find_shape
from envlock.secrets.strength import measure

OLD = {"redact", "disclose", "scan", "urls"}
"""Modules that the new ones replace."""


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield the name and pattern of every regular expression that a module of the package holds."""
    for found in pkgutil.iter_modules(envlock.secrets.__path__):
        if found.name not in OLD:
            module = importlib.import_module(f"envlock.secrets.{found.name}")
            for name, value in vars(module).items():
                yield from _patterns_in(f"{found.name}.{name}", value)


def _patterns_in(name: str, value: object) -> Iterator[tuple[str, re.Pattern[str]]]:
    if isinstance(value, re.Pattern):
        yield name, value
    elif isinstance(value, tuple | list):
        for number, item in enumerate(value):
            yield from _patterns_in(f"{name}[{number}]", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _patterns_in(f"{name}[{key!r}]", item)


PATTERNS = dict(patterns())

UNITS = (
    " ",
    "\t",
    "\n",
    "a",
    "A",
    "0",
    "-",
    "_",
    ".",
    "/",
    "\\",
    "'",
    '"',
    "`",
    "=",
    ":",
    ",",
    ";",
    "$",
    "{",
    "}",
    "<",
    ">",
    "(",
    ")",
    "[",
    "]",
    "@",
    "#",
    "%",
    "*",
    "|",
    "&",
    "é",
    "a ",
    "a b",
    "a=",
    "a: ",
    "a.",
    "a-",
    "a/",
    "/a",
    "-----",
    "-----BEGIN ",
    "-----BEGIN A ",
    "PRIVATE KEY",
    "://",
    "a://b:",
    "a://b:c@",
    "password",
    "password ",
    "password=",
    "password: ",
    '"password":',
    "password='",
    'password="',
    "<password>",
    "<password ",
    "--password ",
    "name: password",
    "secret (",
    "key=",
    "token=",
    "eyJ",
    "eyJa.",
    "AAAA",
    "ghp_",
    "sk-",
    "$6$",
    "$1$",
    "{SSHA}",
    "/t/a",
    "?sig=",
    "Basic ",
    "Authorization: ",
    "IDENTIFIED BY ",
    "mysql -p",
    "curl -u ",
    '["mysql", ',
    "kind: Secret\ndata:\n",
    "  a: b\n",
    "- a\n",
    "a\n",
    "\r\n",
    "\\\n",
    '\\"',
    "\\'",
    "${",
    "{{",
    "<%",
    "%(",
    "((",
    "&amp;",
    "0123456789abcdef",
    "aB3",
    "a1-",
    "xx",
    "...",
    "~/",
    "1.2.",
    "|\n",
    "password: |\n ",
    "<<EOF\n",
    "a:b:c:d:e\n",
    "a b c d\n",
    "1 M a\n",
    "MONITOR a 1 b c d\n",
)
"""What adversarial texts are made of; repeated."""

NEARLY = (("", "!"),)
"""What stands before and behind: here, something that lets a match of the whole fail at its end."""
WRAPPED = (("", ""), ("password=", "!"))


class Lengths(NamedTuple):
    """Lengths of two texts, and how many times as much the long one may cost.

    What is quadratic costs the square of the quotient of both.
    """

    short: int
    long: int
    most: int


OF_PATTERNS = Lengths(1_500, 12_000, 24)
OF_FUNCTIONS = Lengths(16_000, 64_000, 11)
"""Longer ones, since functions follow a value for some thousand characters."""
FLOOR = 0.002
"""Seconds below which a time is noise; a quadratic pattern needs some tenths for the long text."""


def grows_too_fast(
    run: Callable[[str], object], make: Callable[[int], str], lengths: Lengths
) -> bool:
    """Return whether the time of `run` grows faster than the text, in each of several tries."""
    for _ in range(4):
        long = _cost(run, make(lengths.long))
        if long < FLOOR or long < lengths.most * _cost(run, make(lengths.short)):
            return False
    return True


def _cost(run: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    run(text)
    return time.process_time() - start


def texts(
    units: Iterable[str], wraps: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, Callable[[int], str]]]:
    for unit in units:
        for before, after in wraps:
            yield (
                f"{before!r} {unit!r} {after!r}",
                lambda size, u=unit, b=before, a=after: b + u * (size // len(u)) + a,
            )


def test_all_patterns_are_found() -> None:
    assert len(PATTERNS) > 150


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_linear(name: str) -> None:
    pattern = PATTERNS[name]

    def run(text: str) -> None:
        for _ in pattern.finditer(text):
            pass
        pattern.fullmatch(text)

    made = texts(UNITS, NEARLY)
    assert [text for text, make in made if grows_too_fast(run, make, OF_PATTERNS)] == []


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "redact_settings": lambda text: redact_settings("/etc/app.conf", text),
    "redact code": lambda text: redact_settings("/srv/settings.py", text),
    "redact shell": lambda text: redact_settings("/srv/app.sh", text),
    "redact_arguments": lambda text: redact_arguments(["sh", "-c", text, *text.split(" ")[:500]]),
    "judge_file": lambda text: judge_file(
        "/srv/x", mode=0o600, content=text.encode("utf-8", "surrogatepass"), size=len(text)
    ),
    "grade_name": grade_name,
    "find_shape": find_shape,
    "is_placeholder": is_placeholder,
    "looks_random": looks_random,
    "measure": measure,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_linear(name: str) -> None:
    run = FUNCTIONS[name]
    made = texts((unit for unit in UNITS if len(unit) > 1), WRAPPED)
    assert [text for text, make in made if grows_too_fast(run, make, OF_FUNCTIONS)] == []
