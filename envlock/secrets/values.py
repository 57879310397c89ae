"""Whether the value of a named setting is a secret.

Under a name that means a secret, every literal is one: `hunter2` as well as 40 random characters.
Under any other name only what has the published shape of a secret is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from envlock.secrets.names import Grade, grade_name, name_words
from envlock.secrets.placeholders import is_placeholder
from envlock.secrets.shapes import find_shape
from envlock.secrets.strength import Strength, measure

SETTING_RULE = "password-setting"
"""The rule by which a literal under a name that means a secret is one."""


class Demand(NamedTuple):
    """From which strength on a value is a secret, for each grade of its name."""

    hint: Strength = Strength.MIXED
    secret: Strength = Strength.WORD
    password: Strength = Strength.WORD


_EVERY_LITERAL = Demand()
_TOKEN = re.compile(r"[\w+/=.:~@%-]{1,4096}+")
_HIDDEN = re.compile(r"[\w!@#%^&*+=.~$-]{8,64}")
_WALLET = re.compile(r"[a-z]{3,8}(?: [a-z]{3,8}){11,23}")
_SMALL = re.compile(r"\s{0,64}\d{1,4}\s{0,64}")
_ACCOUNT = re.compile(r"[^\s:]{1,128}:[^\s:]{1,128}")


def judge_value(name: str, value: str) -> str:
    """Return the id of the rule by which the value of `name` is a secret, or an empty text.

    >>> judge_value("db_password", "hunter2"), judge_value("db_password", "${DB_PASSWORD}")
    ('password-setting', '')
    """
    return find_shape(value) or (SETTING_RULE if is_secret_value(name, value) else "")


def is_secret_value(name: str, value: str, demand: Demand | None = None) -> bool:
    """Return whether a literal is a secret because of its name."""
    grade, demand = grade_name(name), demand or _EVERY_LITERAL
    if not grade:
        return False
    found = measure(value)
    if found is Strength.NONE or _is_name_again(name, value):
        return False
    if grade is Grade.PASSWORD:
        return found >= demand.password
    if grade is Grade.SECRET:
        return found >= demand.secret and not _SMALL.fullmatch(value)
    if grade is Grade.DOUBT:
        return found >= max(demand.hint, Strength.MIXED) and any(map(str.isdigit, value))
    is_random = found is Strength.RANDOM and _TOKEN.fullmatch(value.strip()) is not None
    return found >= demand.hint and (is_random or _is_hidden(value.strip()))


def _is_name_again(name: str, value: str) -> bool:
    words = name_words(value)
    return bool(words) and not any(map(str.isdecimal, value)) and words == name_words(name)


def _is_hidden(value: str) -> bool:
    """Return whether a value is an account, the words of a wallet, or letters with digits."""
    if _WALLET.fullmatch(value):
        return True
    if _ACCOUNT.fullmatch(value):
        return not is_placeholder(value.partition(":")[2])
    if len(value) < 8 or not any(map(str.isdigit, value)) or not any(map(str.isalpha, value)):
        return False
    if value.isalnum():
        return True
    is_mixed = any(map(str.isupper, value)) and any(map(str.islower, value))
    return is_mixed and _HIDDEN.fullmatch(value) is not None
