"""Requirements of Python distributions, as ``Requires-Dist`` states them.

Sources: the packaging specifications "Dependency specifiers" (PEP 508) and "Version specifiers"
(PEP 440).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from envlock.formats.python import normalize_name

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*\(?(?P<clauses>[^;@()]*)\)?\s*"
    r"(?P<url>@[^;]*)?(?:;(?P<marker>.*))?\Z",
    re.DOTALL,
)
_CLAUSE = re.compile(r"\s*(===|~=|==|!=|<=|>=|<|>)\s*([^\s,]+)\s*\Z")
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*'|\"[^\"]*\")|(?P<op>\(|\)|<=|>=|===|==|!=|~=|<|>)|(?P<word>[a-z_.]+))"
)
_LONGEST = 4096
_DEEPEST = 50
_QUOTES = "'\""
_VERSIONS = frozenset({"python_version", "python_full_version", "implementation_version"})


class Clause(NamedTuple):
    """A comparison of a version specifier: ``>=`` and ``1.2``."""

    operator: str
    version: str


class Requirement(NamedTuple):
    """A requirement: the normalized name, its version specifier, and its environment marker."""

    name: str
    clauses: tuple[Clause, ...]
    marker: str


class UnknownMarkerError(ValueError):
    """A marker cannot be judged: it is malformed, or asks for what is not known."""


def parse_requirement(text: str) -> Requirement | None:
    """Return a requirement, or None when it is malformed.

    >>> parse_requirement("Foo.Bar[x] (>=1,<2) ; python_version < '3.8'").clauses
    (Clause(operator='>=', version='1'), Clause(operator='<', version='2'))
    """
    match = _REQUIREMENT.match(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    clauses = []
    for part in match["clauses"].split(",") if not match["url"] else ():
        found = _CLAUSE.match(part)
        if found is not None:
            clauses.append(Clause(found[1], found[2]))
        elif part.strip():
            return None
    marker = (match["marker"] or "").strip()
    return Requirement(normalize_name(match["name"]), tuple(clauses), marker)


Satisfies = Callable[[str, str, str], bool]
"""(version, operator, version of the specifier) -> whether it is satisfied; ValueError when it
cannot be told."""


def marker_holds(marker: str, environment: Mapping[str, str], satisfies: Satisfies) -> bool:
    """Return whether an environment marker holds; no extra is wanted.

    Raise UnknownMarkerError for what cannot be judged.
    """
    if not marker:
        return True
    tokens = _tokens(marker)
    value = _Marker(tokens, {"extra": "", **environment}, satisfies).either()
    if tokens:
        raise UnknownMarkerError(marker)
    return value


def _tokens(marker: str) -> list[str]:
    """Return the words of a marker, the last one first."""
    found, at, text = [], 0, marker.strip()
    if len(text) > _LONGEST or text.count("(") > _DEEPEST:
        raise UnknownMarkerError(marker)
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise UnknownMarkerError(marker)
        found.append(match[0].strip())
        at = match.end()
    return found[::-1]


class _Marker:
    """Judges a marker, word by word; what was judged is removed from `tokens`."""

    def __init__(
        self, tokens: list[str], environment: Mapping[str, str], satisfies: Satisfies
    ) -> None:
        self._tokens = tokens
        self._environment = environment
        self._satisfies = satisfies

    def either(self) -> bool:
        value = self._both()
        while self._takes("or"):
            value = self._both() or value
        return value

    def _both(self) -> bool:
        value = self._one()
        while self._takes("and"):
            value = self._one() and value
        return value

    def _one(self) -> bool:
        if self._takes("("):
            value = self.either()
            if not self._takes(")"):
                raise UnknownMarkerError("a parenthesis is not closed")
            return value
        left, operator, right = self._next(), self._next(), self._next()
        if operator == "not" and right == "in":
            operator, right = "not in", self._next()
        name = left if left[0] not in _QUOTES else right
        return self._compare(name, self._value(left), operator, self._value(right))

    def _compare(self, name: str, left: str, operator: str, right: str) -> bool:
        if operator in ("in", "not in"):
            return (left in right) is (operator == "in")
        if name in _VERSIONS:
            try:
                return self._satisfies(left, operator, right)
            except ValueError as error:
                raise UnknownMarkerError(str(error)) from None
        if operator not in ("==", "!="):
            raise UnknownMarkerError(operator)
        return (left == right) is (operator == "==")

    def _value(self, token: str) -> str:
        if token[0] in _QUOTES:
            return token[1:-1]
        if token not in self._environment:
            raise UnknownMarkerError(token)
        return self._environment[token]

    def _takes(self, token: str) -> bool:
        if self._tokens and self._tokens[-1] == token:
            self._tokens.pop()
            return True
        return False

    def _next(self) -> str:
        if not self._tokens:
            raise UnknownMarkerError("it ends too early")
        return self._tokens.pop()
