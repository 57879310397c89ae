"""All regular expressions of the package, and texts that are hard for one."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from re import _parser as parser  # the parser of the standard library; it has no public name
from typing import Any

import envlock

AnyPattern = re.Pattern[Any]
PACKAGE = Path(envlock.__file__).parent
FUNCTIONS = {
    "compile",
    "search",
    "match",
    "fullmatch",
    "findall",
    "finditer",
    "split",
    "sub",
    "subn",
}


def held_patterns() -> Iterator[tuple[str, AnyPattern]]:
    """Yield the patterns that the modules hold, in whatever tuples, lists, mappings and objects."""
    for found in pkgutil.walk_packages(envlock.__path__, "envlock."):
        if not found.name.endswith("__main__"):
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                if getattr(value, "__module__", found.name) in (found.name, "re", None):
                    yield from _inside(f"{found.name}.{name}", value, 0)


def _inside(name: str, value: object, depth: int) -> Iterator[tuple[str, AnyPattern]]:
    if isinstance(value, re.Pattern):
        yield name, value
    elif depth > 5 or isinstance(value, str | bytes | int | type):
        return
    elif isinstance(value, tuple | list | set | frozenset):
        for number, item in enumerate(value):
            yield from _inside(f"{name}[{number}]", item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _inside(f"{name}[{str(key)[:40]!r}]", item, depth + 1)
    elif hasattr(value, "__dict__") and type(value).__module__.startswith("envlock."):
        for key, item in vars(value).items():
            yield from _inside(f"{name}.{key}", item, depth + 1)
    elif type(value).__module__.startswith("envlock.") and hasattr(value, "__slots__"):
        for key in value.__slots__:
            yield from _inside(f"{name}.{key}", getattr(value, key, None), depth + 1)
    elif hasattr(value, "__self__") and isinstance(value.__self__, re.Pattern):
        yield f"{name}.{value.__name__}()", value.__self__


def written_patterns() -> Iterator[tuple[str, AnyPattern]]:
    """Yield the patterns in calls of `re` inside functions; all others a module holds."""
    for path in sorted(PACKAGE.rglob("*.py")):
        functions = (
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef)
        )
        for node in (inner for function in functions for inner in ast.walk(function)):
            if not (isinstance(node, ast.Call) and _is_of_re(node.func) and node.args):
                continue
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str | bytes):
                flags = re.MULTILINE if "MULTILINE" in ast.unparse(node) else re.NOFLAG
                name = f"{path.relative_to(PACKAGE)}:{node.lineno}.{node.func.attr}()"
                yield name, re.compile(first.value, flags)


def unread_calls() -> set[str]:
    """Return the functions that compile a pattern which is not written out."""
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                is_call = isinstance(node, ast.Call) and _is_of_re(node.func) and node.args
                if is_call and not isinstance(node.args[0], ast.Constant):
                    found.add(f"{path.relative_to(PACKAGE)}:{function.name}")
    return found


def _is_of_re(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
        and function.attr in FUNCTIONS
    )


def is_bound_to_the_start(name: str) -> bool:
    """True for a pattern that its module only asks from the start of a text."""
    if name.endswith(("match()", "fullmatch()")):
        return True
    module, _, variable = name.partition("[")[0].rpartition(".")
    path = PACKAGE.parent / (module.replace(".", "/") + ".py")
    if ".py:" in name or not path.exists():
        return False
    source = ast.parse(path.read_text())
    asked = {
        node.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Attribute)
        and node.attr in {*FUNCTIONS, "finditer", "findall"}
        and any(
            isinstance(inner, ast.Name) and inner.id == variable for inner in ast.walk(node.value)
        )
    }
    return bool(asked) and asked <= {"match", "fullmatch"}


def all_patterns() -> dict[str, AnyPattern]:
    """Return every pattern once, by the first name it is found under."""
    found: dict[tuple[Any, int], str] = {}
    patterns: dict[str, AnyPattern] = {}
    for name, pattern in (*held_patterns(), *written_patterns()):
        if (pattern.pattern, pattern.flags) not in found:
            found[pattern.pattern, pattern.flags] = name
            patterns[name] = pattern
    return patterns


def pieces_of(pattern: AnyPattern) -> list[str]:
    """Return what the pattern is made of: its literal texts, and a character of each class."""
    text = pattern.pattern
    parsed = parser.parse(
        text.decode("latin-1") if isinstance(text, bytes) else text, pattern.flags & ~re.UNICODE
    )
    found: list[str] = []
    _collect(parsed, found)
    return list(dict.fromkeys(piece for piece in found if piece))


def _collect(parsed: Any, found: list[str]) -> None:
    run = ""
    for operation, argument in parsed:
        name = str(operation)
        if name == "LITERAL":
            run += chr(argument)
            continue
        found.append(run)
        run = ""
        if name in ("IN", "NOT_LITERAL", "ANY"):
            found.append(_one_of(name, argument))
        for inner in _inner(name, argument):
            _collect(inner, found)
    found.append(run)


def _one_of(name: str, argument: Any) -> str:
    if name != "IN" or str(argument[0][0]) == "NEGATE":
        return "~"
    kind, value = argument[0]
    if str(kind) == "LITERAL":
        return chr(value)
    if str(kind) == "RANGE":
        return chr(value[0])
    return {"CATEGORY_SPACE": " ", "CATEGORY_DIGIT": "1"}.get(str(value), "a")


def _inner(name: str, argument: Any) -> Iterator[Any]:
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        yield argument[2]
    elif name == "SUBPATTERN":
        yield argument[3]
    elif name == "ATOMIC_GROUP":
        yield argument
    elif name == "BRANCH":
        yield from argument[1]
    elif name in ("ASSERT", "ASSERT_NOT"):
        yield argument[1]


Text = tuple[str, str]
"""A beginning that a pattern takes, and what may be repeated behind it."""


def ways_in(pattern: AnyPattern) -> list[Text]:
    """Return, for each repetition in a pattern, what leads to it and what it repeats."""
    text = pattern.pattern
    parsed = parser.parse(
        text.decode("latin-1") if isinstance(text, bytes) else text, pattern.flags & ~re.UNICODE
    )
    found: list[Text] = []
    _find_ways(parsed, "", found)
    return list(dict.fromkeys(found))


def _find_ways(parsed: Any, before: str, found: list[Text]) -> None:
    for operation, argument in parsed:
        name = str(operation)
        for inner in _inner(name, argument):
            if name.endswith("REPEAT") and argument[1] > 1:
                found.extend((before, unit) for unit in _samples(inner) if unit)
            if not name.startswith("ASSERT"):
                _find_ways(inner, before, found)
        before += _samples([(operation, argument)])[0]


def _samples(parsed: Any) -> list[str]:
    """Return texts that a part of a pattern takes: one for each alternative in it, at most 8."""
    samples = [""]
    for operation, argument in parsed:
        name = str(operation)
        if name == "LITERAL":
            more = [chr(argument)]
        elif name in ("IN", "NOT_LITERAL", "ANY"):
            more = [_one_of(name, argument)]
        elif name == "BRANCH":
            more = [sample for inner in argument[1] for sample in _samples(inner)]
        elif name.endswith("REPEAT"):
            more = [sample * max(argument[0], 1) for sample in _samples(argument[2])]
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            more = [s for inner in _inner(name, argument) for s in _samples(inner)]
        else:
            more = [""]
        samples = [a + b for a in samples for b in more][:8]
    return samples
