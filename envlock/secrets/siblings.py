"""Values that stand beside their name, not behind it: ``name: DB_PASSWORD`` and ``value: hunter2``.

So do the environment of a container (Kubernetes, Compose, ECS), the properties of Hadoop, Spring,
Tomcat and .NET, and attributes of XML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.secrets.nested import Range, value_range

_NAME_KEY = re.compile(
    r"(?:\A|[\s,{<\"'(\[-])(?:name|key|id|var|variable|param|parameter|property|option|setting|"
    r"field|label|env|header|entry|attribute|[a-z]{1,12}[-_.]?(?:name|key))\\{0,3}[\"']?"
    r"[ \t]{0,32}(?:=>|[:=>])[ \t]{0,32}\\{0,3}[\"']?\Z",
    re.IGNORECASE,
)
_VALUE_KEY = re.compile(
    r"(?:[\s,{<\"'(\[-])(?:[a-z]{1,12}[-_.]?)?(?:value|val|default|content|text|secret)\\{0,3}[\"']?"
    r"(?:[ \t]{0,32}(?:=>|[:=])\s{0,64}|[^<>]{0,64}>\s{0,64})",
    re.IGNORECASE,
)
_ELEMENT_TEXT = re.compile(r"[\"'][^<>]{0,200}>\s{0,64}(?P<text>[^<>\s][^<>]{0,65536})<")
_PROPERTY_LIST = re.compile(r"</key>\s{0,64}<(?:string|data|integer)>(?P<text>[^<]{0,65536})<")
_END = re.compile(
    r"[}\])]|/>|</(?:property|entry|add|param|context-param|init-param|env-entry|variable|item|string)(?![\w-])"
    r"|\n[ \t]{0,64}(?:-[ \t]|[\"']?name[\"']?[ \t]{0,8}[:=])",
    re.IGNORECASE,
)
_START = re.compile(r"[{\[(]|<(?:\w)|\n[ \t]{0,64}-[ \t]")
_BEFORE, _AFTER = 240, 600


def names_a_sibling(text: str, start: int) -> bool:
    """Return whether the word that starts at `start` is the value of a key such as `name`."""
    return _NAME_KEY.search(text[max(0, start - 64) : start]) is not None


def sibling_ranges(text: str, start: int, end: int) -> Iterator[Range]:
    """Yield the value beside the name from `start` to `end`, on whichever side it stands."""
    stop = _END.search(text, end, end + _AFTER)
    last = stop.start() if stop else min(len(text), end + _AFTER)
    if plist := _PROPERTY_LIST.match(text, end):
        yield plist.span("text")
        return
    if inside := _ELEMENT_TEXT.match(text, end, last + 1):
        yield inside.span("text")
        return
    if found := _VALUE_KEY.search(text, end, last):
        yield _value_at(
            text, found.end(), is_element=text[found.end() - 1] == ">" or ">" in found[0]
        )
        return
    begin = max(0, start - _BEFORE)
    opened = [found.end() - 1 for found in _START.finditer(text, begin, start)]
    before = list(_VALUE_KEY.finditer(text, opened[-1] if opened else begin, start))
    if before and opened:
        yield _value_at(text, before[-1].end(), is_element=False)


def _value_at(text: str, at: int, *, is_element: bool) -> Range:
    if is_element and text[at : at + 1] not in "\"'":
        end = text.find("<", at, at + 65_536)
        return at, end if end >= 0 else at
    return value_range(text, at)
