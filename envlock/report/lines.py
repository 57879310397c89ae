"""Lines of styled pieces, and how they become text: plain without rich, coloured with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Piece(NamedTuple):
    """Some text in one style; `style` is rich's name of it, empty for none."""

    text: str
    style: str = ""


Line = list[Piece]


def line(*pieces: str | Piece) -> Line:
    """Return a line of pieces; plain strings have no style."""
    return [piece if isinstance(piece, Piece) else Piece(piece) for piece in pieces]


def paint(lines: Iterable[Line], *, color: bool) -> str:
    """Return the lines as text, each ended by a newline, without trailing blanks."""
    if not color:
        return "".join("".join(piece.text for piece in row).rstrip() + "\n" for row in lines)
    return _paint_with_rich(lines)


def _paint_with_rich(lines: Iterable[Line]) -> str:
    import io

    from rich.console import Console
    from rich.text import Text

    out = io.StringIO()
    # Whether and how to colour was decided before: the environment has no say here.
    console = Console(
        file=out,
        force_terminal=True,
        color_system="standard",
        no_color=False,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        legacy_windows=False,
        _environ={},
    )
    text = Text("\n").join(
        Text.assemble(*((piece.text, piece.style) for piece in row)) for row in lines
    )
    console.print(text)
    return out.getvalue()
