"""Parts of a text that are secret, and the text without them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MASK = "***"
"""What stands for a secret; of its length nothing is told."""


class Span(NamedTuple):
    """A part of a text, the rule by which it is secret, and the name of the value if it has one."""

    start: int
    end: int
    rule: str
    key: str = ""


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order; those that overlap become one, with the rule of the first."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = last._replace(end=max(last.end, span.end), key=last.key or span.key)
        else:
            merged.append(span)
    return merged


def mask_spans(text: str, spans: Iterable[Span]) -> str:
    """Return `text` with `MASK` in place of each of the spans, which do not overlap."""
    pieces, at = [], 0
    for span in spans:
        pieces += [text[at : span.start], MASK]
        at = span.end
    return "".join([*pieces, text[at:]])
