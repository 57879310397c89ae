"""Find secrets in the binary forms of programs: dumps, serialized objects, swap files of editors.

Such a form keeps a name and its value as text with lengths and marks between, whatever it is.
"""

from __future__ import annotations

import re

from envlock.secrets.names import Grade, grade_name
from envlock.secrets.shapes import shape_spans
from envlock.secrets.strength import Strength, measure
from envlock.secrets.values import SETTING_RULE

_PROGRAMS = (b"\x7fELF", b"\xca\xfe\xba\xbe", b"MZ", b"\0asm")
_WORD = re.compile(r"(?i)password|passwd|passphrase|secret|token|api_?key|private_key|db_pass")
_NAME_BEFORE = re.compile(r"[A-Za-z_][\w.-]{0,32}\Z")
_VALUE = re.compile(
    r"[\w.-]{0,16}(?:[\x00-\x1f\x7f-\xff]{1,12}|[ ]{0,4}[=:][ ]{0,4}[\"']?)(?P<value>[!-~]{8,128})"
)
_NAME = re.compile(r"[\w.-]{1,64}")


def data_rule(content: bytes) -> str:
    r"""Return the rule by which binary data holds a secret, or an empty text.

    Programs are none: their texts are names and messages.

    >>> data_rule(b"\x80\x04}\x8c\x08password\x94\x8c\x0eZk3jfu39Gh28sL\x94.")
    'password-setting'
    """
    if content.startswith(_PROGRAMS) or _is_text(content):
        return ""
    text = content.decode("latin-1")
    for found in _WORD.finditer(text):
        value = _VALUE.match(text, found.end())
        if value is None:
            continue
        before = _NAME_BEFORE.search(text, max(0, found.start() - 32), found.start())
        start = before.start() if before else found.start()
        name = _NAME.match(text, start, value.start("value"))
        if name and grade_name(name[0]) >= Grade.SECRET and _is_value(value["value"]):
            return SETTING_RULE
    return next((span.rule for span in shape_spans(text, is_strict=True)), "")


def _is_text(content: bytes) -> bool:
    try:
        return b"\0" not in content and bool(content.decode())
    except UnicodeDecodeError:
        return False


def _is_value(value: str) -> bool:
    has_both = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return has_both and measure(value) >= Strength.MIXED
