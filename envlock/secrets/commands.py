"""Which parts of a command line are secret, judged as a whole: options with what follows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from envlock.secrets.file_names import is_named_secret
from envlock.secrets.names import grade_name
from envlock.secrets.programs import ALWAYS_READ, PROGRAMS, READER_OPTIONS, READERS, Program
from envlock.secrets.strength import Strength, measure

COMMAND_RULE = "command-line"
"""The rule by which an argument of a known program is a secret."""


class Part(NamedTuple):
    """A secret part of an argument: which one it is, and where in it the part starts and ends."""

    place: int
    start: int
    end: int


_OPERATORS = frozenset(("|", "||", "&&", ";", "&", "|&"))
_MOST_ARGUMENTS = 128
_SETTERS = frozenset(("config", "configure", "set", "setx"))
_METAVARIABLE = re.compile(r"[A-Z][A-Z_-]{0,63}|\[.{0,64}\]|<.{0,64}>", re.DOTALL)


def command_parts(words: Sequence[str]) -> Iterator[Part]:
    """Yield the secret parts of the arguments of all known programs among `words`.

    Names of options (`--password X`) are judged elsewhere: here are only those of programs that no
    name tells (`mysql -phunter2`, `curl -u user:hunter2`).
    """
    start = 0
    for end in [*(i for i, word in enumerate(words) if word in _OPERATORS), len(words)]:
        yield from _parts_of_command(words, start, end)
        if end < len(words) and words[end].startswith("|"):
            yield from _piped_parts(words, start, end)
        yield from _written_parts(words, start, end)
        yield from _here_string_parts(words, start, end)
        start = end + 1


def is_literal(value: str) -> bool:
    """Return whether an argument is a value itself, and no placeholder."""
    return measure(value) > Strength.NONE and not _METAVARIABLE.fullmatch(value)


def _base(word: str) -> str:
    return word.rpartition("/")[2].removesuffix(".exe")


def _parts_of_command(words: Sequence[str], start: int, end: int) -> Iterator[Part]:
    for index in range(start, end):
        for program in PROGRAMS.get(_base(words[index]), ()):
            if not program.only_after or program.only_after in words[index:end]:
                yield from _parts_of(program, words, index, end)
    if _SETTERS.intersection(words[start + 1 : start + 3]):
        yield from _set_parts(words, start, end)


def _parts_of(program: Program, words: Sequence[str], start: int, end: int) -> Iterator[Part]:
    end = min(end, start + _MOST_ARGUMENTS)
    for index in range(start + 1, end):
        word = words[index]
        if word in program.secret and index + 1 < end:
            yield from _whole(words, index + 1)
        elif word in program.account and index + 1 < end:
            yield from _behind(program, words, index + 1, 0)
        else:
            yield from _attached_parts(program, words, index)
    for verb, number in program.verbs:
        yield from _parts_after_verb(program, verb, number, words[:end], start)


def _attached_parts(program: Program, words: Sequence[str], index: int) -> Iterator[Part]:
    word = words[index]
    for option in program.attached:
        if word.startswith(option) and is_literal(word[len(option) :].lstrip("=")):
            yield Part(index, len(option), len(word))
    for option in program.account:
        if option.startswith("--") and word.startswith(f"{option}="):
            yield from _behind(program, words, index, len(option) + 1)
        elif len(option) == 2 and word.startswith(option) and not word.startswith("--"):
            yield from _behind(program, words, index, 2)


def _parts_after_verb(
    program: Program, verb: str, number: int, words: Sequence[str], start: int
) -> Iterator[Part]:
    """Yield the argument of that number after a verb, which may be the program itself or ""."""
    places = (i for i in range(start, min(len(words), start + 12)) if _base(words[i]) == verb)
    at = next(places, -1) if verb else start
    index = at + number if number else len(words) - 1
    if at < 0 or not at < index < len(words):
        return
    if program.separator == "/":
        yield from _behind(program, words, index, 0)
    else:
        yield from _whole(words, index)


def _whole(words: Sequence[str], index: int) -> Iterator[Part]:
    if is_literal(words[index]):
        yield Part(index, 0, len(words[index]))


def _behind(program: Program, words: Sequence[str], index: int, start: int) -> Iterator[Part]:
    """Yield what stands behind the separator of an account, up to the `@` of Oracle's."""
    word, separator = words[index], program.separator
    at = word.find(separator, start) + len(separator)
    end = word.find("@", at) if separator == "/" else len(word)
    end = end if end >= 0 else len(word)
    begins = not program.accounts_begin or word[start:].startswith(program.accounts_begin)
    if at > start and begins and is_literal(word[at:end]):
        yield Part(index, at, end)


def _set_parts(words: Sequence[str], start: int, end: int) -> Iterator[Part]:
    """Yield the value in ``npm config set //registry/:_authToken X`` and the like."""
    for index in range(start + 2, end - 1):
        name = words[index].rpartition(":")[2].rpartition("/")[2]
        if not name.startswith("-") and "=" not in name and grade_name(name):
            yield from _whole(words, index + 1)


def _piped_parts(words: Sequence[str], start: int, end: int) -> Iterator[Part]:
    """Yield what `echo` and `printf` write to a program that reads a password."""
    after = words[end + 1 : end + 24]
    readers = READERS.intersection(map(_base, after))
    if not ALWAYS_READ & readers and not (readers and READER_OPTIONS.intersection(after)):
        return
    writers = [i for i in range(start, end) if _base(words[i]) in ("echo", "printf")]
    for index in range(writers[-1] + 1 if writers else end, end):
        word = words[index]
        if word.startswith(("-", "%")):
            continue
        if "chpasswd" in readers and ":" in word:
            yield from _behind(_ACCOUNT, words, index, 0)
        else:
            yield from _whole(words, index)


def _here_string_parts(words: Sequence[str], start: int, end: int) -> Iterator[Part]:
    """Yield what a program that reads a password is given behind `<<<`."""
    for index in range(start + 1, end):
        if words[index].startswith("<<<") and READERS.intersection(map(_base, words[start:index])):
            if words[index] != "<<<":
                yield Part(index, 3, len(words[index]))
            elif index + 1 < end and len(words[index + 1].split()) == 1:
                yield from _whole(words, index + 1)


def _written_parts(words: Sequence[str], start: int, end: int) -> Iterator[Part]:
    """Yield what `echo` and `printf` write to a file that is secret by its name."""
    places = [i for i in range(start, end) if _REDIRECTION.match(words[i])]
    writers = [i for i in range(start, end) if _base(words[i]) in ("echo", "printf")]
    if not places or not writers:
        return
    target = _REDIRECTION.sub("", words[places[0]]) or "".join(words[places[0] + 1 : end][:1])
    if not is_named_secret(target.strip("\"'")):
        return
    for index in range(writers[-1] + 1, end):
        is_target = index in places or index - 1 in places
        if not is_target and not words[index].startswith(("-", "%")):
            yield from _whole(words, index)


_REDIRECTION = re.compile(r"1?>{1,2}")
_ACCOUNT = Program()
"""The form of an account where nothing else is said: ``user:password``."""
