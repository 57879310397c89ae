"""Directives and blocks in braces: nginx, and with C comments BIND and ISC DHCP.

Sources: nginx.org/en/docs/beginners_guide.html (configuration file's structure) and
``ngx_conf_read_token``; named.conf(5); dhcpd.conf(5).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from envlock.formats.config.values import MAX_DEPTH, Document, add_block, add_value

_HASH = r"#[^\n]*"
_C_COMMENT = r"|//[^\n]*|/\*.*?\*/"
_REST = (
    r"|(?P<mark>[;{}])"
    r'|"(?P<double>(?:[^"\\]|\\.)*)"'
    r"|'(?P<single>(?:[^'\\]|\\.)*)'"
    r"|(?P<word>(?:\$\{|\\.|[^\s;{}\"'\\])(?:\$\{[^}\s]{0,256}\}|\\.|[^\s;{}\\])*)"
)
_NGINX = re.compile(rf"\s+|(?:{_HASH}){_REST}", re.DOTALL)
_BIND = re.compile(rf"\s+|(?:{_HASH}{_C_COMMENT}){_REST}", re.DOTALL)
_PLAIN = re.compile(r"[^\s\"'\\]+\Z")
_NAMED_BY = ("server_name", "listen")


def parse_nginx(text: str) -> Document:
    """Return directive -> arguments, and for each block ``name[arguments]`` -> its content.

    A server without arguments is named by its ``server_name``.  Raise ValueError for unbalanced
    braces, and for blocks that contain another language (Lua).
    """
    return _read(_tokens(_NGINX, text))


def parse_bind(text: str) -> Document:
    """Return the same as `parse_nginx`, for a file with C comments."""
    return _read(_tokens(_BIND, text))


def _tokens(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, bool]]:
    """Yield (token, is mark): words, and the marks ``;``, ``{`` and ``}``."""
    position = 0
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            raise ValueError("unterminated string")
        position = match.end()
        group = match.lastgroup
        if group == "mark":
            yield match[group], True
        elif group is not None:
            yield match[group], False


def _read(tokens: Iterator[tuple[str, bool]]) -> Document:
    top: Document = {}
    # The open blocks: their parent, heading, and content so far.
    stack: list[tuple[Document, list[str], Document]] = []
    here = top
    words: list[str] = []
    for token, is_mark in tokens:
        if not is_mark:
            words.append(token)
            continue
        if token == "{":
            if len(stack) >= MAX_DEPTH or (words and words[0].endswith("_lua_block")):
                raise ValueError("nested too deeply, or a block in another language")
            stack.append((here, words, Document()))
            here = stack[-1][2]
        elif token == "}":
            if words or not stack:
                raise ValueError("unexpected closing brace")
            parent, heading, found = stack.pop()
            add_block(parent, _heading(heading, found)).update(found)
            here = parent
        elif words:
            add_value(here, words[0], _arguments(words[1:]))
        words = []
    if stack or words:
        raise ValueError("the file ends inside a directive")
    return top


def _heading(words: list[str], found: Document) -> str:
    name, arguments = (words[0] if words else ""), _arguments(words[1:])
    if name == "server" and not arguments:
        values = (found.get(key) for key in _NAMED_BY)
        arguments = next((v.partition(" ")[0] for v in values if isinstance(v, str)), "")
    return f"{name}[{arguments}]" if arguments else name


def _arguments(words: list[str]) -> str:
    return " ".join(word if _PLAIN.match(word) else json.dumps(word) for word in words)
