"""The inputs of each parser that are kept: a file per parser, one input a line, written as bytes.

They are where guided runs start, so that these spend their time behind the first check of a format.
`scripts/fuzz --keep` writes them.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType

from tests.fuzz.parsers import ALLOWED, Run

FOLDER = Path(__file__).parent / "corpus"
LARGEST = 4096
"""Longest input that is kept, and that a guided run makes, in bytes."""
ROOM = 24_576
"""Most bytes of the inputs that are kept for one parser."""
_ENVLOCK = str(Path(__file__).resolve().parents[2] / "envlock")
_WORD_SIZES = range(2, 33)
_MOST_WORDS = 400

Arc = tuple[CodeType, int, int]
"""A step of a program: its code, and the lines it goes from and to."""


def read_corpus(name: str) -> tuple[bytes, ...]:
    """Return the inputs that are kept for a parser, none for one that has none yet."""
    path = FOLDER / f"{name}.txt"
    lines = path.read_text("ascii").splitlines() if path.exists() else []
    return tuple(ast.literal_eval(line) for line in lines)


def write_corpus(name: str, inputs: Iterable[bytes]) -> None:
    """Keep these inputs for a parser, in place of those that were kept."""
    FOLDER.mkdir(exist_ok=True)
    lines = [f"{one!r}\n" for one in sorted(inputs, key=lambda one: (len(one), one))]
    (FOLDER / f"{name}.txt").write_text("".join(lines), "ascii")


def chosen(run: Run, inputs: Iterable[bytes]) -> list[bytes]:
    """Return the inputs that go where no smaller one goes, while there is room for them."""
    seen: set[Arc] = set()
    kept: list[bytes] = []
    room = ROOM
    for one in sorted(set(inputs), key=lambda one: (len(one), one)):
        if len(one) > min(room, LARGEST):
            break
        arcs = _arcs(run, one)
        if not arcs <= seen:
            seen |= arcs
            kept.append(one)
            room -= len(one)
    return kept


def _arcs(run: Run, data: bytes) -> set[Arc]:
    """Return the steps that a parser takes on an input, in the code of envlock."""
    found: set[Arc] = set()

    def enter(frame: FrameType, _event: str, _argument: object) -> Callable[..., object] | None:
        if not frame.f_code.co_filename.startswith(_ENVLOCK):
            return None
        last = 0

        def step(frame: FrameType, event: str, _argument: object) -> Callable[..., object]:
            nonlocal last
            if event == "line":
                found.add((frame.f_code, last, frame.f_lineno))
                last = frame.f_lineno
            return step

        return step

    sys.settrace(enter)
    try:
        with suppress(*ALLOWED):
            run(data)
    finally:
        sys.settrace(None)
    return found


def words_of(name: str) -> tuple[bytes, ...]:
    """Return the words in the code of a parser's module, of which inputs may be made."""
    module = f"envlock.formats.{name.rpartition('.')[0]}"
    if "." not in name:
        return ()
    path = importlib.import_module(module).__file__
    code = compile(Path(str(path)).read_bytes(), module, "exec")
    words = {word for word in _constants(code) if len(word) in _WORD_SIZES}
    return tuple(sorted(words)[:_MOST_WORDS])


def _constants(code: CodeType) -> Iterator[bytes]:
    for value in code.co_consts:
        yield from _words(value)


def _words(value: object) -> Iterator[bytes]:
    if isinstance(value, CodeType):
        yield from _constants(value)
    elif isinstance(value, tuple | frozenset):
        for one in value:
            yield from _words(one)
    elif isinstance(value, bytes):
        yield value
    elif isinstance(value, str):
        yield value.encode("utf-8", "surrogateescape")
