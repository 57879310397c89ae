"""Find secrets by their shape alone, whatever the name around them.

Shapes are published formats of tokens and hashes (`shape_table`), blocks of private keys, and user
names and passwords in URLs.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from envlock.secrets import context_table, shape_table
from envlock.secrets.key_blocks import key_block_spans
from envlock.secrets.placeholders import looks_random
from envlock.secrets.spans import MASK, Span, mask_spans, merge_spans
from envlock.secrets.strength import Strength, measure
from envlock.secrets.url_users import url_user_spans

_NO_TOKEN_BEFORE = r"(?<![A-Za-z0-9])"
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"


class Hint(NamedTuple):
    """A text that stands in every match of a shape; `is_first`: a match begins with it."""

    text: str
    is_first: bool


class Shape(NamedTuple):
    """A published format, as `shape_table` describes it."""

    id: str
    pattern: re.Pattern[str]
    hints: tuple[Hint, ...]
    source: str
    is_loose: bool

    def is_in(self, text: str, hint: Hint) -> bool:
        """Return whether a match with this hint is in `text`."""
        if not hint.is_first:
            return hint.text in text and self.pattern.search(text) is not None
        at = text.find(hint.text)
        while at >= 0:
            if self.pattern.match(text, at):
                return True
            at = text.find(hint.text, at + 1)
        return False

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """Yield all matches in `text`."""
        if not all(hint.is_first for hint in self.hints):
            yield from self.pattern.finditer(text)
            return
        for hint in self.hints:
            at = text.find(hint.text)
            while at >= 0:
                if found := self.pattern.match(text, at):
                    yield found
                at = text.find(hint.text, found.end() if found else at + 1)


def _parse_table(table: str, *, is_token: bool = True) -> Iterator[Shape]:
    head, pattern = "", ""
    for line in [*table.strip("\n").split("\n"), ""]:
        if line.startswith(" "):
            pattern += line.strip()
            continue
        if head:
            name, hints, source = head.split(" | ")
            yield Shape(
                name.rstrip("?"),
                _compile(pattern),
                _hints(hints, is_token),
                source,
                name[-1] == "?",
            )
        head, pattern = line, ""


def _hints(hints: str, is_token: bool) -> tuple[Hint, ...]:
    return tuple(
        Hint(hint.removeprefix("~").replace("\\s", " "), is_token and hint[0] != "~")
        for hint in hints.split()
    )


def _compile(pattern: str) -> re.Pattern[str]:
    if pattern.startswith("^ "):
        return re.compile(pattern[2:])
    if pattern.startswith("(?<"):
        return re.compile(pattern)
    return re.compile(f"{_NO_TOKEN_BEFORE}(?:{pattern.replace('{UUID}', _UUID)})")


TOKENS = tuple(
    shape
    for table in (shape_table.CLOUDS, shape_table.CODE_HOSTS, shape_table.SERVICES)
    for shape in _parse_table(table)
)
"""Tokens of providers.  Like links, they hold no white space and at least `SHORTEST` characters."""
LINKS = tuple(_parse_table(context_table.KEYS_AND_LINKS))
"""Hashes, links with a token, and formats that samples in documentation have too."""
CONTEXTS = tuple(_parse_table(context_table.CONTEXTS, is_token=False))
"""Formats with something before the secret that tells it."""
SHORTEST = 16
_MOST_ROUNDS = 8


_SIGNS = "$~{[+*_=:-./"
"""Signs, the rarest first: hints are looked for only in words that hold the sign of the hint."""


_Index = dict[str, list[tuple[Hint, Shape]]]


def _by_sign(shapes: tuple[Shape, ...]) -> _Index:
    found: _Index = {}
    for shape in shapes:
        for hint in shape.hints:
            sign = next((sign for sign in _SIGNS if sign in hint.text), "")
            found.setdefault(sign, []).append((hint, shape))
    return found


_TOKENS_BY_SIGN = _by_sign(TOKENS)
_ALL_BY_SIGN = _by_sign((*TOKENS, *LINKS))


def find_shape(text: str) -> str:
    """Return the rule by which a part of `text` has the shape of a secret, or an empty text."""
    return next((span.rule for span in shape_spans(text)), "")


def mask_shapes(text: str) -> str:
    """Return `text` with `***` for every part that has the shape of a secret."""
    for _ in range(_MOST_ROUNDS):
        masked = mask_spans(text, merge_spans(shape_spans(text)))
        if masked == text:
            break
        text = masked
    return text


def shape_spans(text: str, *, is_strict: bool = False) -> Iterator[Span]:
    """Yield the parts of `text` that have the shape of a secret; they may overlap.

    With `is_strict` only private keys and tokens of providers are such shapes.
    """
    yield from key_block_spans(text)
    if "://" in text and not is_strict:
        yield from url_user_spans(text)
    for shape in _tokens_in(text, _TOKENS_BY_SIGN if is_strict else _ALL_BY_SIGN):
        yield from _spans_of(shape, text)
    for shape in () if is_strict else CONTEXTS:
        if any(hint.text in text for hint in shape.hints):
            yield from _spans_of(shape, text)


def _tokens_in(text: str, index: _Index) -> list[Shape]:
    """Return the shapes of tokens of which there is one in `text`.

    Only words of some length are searched, and for most hints only those that hold a certain sign:
    that leaves little of an ordinary text.
    """
    words = [word for word in text.split() if len(word) >= SHORTEST]
    joined = "\n".join(words)
    found = {}
    for sign, hints in index.items():
        if sign not in joined:
            continue
        some = "\n".join([word for word in words if sign in word]) if sign else joined
        for hint, shape in hints:
            if hint.text in some and shape.is_in(some, hint):
                found[id(shape)] = shape
    return list(found.values())


def _spans_of(shape: Shape, text: str) -> Iterator[Span]:
    group = "secret" if "secret" in shape.pattern.groupindex else 0
    check = _CHECKS.get(shape.id)
    for found in shape.matches(text):
        secret = found[group]
        if secret == MASK or _SAMPLE.search(secret):
            continue
        if shape.is_loose and not looks_random(secret):
            continue
        if check is None or check(secret):
            yield Span(*found.span(group), shape.id)


_SAMPLE = re.compile(r"(?i)example|([xX*.0-9a-zA-Z])\1{7}(?<!AAAAAAAA)|eyJzdWIiOiIxMjM0NTY3ODkwIiw")
"""What only samples in documentation hold; the last is the token of jwt.io."""


def _is_account(secret: str) -> bool:
    """Return whether base64 holds ``user:password``."""
    try:
        content = binascii.a2b_base64(secret + "=" * (-len(secret) % 4))
    except binascii.Error:
        return False
    return b":" in content and content.isascii() and content.decode().isprintable()


def _is_mixed(secret: str) -> bool:
    return measure(secret) >= Strength.MIXED


_CHECKS: dict[str, Callable[[str], bool]] = {
    "docker-auth": _is_account,
    "basic-authorization": _is_account,
    "authorization": _is_mixed,
    "conda-token": _is_mixed,
    "url-signature": looks_random,
    "hook-path": looks_random,
    "database-dsn": _is_mixed,
    "connect-call": _is_mixed,
    "secure-string": lambda secret: measure(secret) >= Strength.WORD,
    "sql-password": lambda secret: measure(secret) >= Strength.WORD,
    "ldap-password": lambda secret: measure(secret) >= Strength.WORD,
    "router-key": lambda secret: measure(secret) >= Strength.WORD,
    "exim-password": _is_mixed,
    "iscsi-password": _is_mixed,
    "oracle-login": _is_mixed,
    "proxy-login": _is_mixed,
    "told-password": lambda secret: _is_mixed(secret) and any(map(str.isdigit, secret)),
    "share-password": _is_mixed,
    "wifi-code": lambda secret: measure(secret) >= Strength.WORD,
    "chat-hook": looks_random,
    "package-token": looks_random,
    "nested-key": lambda secret: _is_mixed(secret) and any(map(str.isdigit, secret)),
}
"""What the secret must also be where its form alone is not enough."""
