"""Differences of a text that no line shows: line ends, byte order mark, missing last newline.

Whether they matter depends on who reads the file: the kernel takes a carriage return for a part of
the interpreter's name, cron ignores a last line without newline, and Python reads either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from envlock.model.glob import compile_globs

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""U+FEFF in UTF-8."""

_SCRIPT_LINE = re.compile(rb"#![^\n]{0,256}")
_NO_LINES = frozenset({b"", BYTE_ORDER_MARK})
_LAST_LINE_COUNTS = ("/etc/crontab", "/etc/cron.d/*", "/etc/crontabs/*", "/var/spool/cron/**")
"""Files whose reader ignores or refuses a last line without newline: crontab(5), cron(8)."""
_ANY_LINE_ENDS = (
    "**.py", "**.pyi", "**.json", "**.toml", "**.yaml", "**.yml", "**.xml", "**.xsd", "**.xsl",
    "**.html", "**.htm", "**.css", "**.scss", "**.js", "**.mjs", "**.cjs", "**.ts", "**.jsx",
    "**.tsx", "**.map", "**.md", "**.rst", "**.txt", "**.csv", "**.svg", "**.c", "**.h", "**.cc",
    "**.cpp", "**.hpp", "**.cs", "**.java", "**.kt", "**.go", "**.rs", "**.php", "**.sql",
    "**.pem", "**.crt", "**.cer", "**.bat", "**.cmd", "**.ps1", "**.properties", "**.rb", "**.pl",
    "**.pm", "**.r", "**.R", "**/LICENSE*", "**/README*", "**/METADATA", "**/RECORD",
)  # fmt: skip
"""Files whose readers take a carriage return before a newline for a part of the line end."""
_ANY_MARK = (
    "**.py", "**.pyi", "**.xml", "**.xsd", "**.xsl", "**.svg", "**.html", "**.htm", "**.css",
    "**.js", "**.mjs", "**.ts", "**.cs", "**.md", "**.txt", "**.csv", "**.ps1",
)  # fmt: skip
"""Files whose readers skip a byte order mark."""
_SPACES_COUNT = ("**.properties", "**/.env", "**/.env.*", "**.env", "**/env.list")
"""Files that some of their readers take literally to the end of the line."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_ANY_ENCODING = ("**.xml", "**.xsd", "**.xsl", "**.html", "**.htm", "**.csv", "**.ps1", "**.reg")
_MAKEFILE = ("**/Makefile", "**/makefile", "**/GNUmakefile", "**/Makefile.*", "**.mk")


class LayoutChange(NamedTuple):
    """One difference: what it is about, the words for both sides, and who is affected how.

    `rule` is a key of `SPECIAL_RULES`, empty if no reader of the file is affected.
    """

    name: str
    left: str
    right: str
    rule: str
    why: str


def plain_text(raw: bytes) -> bytes:
    """Return a text in UTF-8 without byte order mark; what is no UTF-16 stays as it is."""
    if raw[:2] in _UTF_16:
        with suppress(UnicodeDecodeError):
            return raw.decode("utf-16").encode("utf-8", "surrogatepass")
    return raw.removeprefix(BYTE_ORDER_MARK)


def layout_changes(path: str, left: bytes, right: bytes) -> Iterator[LayoutChange]:
    """Yield the differences of the layout of two texts, the one that matters most first."""
    before, after = _encoding(left), _encoding(right)
    if before != after:
        rule = "" if _matches(_ANY_ENCODING, path) else "layout"
        why = "most readers take a text in UTF-16 for something else"
        yield LayoutChange("encoding", before, after, rule, why)
        left, right = plain_text(left), plain_text(right)
    if b"\0" in left or b"\0" in right:
        return
    yield from _interpreter(left, right)
    if _is_comparable(left, right) and (before := _ends(left)) != (after := _ends(right)):
        rule = "" if _matches(_ANY_LINE_ENDS, path) else "layout"
        why = "a carriage return is a part of the last word of each line for most readers"
        yield LayoutChange("line ends", before, after, rule, why)
    if _is_marked(left) != _is_marked(right):
        rule = "" if _matches(_ANY_MARK, path) else "layout"
        why = "a byte order mark is a part of the first word for most readers"
        yield LayoutChange("byte order mark", *_words(_is_marked(left)), rule, why)
    if _is_comparable(left, right) and _is_ended(left) != _is_ended(right):
        rule = "layout" if _matches(_LAST_LINE_COUNTS, path) else ""
        why = "its reader ignores or refuses a last line that does not end with a newline"
        yield LayoutChange("last newline", *_words(_is_ended(left)), rule, why)
    if _matches(_SPACES_COUNT, path) and _trailing(left) != _trailing(right):
        why = "a space at the end of a line is a part of the value for some readers"
        before, after = str(_trailing(left)), str(_trailing(right))
        yield LayoutChange("lines that end with a space", before, after, "layout", why)
    if _matches(_MAKEFILE, path) and _tabs(left) != _tabs(right):
        why = "make takes only lines that start with a tab for commands"
        yield LayoutChange(
            "lines that start with a tab", str(_tabs(left)), str(_tabs(right)), "layout", why
        )


def _interpreter(left: bytes, right: bytes) -> Iterator[LayoutChange]:
    """Yield how a script can no longer be started, if one side can and the other cannot."""
    lines = [_SCRIPT_LINE.match(raw.removeprefix(BYTE_ORDER_MARK)) for raw in (left, right)]
    if not all(lines):
        return
    spoilt = [raw[:3] == BYTE_ORDER_MARK or _has_return(raw) for raw in (left, right)]
    if spoilt[0] != spoilt[1]:
        before, after = ("cannot be started" if is_bad else "starts" for is_bad in spoilt)
        bad = left if spoilt[0] else right
        cause = "a byte order mark precedes it" if bad[:3] == BYTE_ORDER_MARK else "it ends with CR"
        why = f"the kernel does not find the interpreter that the first line names: {cause}"
        yield LayoutChange("script", before, after, "interpreter-line", why)


def _has_return(raw: bytes) -> bool:
    match = _SCRIPT_LINE.match(raw)
    return match is not None and match[0].endswith(b"\r")


def _encoding(raw: bytes) -> str:
    return "UTF-16" if raw[:2] in _UTF_16 and plain_text(raw) != raw else "UTF-8"


def _trailing(raw: bytes) -> int:
    """Return how many lines with a value end with a space or tab."""
    return sum(map(_ends_blank, raw.split(b"\n")))


def _ends_blank(line: bytes) -> bool:
    """True for a setting whose line ends with a space or tab; one that ends a comment is none."""
    text = line.removesuffix(b"\r")
    value = text.partition(b"=")[2]
    return value != value.rstrip(b" \t") and bool(value.strip()) and value.rstrip()[-1:] != b"#"


def _is_comparable(left: bytes, right: bytes) -> bool:
    return left not in _NO_LINES and right not in _NO_LINES


def _ends(raw: bytes) -> str:
    with_return = raw.count(b"\r\n")
    if not with_return:
        return "LF"
    return "CRLF" if with_return == raw.count(b"\n") else "LF and CRLF"


def _is_marked(raw: bytes) -> bool:
    return raw.startswith(BYTE_ORDER_MARK)


def _is_ended(raw: bytes) -> bool:
    return raw.endswith(b"\n")


def _tabs(raw: bytes) -> int:
    return raw.startswith(b"\t") + raw.count(b"\n\t")


def _words(is_present: bool) -> tuple[str, str]:
    """Return the words for both sides, given that exactly the left or exactly the right has it."""
    return ("present", "missing") if is_present else ("missing", "present")


def _matches(globs: tuple[str, ...], path: str) -> bool:
    return compile_globs(globs).match(path) is not None
