"""Secrets that the words before them tell, where no name of a setting does.

An account of basic authentication, the answer to a prompt, a command that prints a password, the
key shares of a vault, and lists of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.secrets.spans import Span
from envlock.secrets.strength import Strength, measure

PHRASE_RULE = "secret-phrase"


class Phrase(NamedTuple):
    """What leads to secrets: a word in lower case that the text has, what begins and ends them.

    `begin` is matched where the words are, `item` as often as it is found from there up to `end`;
    its group `secret` is the secret.
    """

    hint: str
    begin: re.Pattern[str]
    end: str
    item: re.Pattern[str]
    source: str
    only_with: str = ""
    """A word that the text has to have too."""


_ACCOUNT = re.compile(r"(?<![\w.@$:-])[\w.@-]{1,64}:(?P<secret>[^\s\"',\]:]{2,256})")
_LINE = re.compile(r"^[ \t]{0,32}[\w.@-]{1,64}[ \t]{1,32}(?P<secret>[^\s{}#]{2,256})", re.MULTILINE)
_QUOTED = re.compile(r"[\"'](?P<secret>[^\"'\s]{8,512})[\"']")
_MEMBER = re.compile(r"[\w-]{1,64}[\"']?[ \t]{0,8}[=:][ \t]{0,8}[\"'](?P<secret>[^\"'\s]{8,256})")
_WORD = re.compile(r"(?P<secret>[^\s\"'\\;|&`]{2,512})")


def _phrase(
    hint: str, begin: str, end: str, item: re.Pattern[str], source: str, only_with: str = ""
) -> Phrase:
    compiled = re.compile(begin, re.IGNORECASE | re.MULTILINE)
    return Phrase(hint, compiled, end, item, source, only_with)


PHRASES = (
    _phrase(
        "auth",
        r"basic[-_]?auth[\"']?[\w.\]]{0,40}(?:[ \t]{0,8}:?[ \t]{0,8}\r?\n[ \t]{0,32})?\.?"
        r"users[\"']?[ \t]{0,8}[=:][ \t]{0,8}(?=\S)",
        "\n",
        _ACCOUNT,
        "Traefik: BasicAuth",
    ),
    _phrase("auth", r"^[ \t]{0,32}basic_?auth[^\n{]{0,128}\{", "}", _LINE, "Caddy: basic_auth"),
    _phrase(
        "pass",
        r"pass(?:word|phrase|wd)?[-_]?(?:command|cmd|eval)[\"']?[ \t]{0,8}[=: \t][ \t]{0,8}"
        r"\\{0,3}[\"']?(?:echo|printf)[ \t]{1,8}"
        r"(?:-[ne]{1,2}[ \t]{1,4}|[\"']?%s[\"']?[ \t]{1,4}){0,2}"
        r"\\{0,3}[\"']?(?=\S)",
        "\n",
        _WORD,
        "restic, borg, msmtp, mbsync: a command that prints the password",
    ),
    _phrase(
        "send",
        r"(?:password|passphrase|passcode|assword|assphrase)[^\n]{0,80}(?:\n[^\n]{0,80}){0,2}?"
        r"\bsend(?:_\w{1,8})?[ \t]{1,8}(?:--[ \t]{1,8})?[\"']",
        "\n",
        _WORD,
        "expect(1): the answer to a prompt",
    ),
    _phrase(
        "keys_b",
        r"[\"'](?:unseal_|recovery_)?keys(?:_base64|_b64|_hex)?[\"']\s{0,16}:\s{0,16}\[",
        "]",
        _QUOTED,
        "Vault: operator init",
    ),
    _phrase("key", r"\b(?:unseal|recovery) key \d{1,2}:[ \t]{1,8}", "\n", _WORD, "Vault"),
    _phrase(
        "tokens",
        r"\btokens[\"']?[ \t]{0,8}[:=]?[ \t]{0,8}\{",
        "}",
        _MEMBER,
        "Consul: acl.tokens",
        "acl",
    ),
    _phrase(
        "auth",
        r"[\"'](?:bearer|github-oauth|gitlab-oauth|gitlab-token)[\"']\s{0,16}:\s{0,16}\{",
        "}",
        re.compile(r":\s{0,16}[\"'](?P<secret>[^\"'\s]{8,512})[\"']"),
        "Composer: auth.json",
    ),
)
_SINGLE = (_WORD,)
_WINDOW = 8192


def phrase_spans(text: str) -> Iterator[Span]:
    """Yield the secrets in `text` that words before them tell."""
    lowered = text.lower()
    for phrase in PHRASES:
        if phrase.hint in lowered and phrase.only_with in lowered:
            for found in phrase.begin.finditer(text):
                yield from _spans_of(phrase, text, found.end())


def _spans_of(phrase: Phrase, text: str, at: int) -> Iterator[Span]:
    end = text.find(phrase.end, at, at + _WINDOW)
    end = end if end >= 0 else min(len(text), at + _WINDOW)
    if phrase.item in _SINGLE:
        only = phrase.item.match(text, at, end)
        items = [only] if only else []
    else:
        items = list(phrase.item.finditer(text, at, end))
    for item in items:
        value = item["secret"]
        is_mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
        if measure(value) >= Strength.MIXED and is_mixed:
            yield Span(*item.span("secret"), PHRASE_RULE)
