"""Where names that mean a secret stand in a text, and what stands around them.

Only lines that hold a hint of such a name are searched; in them, every word that is one is found
with its quotes, the separator behind it, and what precedes it on its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.secrets.names import HINTS, grade_name, word_set
from envlock.secrets.siblings import names_a_sibling


class Occurrence(NamedTuple):
    """A name that means a secret, as it stands in a text."""

    text: str
    start: int
    end: int
    line: int
    """Where its line starts."""
    after: re.Match[str]
    """Its closing quote, and the separator."""
    lead: re.Match[str] | None
    """What precedes it if it is the first word of its line, but for keywords."""

    @property
    def name(self) -> str:
        """The name itself."""
        return self.text[self.start : self.end]

    @property
    def separator(self) -> str:
        """What stands between the name and its value, or an empty text."""
        return self.after["separator"] or ""

    @property
    def value_at(self) -> int:
        """Where the value begins if it stands behind the separator."""
        return self.after.end()

    @property
    def quote(self) -> str:
        """The quote that opens right before the name and does not close right behind it."""
        before = _QUOTE_BEFORE.search(self.text[max(0, self.start - 12) : self.start])
        opened = before["quote"] if before else ""
        return "" if opened and self.after["close"] else opened

    @property
    def is_option(self) -> bool:
        """Whether dashes, or the slash of Windows, make the name an option."""
        return _OPTION_BEFORE.search(self.text[max(0, self.start - 4) : self.start]) is not None

    @property
    def is_in_string(self) -> bool:
        """Whether the name stands within a string of its line, behind a space or separator."""
        before = self.text[max(self.line, self.start - 400) : self.start]
        return before[-1:] in (" ", ";", "&", "?") and any(
            before.count(quote) % 2 for quote in ('"', "'", "`")
        )

    @property
    def is_element(self) -> bool:
        """Whether the name is that of an element of XML."""
        return _TAG_BEFORE.search(self.text[max(0, self.start - 34) : self.start]) is not None

    @property
    def is_comment(self) -> bool:
        """Whether its line is a comment."""
        return self.lead is not None and bool(self.lead["comment"])

    @property
    def has_keyword(self) -> bool:
        """Whether a keyword precedes it: `export`, `ENV`, `set`."""
        return self.lead is not None and bool(self.lead["words"].strip("- "))


_NAME = re.compile(r"[^\W\d][\w.-]{1,127}+(?: (?:[Kk]eys?|KEY|[Pp]hrase)(?![\w.-]))?")
_MEDIA_TYPE = re.compile(r"\b(?:application|audio|chemical|font|image|message|model|text|video)/\Z")
_AFTER = re.compile(
    r"(?P<close>\\{0,7}[\"'`]\]?|\[\w{0,20}\]|\])?+"
    r"[ \t]{0,256}+(?:(?P<separator>=>|:=|\+=|\?=|\|\|=|=(?![=>]|~[ \t])|:(?!:)|,)[ \t]{0,256}+)?+"
)
_LEAD = re.compile(
    r"[\s\ufeff]{0,256}+"
    r"(?P<comment>(?:#(?!define)|;|//|--[ \t]|/?\*|<!--|rem[ \t]|dnl[ \t])?+)[#;/*! \t]{0,64}+"
    r"(?P<words>(?:-[ \t]{1,8}|[a-z#_-]{1,24}[ \t]{1,64}|&&[ \t]{1,8}){0,4})"
    r"(?:[\$@%&.]|--?D?)?[\"'`]?",
    re.IGNORECASE,
)
_KEYWORDS = word_set(
    """
    #define && - -e -gx -p -r -x add_header arg const constraint declare def defaults define
    env environment export fastcgi_param final global let local my option our private
    protected proxy_set_header public readonly scgi_param set setenv setx static typeset
    uwsgi_param val var
    """
)
"""Words that may precede the name of a setting on its line."""
_QUOTE_BEFORE = re.compile(r"(?P<quote>\\{1,7}[\"']|[\"'`])(?:-{1,2}D?|/|export )?\Z")
_OPTION_BEFORE = re.compile(r"(?:\A|[\s\"'`,(\[=])(?:--?|/)\Z")
_PREFIX = re.compile(r"(?<![\w./:@])(?:\w[\w.-]{0,63}+[/:]){1,4}+\Z")
"""Names before a slash or colon: ``db/password``."""
_TAG_BEFORE = re.compile(r"<(?:[\w.-]{1,30}:)?\Z")
_LONGEST_LEAD = 400


def find_occurrences(text: str) -> Iterator[Occurrence]:
    """Yield every name in `text` that means a secret."""
    lowered = text.lower() if text.isascii() else text.replace("\u0130", "I").lower()
    for start, end in _hinted_lines(lowered):
        for found in _NAME.finditer(text, start, end):
            before = max(0, found.start() - 16)
            name = found[0][1:] if _is_definition(text, found.start()) else found[0]
            if grade_name(name) and not _MEDIA_TYPE.search(text, before, found.start()):
                yield _occurrence(text, found, start)


def _is_definition(text: str, start: int) -> bool:
    """Return whether a word is an option of Java: ``-Dname=value``."""
    before = text[max(0, start - 2) : start]
    return text[start] == "D" and before.endswith("-") and before != "--"


def _hinted_lines(lowered: str) -> list[tuple[int, int]]:
    """Return where the lines start and end that hold a hint of a name."""
    lines = {}
    for hint in HINTS:
        at = lowered.find(hint)
        while at >= 0:
            end = lowered.find("\n", at)
            end = len(lowered) if end < 0 else end
            lines[lowered.rfind("\n", 0, at) + 1] = end
            at = lowered.find(hint, end)
    return sorted(lines.items())


def _occurrence(text: str, found: re.Match[str], line: int) -> Occurrence:
    start, end = found.span()
    while text[end - 1] in ".-":
        end -= 1
    if _is_definition(text, start):
        start += 1
    prefix = _PREFIX.search(text, max(line, start - 80), start)
    if prefix and not names_a_sibling(text, start):
        start = prefix.start()
    after = _AFTER.match(text, end)
    assert after is not None, "every part of it is optional"  # noqa: S101
    lead = _LEAD.fullmatch(text, line, start) if start - line <= _LONGEST_LEAD else None
    if lead and not _KEYWORDS.issuperset(lead["words"].lower().split()):
        lead = None
    return Occurrence(text, start, end, line, after, lead)
