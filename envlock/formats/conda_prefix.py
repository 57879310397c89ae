"""What installers of conda packages make of a file that has a placeholder for the prefix.

Who builds a package does not know where it will be installed, so its files have a long path in
place of it, and each installer writes the prefix there.  A text may become shorter or longer; in a
binary file, the string up to its zero byte is filled up with zeros.  A first line ``#!`` that Linux
would not read in full, or whose path has a space, is written in another way, and each installer has
its own.

Sources: conda, ``conda/core/portability.py``; rattler, ``install/link.rs``, which mamba and pixi
follow or use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from envlock.formats.conda import Placeholder

LONGEST_LINE = 127
"""How much of a first line ``#!`` Linux reads, in bytes."""

_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_EXECUTABLE = re.compile(rb"/(?:[^ \n\r\t\\]|\\ ?)*")
_PYTHON = re.compile(rb"python(?:\d+(?:\.\d+)?)?\Z")

Rule = Callable[[bytes, Placeholder, str], bytes]


def by_conda(content: bytes, placeholder: Placeholder, prefix: str) -> bytes:
    """Return a file as conda installs it.  Raise ValueError where it would refuse to."""
    for encoding in _ENCODINGS:
        old, new = placeholder.text.encode(encoding), prefix.encode(encoding)
        if placeholder.is_binary:
            content = _in_strings(content, old, new, "\0".encode(encoding), is_open=False)
            continue
        line, newline, rest = content.partition(b"\n")
        if newline:
            begin = f"#!{placeholder.text}".encode(encoding)
            escaped = f"#!{prefix}".replace(" ", "\\ ").encode(encoding)
            content = line.replace(begin, escaped) + newline + rest
        content = content.replace(old, new)
    return content if placeholder.is_binary else _with_short_line(content)


def by_rattler(content: bytes, placeholder: Placeholder, prefix: str) -> bytes:
    """Return a file as rattler installs it.  Raise ValueError where it would refuse to."""
    old, new = placeholder.text.encode(), prefix.encode()
    if placeholder.is_binary:
        return _in_strings(content, old, new, b"\0", is_open=True)
    line, newline, rest = content.partition(b"\n")
    if not (newline and line.startswith(b"#!")):
        return content.replace(old, new)
    line = line.decode("utf-8", "replace").encode()
    if b" " in new:
        line = _with_program(line).replace(old, new) if old in line else line
    else:
        line = line.replace(old, new)
        line = line if len(line) <= LONGEST_LINE else _with_program(line)
    return line + newline + rest.replace(old, new)


RULES: Mapping[str, Rule] = {"conda-prefix/1": by_conda, "rattler-prefix/1": by_rattler}
"""Name of a rule -> what it does.  The name is in the sources of files, so a rule never changes."""


def _in_strings(content: bytes, old: bytes, new: bytes, zero: bytes, *, is_open: bool) -> bytes:
    """Replace in strings that end with `zero`, without moving what follows them.

    `is_open`: the end of the file ends a string too.  Raise ValueError when `new` is longer.
    """
    pieces = []
    position = 0
    while (start := content.find(old, position)) >= 0:
        end = content.find(zero, start + len(old)) + len(zero)
        if end < len(zero):
            if not is_open:
                break
            end = len(content)
        if len(new) > len(old):
            raise ValueError("the prefix is longer than its placeholder")
        changed = content[start:end].replace(old, new)
        pieces += [content[position:start], changed, bytes(end - start - len(changed))]
        position = end
    return b"".join((*pieces, content[position:]))


def _with_short_line(content: bytes) -> bytes:
    line = content.partition(b"\n")[0]
    parts = _parts(line)
    if parts is None:
        return content
    folder, _, name = parts[0].rpartition(b"/")
    if len(line) <= LONGEST_LINE and b"\\ " not in folder:
        return content
    return content.replace(line, b"#!/usr/bin/env " + name + parts[1])


def _with_program(line: bytes) -> bytes:
    """Return a first line that finds its program without naming the path to the kernel."""
    parts = _parts(line)
    if parts is None:
        return line
    path, options = parts
    name = path.rpartition(b"/")[2]
    if _PYTHON.match(name):
        return b"#!/bin/sh\n'''exec' \"%b\"%b \"$0\" \"$@\" #'''" % (path, options)
    return b"#!/usr/bin/env " + name + options


def _parts(line: bytes) -> tuple[bytes, bytes] | None:
    """Return the path of the program in a first line and what follows it, None without a path."""
    if not line.startswith(b"#!"):
        return None
    rest = line[2:].lstrip(b" ")
    match = _EXECUTABLE.match(rest)
    return None if match is None else (match[0], rest[match.end() :])
