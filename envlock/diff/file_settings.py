"""Which settings differ inside a changed file: by name if its format is known, else by line.

deepdiff is used only here, on the differing parts of one file, never with ``ignore_order``, and
with ``threshold_to_diff_deeper=0``: its default turns two maps that share few keys into one change
that shows every value of both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from envlock.diff.edits import edits
from envlock.formats.config import format_of
from envlock.formats.config.values import MAX_DEPTH, NonString

Redact = Callable[[str, str], str]
"""Given the name and value of a setting, return the text that may be shown for the value.

The name is the full key path, so that everything below ``secrets:`` is recognised as secret.
"""

Part = tuple[str, ...]

Setting = tuple[str, str | None, str | None]
"""Position in the file, left value and right value; None for a missing value."""

MAX_BYTES = 1 << 18
"""Files larger than this are only equal or different."""

MAX_SETTINGS = 200
"""If more settings differ, none is reported."""

_MAX_LINES = 20_000
_MAX_ITEMS = 256
_ABSENT = "not present"
_NAME = re.compile(r"\s*+[#;]?\s*+(?:-\s++)?(?:export\s++)?[\"']?([A-Za-z0-9_.-]+)")
_BARE_PART = re.compile(r"[\w-]+\Z")


def conceal(_name: str, _value: str) -> str:
    """Hide every value: the default."""
    return "(not shown)"


def settings(path: str, left: bytes, right: bytes, redact: Redact) -> list[Setting] | None:
    """Return the settings of the file at `path` that differ, sorted by position.

    Empty if only comments, order or layout differ; None if the content is not text or too much
    differs.
    """
    if max(len(left), len(right)) > MAX_BYTES:
        return None
    found = structured(path, left, right, redact)
    if found is None:
        found = changed_lines(left, right, redact)
    return found if found is None or len(found) <= MAX_SETTINGS else None


def settings_of(
    path: str, content: bytes, redact: Redact, most: int = 40
) -> list[tuple[str, str]] | None:
    """Return position and value of every setting of a file, in its order.

    None if its format is not known, or if it has no setting or more than `most`.
    """
    form = format_of(path)
    if form is None:
        return None
    try:
        value = _tagged(form.parse(content.decode()), 0)
    except (ValueError, RecursionError):
        return None
    found = [(_joined(path, form.separator), text) for path, text in _leaves((), value, redact)]
    return found if 0 < len(found) <= most else None


def _leaves(path: Part, value: object, redact: Redact) -> Iterator[tuple[Part, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves((*path, key), item, redact)
        return
    name = ".".join(part for part in path if not part.isdigit())
    items = value if isinstance(value, list) else [value]
    bare = all(str(item).startswith('"') for item in items)
    if path:
        yield path, ", ".join(str(_shown(name, item, redact, bare=bare)) for item in items)


def structured(path: str, left: bytes, right: bytes, redact: Redact) -> list[Setting] | None:
    """Return the settings of a structured file that differ, None if its format is not known."""
    form = format_of(path)
    if form is None:
        return None
    try:
        before, after = (_tagged(form.parse(raw.decode()), 0) for raw in (left, right))
    except (ValueError, RecursionError):
        return None
    if before == after:
        # JSON text keeps the order of names, which == ignores.
        is_same = not form.is_ordered or json.dumps(before) == json.dumps(after)
        return [] if is_same else None
    found = sorted(
        _compare(*_pruned(before, after), redact), key=lambda item: _position_key(item[0])
    )
    return [(_joined(path, form.separator), old, new) for path, old, new in found]


def changed_lines(left: bytes, right: bytes, redact: Redact) -> list[Setting] | None:
    """Return the lines that differ, named by their number on the left.

    None if the content is not text or too many lines differ.
    """
    texts = _as_lines(left, right)
    found = texts and edits(*texts, limit=2 * MAX_SETTINGS)
    if texts is None or found is None:
        return None
    before, after = texts
    contexts = _contexts(before), _contexts(after)
    shown: list[Setting] = []
    for start, end, other, stop in found:
        for offset in range(max(end - start, stop - other)):
            old = new = None
            position = f"new line {other + offset + 1}"
            if start + offset < end:
                number = start + offset
                position = f"line {number + 1}"
                old = redact(contexts[0][number], before[number])
            if other + offset < stop:
                number = other + offset
                new = redact(contexts[1][number], after[number])
            shown.append((position, old, new))
    return shown


def _contexts(lines: Sequence[str]) -> list[str]:
    """Return the key path of each line: its name after the names of the lines that enclose it.

    A line is enclosed by the less indented line above it and by a line that a backslash continues:
    the name that marks a value as secret is often there.
    """
    found: list[str] = []
    above: list[tuple[int, str]] = []
    is_continued = False
    for line in lines:
        if not line.strip():
            found.append("")
            is_continued = False
            continue
        indent = len(line) - len(line.lstrip())
        while above and above[-1][0] >= indent and not is_continued:
            above.pop()
        match = _NAME.match(line)
        above.append((indent, match[1] if match else ""))
        del above[:-MAX_DEPTH]
        found.append(".".join(name for _, name in above if name))
        is_continued = line.endswith("\\")
    return found


def _compare(
    before: object, after: object, redact: Redact
) -> Iterator[tuple[Part, str | None, str | None]]:
    from deepdiff import DeepDiff

    tree = DeepDiff(before, after, view="tree", threshold_to_diff_deeper=0, verbose_level=2)
    for levels in tree.values():
        for level in levels:
            path = tuple(str(part) for part in level.path(output_format="list"))
            sides = [None if str(side) == _ABSENT else side for side in (level.t1, level.t2)]
            name = ".".join(part for part in path if not part.isdigit())
            # A string compared with a number keeps its quotes, or the two could look the same.
            bare = all(side is None or str(side).startswith('"') for side in sides)
            old, new = (_shown(name, side, redact, bare=bare) for side in sides)
            yield path, old, new


def _tagged(value: object, depth: int) -> object:
    """Return a value with JSON texts as leaves, so that ``1``, ``true`` and ``"1"`` differ."""
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, Mapping):
        return {str(key): _tagged(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        items = [_tagged(item, depth + 1) for item in value]
        # A long list is compared by index: aligning it takes unbounded time.
        return items if len(items) <= _MAX_ITEMS else {str(n): item for n, item in enumerate(items)}
    return (
        value.text
        if isinstance(value, NonString)
        else json.dumps(value, default=str, ensure_ascii=False)
    )


def _pruned(before: object, after: object) -> tuple[object, object]:
    """Return two values without the names whose values are equal."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return before, after
    kept: tuple[dict[str, object], dict[str, object]] = ({}, {})
    for name in before.keys() | after.keys():
        if name in before and name in after:
            if before[name] == after[name]:
                continue
            kept[0][name], kept[1][name] = _pruned(before[name], after[name])
        elif name in before:
            kept[0][name] = before[name]
        else:
            kept[1][name] = after[name]
    return kept


def _shown(name: str, value: object, redact: Redact, *, bare: bool = False) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return redact(name, json.loads(value) if bare else value)
    if isinstance(value, Mapping):
        inner = (f"{key}: {_shown(f'{name}.{key}', item, redact)}" for key, item in value.items())
        return "{" + ", ".join(inner) + "}"
    items = value if isinstance(value, list) else [value]
    return "[" + ", ".join(str(_shown(name, item, redact)) for item in items) + "]"


def _joined(path: Part, separator: str) -> str:
    """Return a key path; with dots as in TOML, where a part is quoted if necessary."""
    if separator != ".":
        return separator.join(path)
    return ".".join(part if _BARE_PART.match(part) else json.dumps(part) for part in path)


def _position_key(path: Part) -> list[tuple[int, str]]:
    return [(int(part) if part.isdecimal() and len(part) < 10 else -1, part) for part in path]


def _as_lines(left: bytes, right: bytes) -> tuple[list[str], list[str]] | None:
    if b"\0" in left or b"\0" in right:
        return None
    try:
        texts = left.decode().splitlines(), right.decode().splitlines()
    except UnicodeDecodeError:
        return None
    return texts if max(map(len, texts)) <= _MAX_LINES else None
