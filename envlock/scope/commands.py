"""What a command starts: its program, and what wrappers, shells and interpreters start for it."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from envlock.model.tree import EntryType
from envlock.scope.graph import Around, File, Need
from envlock.scope.java_start import java_files
from envlock.scope.programs import find_path, started_program
from envlock.scope.python_envs import environment_of_program, release_of, visible_to
from envlock.scope.python_imports import needs_of_script, providers

_DEEPEST = 5
"""How many wrappers and shells may start one another."""

_WRAPPERS: Mapping[str, tuple[str, int]] = {
    "catatonit": ("", 0),
    "chpst": ("ubUeEmdopcrtPv/", 0),
    "chronic": ("", 0),
    "docker-init": ("", 0),
    "dumb-init": ("r", 0),
    "env": ("uCS", 0),
    "exec": ("a", 0),
    "gosu": ("", 1),
    "ionice": ("cnp", 0),
    "nice": ("n", 0),
    "nohup": ("", 0),
    "numactl": ("iNmCp", 0),
    "pasta": ("", 0),
    "setpriv": ("", 0),
    "setsid": ("", 0),
    "stdbuf": ("ioe", 0),
    "su-exec": ("", 1),
    "taskset": ("", 1),
    "time": ("fo", 0),
    "timeout": ("ks", 1),
    "tini": ("pg", 0),
    "tini-static": ("pg", 0),
    "xvfb-run": ("ens", 0),
}
"""Name -> its short options that take the next word, and how many words precede the command."""

SHELLS = frozenset({"sh", "bash", "dash", "ash", "busybox", "ksh", "zsh"})
_WITH_SCRIPT = frozenset({"node", "nodejs", "bun", "deno", "php", "ruby", "perl", "Rscript"})
"""Interpreters whose first word without a dash is the script."""
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*t?\Z")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def started_by(words: Sequence[str], around: Around, depth: int = 0) -> Iterator[Need]:
    """Yield what the words of a command lead to: programs, scripts and files that they name."""
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    if not words or depth > _DEEPEST:
        return
    program, rest = words[0], words[1:]
    yield from started_program(program, "", around)
    name = posixpath.basename(program)
    if name in _WRAPPERS:
        yield from started_by(_wrapped(rest, *_WRAPPERS[name]), around, depth + 1)
    elif name in SHELLS:
        yield from _by_shell(rest, around, depth)
    elif _PYTHON.match(name):
        yield from _by_python(program, rest, around)
    elif name == "java":
        yield from java_files(rest, around)
    elif name in _WITH_SCRIPT:
        yield from _files([w for w in rest if not w.startswith("-")][:1], around, is_first=True)
    else:
        yield from _files(rest, around)


def unwrapped(words: Sequence[str]) -> Sequence[str]:
    """Return the command that assignments and wrappers lead to: ``tini -- serve`` is ``serve``."""
    for _ in range(_DEEPEST):
        while words and _ASSIGNMENT.match(words[0]):
            words = words[1:]
        name = posixpath.basename(words[0]) if words else ""
        if name not in _WRAPPERS:
            break
        words = _wrapped(words[1:], *_WRAPPERS[name])
    return words


def _wrapped(words: Sequence[str], with_value: str, before: int) -> Sequence[str]:
    """Return the words of the command that a wrapper starts, given the words after its name."""
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            at += 1
            break
        if _ASSIGNMENT.match(word):
            at += 1
        elif word.startswith("-") and len(word) > 1:
            is_split = len(word) == 2 and word[1] in with_value
            at += 2 if is_split else 1
        else:
            break
    return words[at + before :]


def _by_shell(words: Sequence[str], around: Around, depth: int) -> Iterator[Need]:
    for at, word in enumerate(words):
        if word.startswith("-") and not word.startswith("--") and "c" in word:
            for command in simple_commands("\n".join(words[at + 1 : at + 2])):
                yield from started_by(command, around, depth + 1)
            return
        if not word.startswith(("-", "+")):
            yield from started_by(words[at:], around, depth + 1)
            yield from _files(words[at : at + 1], around)
            return


def _by_python(program: str, words: Sequence[str], around: Around) -> Iterator[Need]:
    """Yield the script or the distribution of the module that an interpreter runs."""
    for at, word in enumerate(words):
        if word == "-m" and at + 1 < len(words):
            path = find_path(program, around)
            if path and environment_of_program(path, around) is None:
                real = around.view.resolve(path)
                visible = visible_to(real, release_of(real, around), around)
                yield from providers([words[at + 1].partition(".")[0]], visible, around)
            return
        if word == "-c":
            return
        if not word.startswith("-"):
            for need in _files(words[at:], around, is_first=True):
                yield need
                if isinstance(need.node, File):
                    yield from needs_of_script(need.node.path, program, around)
            return


def _files(words: Sequence[str], around: Around, *, is_first: bool = False) -> Iterator[Need]:
    """Yield the regular files that words name by a path; the first one may be a bare name."""
    for at, word in enumerate(words):
        path = word.rpartition("=")[2] if word.startswith("-") else word
        if "/" not in path and not (at == 0 and is_first and path):
            continue
        found = around.real(path)
        entry = around.view.stat(found.path) if found else None
        if found and entry and entry.type in (EntryType.FILE, EntryType.HARDLINK):
            yield Need(found)


_KEYWORDS = frozenset(
    {"if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "exec", "command"}
)
_HEREDOC = re.compile(r"<<-?\s*['\"\\]?([A-Za-z_]\w*)")
_FUNCTION = re.compile(r"^[ \t]*(?:function[ \t]+)?([\w-]+)[ \t]*\(\)", re.MULTILINE)
_MOST_LINES = 5000
_SEPARATORS = frozenset(";&|()")
_NAME = re.compile(r"[A-Za-z0-9_./+-]+\Z")
_BUILT_IN = frozenset(
    {"echo", "printf", "test", "[", "kill", "true", "false", "pwd", "cd", "set", "unset", "export",
     "return", "exit", "shift", "local", "read", "trap", "umask", "ulimit", "wait", "eval", "type",
     "hash", "alias", "case", "for", "esac", "fi", "done", "declare", "readonly", "source", ".",
     "let", "shopt", "in", "select", "function", "break", "continue", "getopts", "times", ":"}
)  # fmt: skip


def simple_commands(text: str) -> Iterator[list[str]]:
    r"""Yield the words of the commands in a shell script that can be told without running it.

    Lines whose quotes do not close, here-documents, built-in commands and functions are left out.

    >>> list(simple_commands('set -e\nexec gosu app nginx -g "daemon off;" && x=1 date'))
    [['gosu', 'app', 'nginx', '-g', 'daemon off;'], ['x=1', 'date']]
    """
    functions = set(_FUNCTION.findall(text))
    end = ""
    for line in text.replace("\\\n", " ").split("\n")[:_MOST_LINES]:
        if end:
            end = "" if line.strip() == end else end
            continue
        heredoc = _HEREDOC.search(line)
        end = heredoc[1] if heredoc else ""
        for words in _split(line):
            name = next((word for word in words if not _ASSIGNMENT.match(word)), "")
            if _NAME.match(name) and name not in _BUILT_IN | functions:
                yield words


def _split(line: str) -> Iterator[list[str]]:
    """Yield the words of each command on a line, keywords left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()")
    lexer.whitespace_split = True
    try:
        tokens = list(lexer)
    except ValueError:
        return
    words: list[str] = []
    for token in tokens:
        if token and set(token) <= _SEPARATORS:
            if words and token[0] != ")":
                yield words
            words = []
        elif words or token not in _KEYWORDS:
            words.append(token)
    if words:
        yield words
