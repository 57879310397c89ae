"""Decide whether a report may show the value of a changed setting: not if it may be a secret."""

from __future__ import annotations

import re

from envlock.secrets.redact import redact_text
from envlock.secrets.values import judge_value

NOT_SHOWN = "(not shown)"

_HARMLESS = re.compile(
    r"(?i)(?:[#\w.-]+\s*[=:\s]\s*)?[\"']?(?:yes|no|on|off|true|false|none|null|\d{1,3})[\"']?;?"
)
_USERINFO = re.compile(r"://[^\s/]*@")
_RANDOM = re.compile(r"(?=[A-Za-z+=]{0,64}\d)(?=[0-9+=]{0,64}[A-Za-z])[A-Za-z0-9+=]{24,}+")
_KEY_BLOCK = re.compile(r"BEGIN [A-Z ]{0,32}PRIVATE KEY")
_PAIR = re.compile(
    r"\s{0,256}[\"']?(?P<name>[\w.-]{1,128})[\"']?\s{0,16}[:=]\s{0,16}[\"']?(?P<value>[^\"']{1,4096})"
)


def disclose(name: str, value: str) -> str:
    """Return `value` of the setting `name`, or `NOT_SHOWN`.

    `value` is a value or a whole line.  The content of files was redacted when it was captured;
    this judges once more what is shown, so that what an older capture kept is not shown either.  A
    switch or a small number is always returned (``PasswordAuthentication no``).
    """
    if _HARMLESS.fullmatch(value.strip()):
        return value
    pair = _PAIR.match(value)
    is_secret = (
        judge_value(name, value)
        or (pair is not None and judge_value(pair["name"], pair["value"].strip(" ,;")))
        or any(pattern.search(value) for pattern in (_USERINFO, _RANDOM, _KEY_BLOCK))
        or redact_text(value) != value
    )
    return NOT_SHOWN if is_secret else value
