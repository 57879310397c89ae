"""Decide whether a report may show the value of a changed setting: not if it may be a secret."""

from __future__ import annotations

import re

from envlock.secrets.values import judge_value

NOT_SHOWN = "(not shown)"

_SECRET_WORD = re.compile(
    r"(?i)pass|pwd|secret|token|key|cred|auth|salt|cookie|psk|dsn|seed|otp|signature|community"
)
_HARMLESS = re.compile(
    r"(?i)(?:[#\w.-]+\s*[=:\s]\s*)?[\"']?(?:yes|no|on|off|true|false|none|null|\d{1,3})[\"']?;?"
)
_RANDOM = re.compile(r"(?=[A-Za-z+=_-]*\d)[A-Za-z0-9+=_-]{24,}")
_USERINFO = re.compile(r"://[^\s/]*@")


def disclose(name: str, value: str) -> str:
    """Return `value` of the setting `name`, or `NOT_SHOWN`.

    `value` is a value or a whole line.  It is returned unless name or value suggests a secret; a
    switch or a small number is always returned (``PasswordAuthentication no``).
    """
    if _HARMLESS.fullmatch(value.strip()):
        return value
    suspicious = (
        _SECRET_WORD.search(name)
        or _SECRET_WORD.search(value)
        or _RANDOM.search(value)
        or _USERINFO.search(value)
        or judge_value(name, value)
    )
    return NOT_SHOWN if suspicious else value
