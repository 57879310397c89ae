"""Inside a changed file: which settings differ.  JSON, TOML and INI by key, other text by line.

Only here is deepdiff used, on the payload of one file, never with ``ignore_order`` and with
``threshold_to_diff_deeper=0``: its default turns two maps that share few keys into one change that
shows every value of both.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping

Redact = Callable[[str, str], str]
"""Given a setting's name and value, what may be shown of the value."""

Setting = tuple[str, str | None, str | None]
"""Where in the file, the left value and the right one; None where there is none."""

MAX_BYTES = 1 << 18
"""Files larger than this are only equal or different."""

MAX_SETTINGS = 200
"""More settings than this are no explanation."""

_JSON = (".json", ".ipynb")
_INI = (".ini", ".cfg", ".service", ".socket", ".timer", ".mount", ".desktop", ".network", ".repo")
_NAME = re.compile(r"\s*[#;]?\s*(?:export\s+)?([A-Za-z0-9_.-]+)")


def conceal(_name: str, _value: str) -> str:
    """Show nothing: what applies where nobody decided what may be shown."""
    return "(not shown)"


def settings(path: str, left: bytes, right: bytes, redact: Redact) -> list[Setting] | None:
    """Return the settings of the file at `path` that differ, in the order of their place.

    Empty when only comments, order or layout differ; None when the content is no text, or differs
    in more places than anyone would read.
    """
    found = structured(path, left, right, redact)
    if found is None:
        found = changed_lines(left, right, redact)
    return found if found is None or len(found) <= MAX_SETTINGS else None


def structured(path: str, left: bytes, right: bytes, redact: Redact) -> list[Setting] | None:
    """Return the keys of a structured file whose values differ, None where it is not structured."""
    parse = _parser(path)
    if parse is None:
        return None
    try:
        before, after = _tagged(parse(left.decode())), _tagged(parse(right.decode()))
    except (ValueError, RecursionError):
        return None
    return [] if before == after else sorted(_compare(before, after, redact), key=_place)


def changed_lines(left: bytes, right: bytes, redact: Redact) -> list[Setting] | None:
    """Return the lines that differ, named by their number on the left; None where it is no text."""
    texts = _as_lines(left, right)
    if texts is None:
        return None
    import difflib

    before, after = texts
    found: list[Setting] = []
    matcher = difflib.SequenceMatcher(None, before, after)
    for tag, start, end, other, stop in matcher.get_opcodes():
        if tag == "equal":
            continue
        for offset in range(max(end - start, stop - other)):
            old = before[start + offset] if start + offset < end else None
            new = after[other + offset] if other + offset < stop else None
            place = (
                f"line {start + offset + 1}"
                if old is not None
                else f"new line {other + offset + 1}"
            )
            found.append((place, _shown_line(old, redact), _shown_line(new, redact)))
    return found


def text_diff(left: bytes, right: bytes, redact: Redact, limit: int = 200) -> str | None:
    """Return a unified diff of at most `limit` lines, each redacted; None where it is no text."""
    texts = _as_lines(left, right)
    if texts is None:
        return None
    import difflib

    before, after = ([_shown_line(line, redact) or "" for line in lines] for lines in texts)
    lines = list(difflib.unified_diff(before, after, "left", "right", lineterm=""))
    if len(lines) > limit:
        lines[limit:] = [f"... {len(lines) - limit} more lines"]
    return "\n".join(lines)


def _parser(path: str) -> Callable[[str], object] | None:
    name = path.rpartition("/")[2].lower()
    if name.endswith(_JSON):
        return json.loads
    if name.endswith(".toml"):
        return tomllib.loads
    return _parse_ini if name.endswith(_INI) else None


def _parse_ini(text: str) -> Mapping[str, Mapping[str, str | None]]:
    """Return section -> key -> value.  Raise ValueError when it is no INI file.

    Duplicate keys are an error, so that unit files that repeat ``ExecStart=`` are compared by line.
    """
    import configparser

    class Ini(configparser.RawConfigParser):
        """A reader that keeps the case of keys."""

        def optionxform(self, optionstr: str) -> str:
            return optionstr

    parser = Ini(allow_no_value=True, default_section="", delimiters=("=",))
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    return {name: dict(parser[name]) for name in parser.sections()}


def _compare(before: object, after: object, redact: Redact) -> Iterator[Setting]:
    from deepdiff import DeepDiff

    tree = DeepDiff(before, after, view="tree", threshold_to_diff_deeper=0, verbose_level=2)
    for levels in tree.values():
        for level in levels:
            path = [str(part) for part in level.path(output_format="list")]
            sides = [None if str(side) == _ABSENT else side for side in (level.t1, level.t2)]
            name = next((part for part in reversed(path) if not part.isdigit()), "")
            # A string beside a number keeps its quotes, or the two might look the same.
            bare = all(side is None or str(side).startswith('"') for side in sides)
            old, new = (_shown(name, side, redact, bare=bare) for side in sides)
            yield _dotted(path), old, new


_ABSENT = "not present"


def _tagged(value: object) -> object:
    """Return a value whose leaves are JSON texts: ``1``, ``true`` and ``"1"`` are three things."""
    if isinstance(value, Mapping):
        return {str(key): _tagged(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_tagged(item) for item in value]
    return json.dumps(value, default=str, ensure_ascii=False)


def _shown(name: str, value: object, redact: Redact, *, bare: bool = False) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return redact(name, json.loads(value) if bare else value)
    if isinstance(value, Mapping):
        inner = (f"{key}: {_shown(str(key), item, redact)}" for key, item in value.items())
        return "{" + ", ".join(inner) + "}"
    items = value if isinstance(value, list) else [value]
    return "[" + ", ".join(str(_shown(name, item, redact)) for item in items) + "]"


def _dotted(path: list[str]) -> str:
    """Return a key path as TOML writes it, quoted where a part needs it."""
    return ".".join(part if re.fullmatch(r"[\w-]+", part) else json.dumps(part) for part in path)


def _place(setting: Setting) -> list[tuple[int, str]]:
    return [(int(part) if part.isdecimal() else -1, part) for part in setting[0].split(".")]


def _as_lines(left: bytes, right: bytes) -> tuple[list[str], list[str]] | None:
    if b"\0" in left or b"\0" in right:
        return None
    try:
        return left.decode().splitlines(), right.decode().splitlines()
    except UnicodeDecodeError:
        return None


def _shown_line(line: str | None, redact: Redact) -> str | None:
    if line is None:
        return None
    match = _NAME.match(line)
    return redact(match[1] if match else "", line)
