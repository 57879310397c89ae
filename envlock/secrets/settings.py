"""Replace the secret values of a text, so that the rest of it can still be compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from envlock.secrets.columns import column_spans
from envlock.secrets.command_lines import command_spans
from envlock.secrets.pairs import pair_spans
from envlock.secrets.phrases import phrase_spans
from envlock.secrets.positional import field_spans, kubernetes_spans
from envlock.secrets.reading import Reading, reading_of
from envlock.secrets.sections import section_spans
from envlock.secrets.shapes import find_shape, shape_spans
from envlock.secrets.spans import MASK, Span, mask_spans, merge_spans
from envlock.secrets.strength import Strength


class Finding(NamedTuple):
    """A value that was replaced: the rule by which it is secret, and its name or line number."""

    rule: str
    where: str


class Redacted(NamedTuple):
    """A text with `***` in place of every secret value, and what was replaced."""

    text: str
    findings: tuple[Finding, ...]


_MARK = "\ufeff"
_MOST_ROUNDS = 8
"""Without a value, more may look like one; so the text is judged until nothing is found."""


def redact_settings(path: str, text: str) -> Redacted:
    r"""Return the text of the file at `path` without its secret values.

    Quotes, layout and everything else are kept, and a value without a secret is not touched:
    reading the result again finds nothing.

    >>> redact_settings("/etc/app.ini", "user = app\npassword = hunter2\n").text
    'user = app\npassword = ***\n'
    """
    return redact_text(text, reading_of(path, text[:256]), path)


def redact_text(text: str, reading: Reading, path: str = "") -> Redacted:
    """Return `text` without its secret values, read as told."""
    if text.startswith(_MARK):
        redacted = redact_text(text[1:], reading, path)
        return redacted._replace(text=_MARK + redacted.text)
    findings: list[Finding] = []
    for _ in range(_MOST_ROUNDS):
        spans = [span for span in merge_spans(_spans(text, reading, path)) if _is_new(text, span)]
        if not spans:
            break
        findings += _findings(text, spans)
        text = mask_spans(text, spans)
    return Redacted(text, tuple(findings))


def _spans(text: str, reading: Reading, path: str) -> Iterator[Span]:
    yield from shape_spans(text, is_strict=reading.is_strict)
    if reading.demand.password < Strength.NEVER:
        yield from pair_spans(text, reading)
    if not reading.is_strict:
        yield from column_spans(path, text)
    if reading.demand.password < Strength.RANDOM:
        yield from command_spans(text)
        yield from field_spans(path, text)
        yield from kubernetes_spans(text)
        yield from section_spans(text, reading)
        yield from phrase_spans(text)


def _is_new(text: str, span: Span) -> bool:
    return span.start < span.end and text[span.start : span.end] != MASK


def _findings(text: str, spans: list[Span]) -> Iterator[Finding]:
    """Yield what is told of spans; a name that is itself a secret is not."""
    at, line = 0, 1
    for span in spans:
        line += text.count("\n", at, span.start)
        at = span.start
        is_name = span.key and len(span.key) <= 128 and not find_shape(span.key)
        yield Finding(span.rule, span.key if is_name else f"line {line}")
