"""Find the values of names that mean a secret, in any usual syntax of settings.

What stands around a name tells where its values are: behind a separator or a space, in quotes, in
an element of XML, in a list or object, on the lines below, beside it, or in the next argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from envlock.secrets import literals, nested, siblings
from envlock.secrets.names import PASSWORDS, SECRETS, Grade, grade_name, name_words, word_set
from envlock.secrets.nested import Range
from envlock.secrets.occurrences import Occurrence, find_occurrences
from envlock.secrets.reading import NEVER, Reading, Syntax
from envlock.secrets.spans import Span
from envlock.secrets.strength import Strength, measure
from envlock.secrets.values import SETTING_RULE, Demand, is_secret_value

_TAG_REST = re.compile(r"(?P<attributes>(?:[ \t\r\n][^<>]{0,300})?)>\s{0,256}+(?:<!\[CDATA\[)?")
_TYPE = re.compile(r"[&?\w\[\]., |'<>*-]{1,64}?=[ \t]{0,64}(?=[\"'])")
_NEAR = 64
"""A value further from its name stands beside it, with other names between."""
_TYPED = re.compile(r"\*?[\w.\[\]]{1,40}[ \t]{1,16}:?=[ \t]{0,16}(?=[\"'`])")
"""The type of a constant in Go: ``const token string = "…"``."""
_PARENTHESIS = re.compile(r"\(\s{0,64}(?=[\"'])")
_NEXT_ARGUMENT = re.compile(
    r"(?:\\{0,3}[\"'`])?(?:[ \t]{0,64}(?:\\\r?\n[ \t]{0,64}|\r?\n[ \t]{0,64}-[ \t]{1,64})"
    r"|[ \t]{0,64},\s{0,128}|[ \t]{1,64})"
)
_NEXT_OPTION = re.compile(r"(?<![ \t])[ \t]++(?:--?[A-Za-z]|[\w.-]{1,64}=)")
_CALL = re.compile(
    r"(?:(?:define|set|put|get|fetch|env|default|property|add|header|append|with|param|config|option"
    r"|pair|entry|of)\w{0,40}[ \t]{0,8}|[\s,\[(=])\([ \t]{0,32}\\{0,3}[\"']\Z",
    re.IGNORECASE,
)
_LIST_BEGINS = re.compile(r"\[\s{0,64}\\{0,3}[\"']\Z")
_LIST_ENDS = re.compile(r"\s{0,64}\]")
_PATTERN = re.compile(r"\\[wdsWDSbB]|\[\^|\(\?|\.[*+]")
"""What only regular expressions hold; in code they describe secrets."""
_TAG = re.compile(r"(?:(?:&[\w-]{1,64}|!![a-z]{1,16})[ \t]{1,16}){1,2}")
_TEMPLATE = re.compile(r"\{[{%]|\{[\w-]{1,32}\}|\(\(|\[\[")
_COMMENT = re.compile(r"[#;](?=[ \t\r\n]|\Z)")
_BELOW = re.compile(r"\s{1,256}+")
_MESSAGE = re.compile(r":?\?")
_METAVARIABLE = re.compile(r"[A-Z][A-Z_-]{0,63}|\[.{0,64}\]|<.{0,64}>|[-|].{0,64}", re.DOTALL)
_SPACED = re.compile(r"[ \t]{1,256}+(?P<type>[05789][ \t]{1,16})?(?=[^\s=:{(\[|&<\\-])")
_WORDS_OF_ENGLISH = word_set(
    """
    auth authorization bearer cookie credential credentials key licence license pass
    passphrase passwd password passwords pin rocommunity rwcommunity salt secret secrets seed
    token tokens
    """
)
"""Names behind which, after a space, prose may follow."""


def pair_spans(text: str, reading: Reading) -> Iterator[Span]:
    """Yield the values in `text` that are secrets because of their names."""
    done = 0
    for name in find_occurrences(text):
        if name.start < done:  # within a value that is replaced
            continue
        demand = _demand(name, reading)
        for begin, stop in _ranges(name, reading.syntax):
            start, end = _trimmed(text, begin, stop)
            if start < end and is_secret_value(name.name, text[start:end], demand):
                yield Span(start, end, SETTING_RULE, name.name)
                if start - name.end < _NEAR:
                    done = max(done, end)


def _trimmed(text: str, start: int, end: int) -> Range:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _ranges(name: Occurrence, syntax: Syntax) -> Iterable[Range]:
    """Return where the values of a name start and end."""
    if _MESSAGE.match(name.text, name.end) and name.text.startswith("${", name.start - 2):
        return ()  # ${NAME:?message}
    if name.is_element:
        return _element_ranges(name)
    is_assigned = name.separator not in ("", ",")
    if not is_assigned or name.after["close"]:
        if siblings.names_a_sibling(name.text, name.start):
            return siblings.sibling_ranges(name.text, name.start, name.end)
        if name.is_option:
            return _option_ranges(name)
    if name.separator == ",":
        return _argument_ranges(name, syntax)
    if is_assigned or name.text.startswith("{", name.value_at):
        return _assigned_ranges(name, syntax)
    return _spaced_ranges(name, syntax)


def _element_ranges(name: Occurrence) -> Iterable[Range]:
    """Return the text of an element of XML, or its attribute or child `value`."""
    text = name.text
    rest = _TAG_REST.match(text, name.end)
    if not rest:
        return
    if rest["attributes"].endswith("/") or text.startswith("<", rest.end()):
        yield from siblings.sibling_ranges(text, name.start, name.end)
        return
    closing = "]]>" if rest[0].endswith("[") else "</"
    end = text.find(closing, rest.end(), rest.end() + literals.WRAPPED)
    if end > rest.end() and "<" not in text[rest.end() : end]:
        yield rest.end(), end


def _option_ranges(name: Occurrence) -> Iterable[Range]:
    """Return the argument after an option of a command line, or after that of a list."""
    text = name.text
    following = _NEXT_ARGUMENT.match(text, name.end)
    if not following:
        return
    start = following.end()
    literal = literals.quoted_at(text, start)
    if literal:
        start, end = literal.start, literal.end
    elif "," in following[0] and "[" not in text[max(name.line, name.start - 200) : name.start]:
        return
    else:
        end = literals.end_of_inside(text, start)
    if not _METAVARIABLE.fullmatch(text, start, end):
        yield start, end


def _argument_ranges(name: Occurrence, syntax: Syntax) -> Iterable[Range]:
    """Return the literal after a name in a call: ``define("DB_PASSWORD", "hunter2")``."""
    text = name.text
    before = text[max(0, name.start - 110) : name.start]
    is_pair = syntax is not Syntax.CODE and _LIST_BEGINS.search(before) is not None
    literal = literals.quoted_at(text, name.value_at) if name.after["close"] else None
    if literal and (_CALL.search(before) or (is_pair and _LIST_ENDS.match(text, literal.after))):
        yield literal.start, literal.end


def _assigned_ranges(name: Occurrence, syntax: Syntax) -> Iterable[Range]:
    """Return the values after a separator or before an object."""
    text, at = name.text, _skip_type(name, syntax)
    sign = text[at : at + 1]
    if _COMMENT.match(text, at) or (sign and sign == name.quote):
        return ()
    if sign in ("", "\n", "\r"):
        return _ranges_below(name, syntax, at)
    if literal := literals.quoted_at(text, at):
        is_value = syntax is not Syntax.CODE or _is_code_literal(text, literal)
        return ((literal.start, literal.end),) if is_value else ()
    if syntax is Syntax.CODE and name.separator == "=" and name.is_in_string:
        return ((at, literals.end_of_inside(text, at)),)
    if syntax is Syntax.CODE:
        is_list = sign == "{" or (sign == "[" and name.name.isupper())
        is_list = is_list and nested.end_of_brackets(text, at) >= 0
        return nested.bracket_ranges(text, at) if is_list else ()
    return _unquoted_ranges(name, syntax, at)


def _unquoted_ranges(name: Occurrence, syntax: Syntax, at: int) -> Iterable[Range]:
    """Return the values that begin at `at` without a quote, in anything but code."""
    text = name.text
    opens = text[at] in "[({" and not _TEMPLATE.match(text, at)
    if opens and nested.end_of_brackets(text, at) >= 0:
        yield from nested.bracket_ranges(text, at)
    elif name.lead and nested.is_block(text, at):
        yield from nested.indented_ranges(text, name.line, at)
    elif heredoc := nested.heredoc_range(text, at):
        yield heredoc
    else:
        yield at, _end_of_bare(name, syntax, at)


def _is_code_literal(text: str, literal: literals.Literal) -> bool:
    """Return whether a literal in code is a value: no pattern, and no text between two literals."""
    value = text[literal.start : literal.end]
    may_wrap = text[literal.start - 1] == "`" or text[literal.start - 3] in "\"'"
    return (
        ("\n" not in value or may_wrap) and value[:1] not in " +,)" and not _PATTERN.search(value)
    )


def _skip_type(name: Occurrence, syntax: Syntax) -> int:
    """Return where the value begins behind the type of a variable or a tag of YAML."""
    pattern = _TAG
    if syntax is Syntax.CODE:
        pattern = _TYPE if name.separator == ":" else _PARENTHESIS
    skipped = pattern.match(name.text, name.value_at)
    return skipped.end() if skipped else name.value_at


def _ranges_below(name: Occurrence, syntax: Syntax, at: int) -> Iterable[Range]:
    """Return the values on the lines below a name."""
    if name.separator != ":" or syntax is Syntax.CODE:
        return
    if name.after["close"]:
        below = _BELOW.match(name.text, at)
        literal = literals.quoted_at(name.text, below.end()) if below else None
        if literal:
            yield literal.start, literal.end
    elif name.lead and syntax in (Syntax.YAML, Syntax.SETTINGS):
        yield from nested.indented_ranges(name.text, name.line, at)


def _end_of_bare(name: Occurrence, syntax: Syntax, at: int) -> int:
    """Return where a value without quotes ends."""
    text = name.text
    if name.quote:
        end = literals.end_of_quote(text, at, name.quote)
        if end >= 0:
            cut = _NEXT_OPTION.search(text, at, end)
            return cut.start() if cut else end
    if syntax is Syntax.SHELL and _PATTERN.match(text, at):
        return at
    if name.lead and syntax is Syntax.SHELL:
        return literals.end_of_shell_word(text, at)
    if not name.lead:
        return literals.end_of_inside(text, at)
    end = literals.end_of_rest(text, at, is_pair=text[at - 1] == "=")
    is_prose = name.is_comment and any(map(str.isspace, text[at:end]))
    return at if is_prose else end


def _spaced_ranges(name: Occurrence, syntax: Syntax) -> Iterable[Range]:
    """Return the value after a space: ``requirepass hunter2``, ``ENV DB_PASSWORD hunter2``."""
    text = name.text
    space = _SPACED.match(text, name.end + len(name.after["close"] or ""))
    if not space:
        return
    at = space.end()
    if name.has_keyword and text.startswith("to ", at):  # set password to X
        at += 3
    if typed := syntax is Syntax.CODE and _TYPED.match(text, at):
        at = typed.end()
    literal = literals.quoted_at(text, at)
    if literal:
        is_closing = text[at] == "`" or text[literal.start - 1] == name.quote[-1:]
        is_first = name.lead or (syntax is Syntax.SETTINGS and _begins_statement(name))
        if not is_closing and (is_first or grade_name(name.name) is Grade.PASSWORD):
            yield literal.start, literal.end
    elif syntax is Syntax.SETTINGS or (name.has_keyword and syntax is not Syntax.CODE):
        yield from _bare_spaced_range(name, at)


def _begins_statement(name: Occurrence) -> bool:
    """Return whether a name follows a brace or semicolon: ``net { shared-secret "hunter2"; }``."""
    return name.text[max(0, name.start - _NEAR) : name.start].rstrip().endswith(("{", ";"))


def _bare_spaced_range(name: Occurrence, at: int) -> Iterable[Range]:
    """Return a value without quotes after a space: the rest of the line, or one word of it."""
    text = name.text
    word = literals.end_of_inside(text, at)
    rest = literals.end_of_rest(text, at, is_pair=False) if name.lead else word
    is_telling = _is_mixed(text[at:word])
    if name.lead and not name.is_comment and name.name.lower() not in _WORDS_OF_ENGLISH:
        if word >= rest or measure(text[at:word]):
            yield at, rest
    elif name.lead and word >= rest and (is_telling or not name.is_comment):
        yield at, word
    elif is_telling and not name.is_comment and _has_digit_and_letter(text[at:word]):
        last = name_words(name.name)[-1]
        if last in PASSWORDS or last in SECRETS or ":" in text[at:word]:
            yield at, word


def _has_digit_and_letter(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _is_mixed(value: str) -> bool:
    return measure(value) >= Strength.MIXED


def _demand(name: Occurrence, reading: Reading) -> Demand:
    """Return from which strength on the value of a name is a secret where it stands."""
    demand = reading.demand
    if name.is_comment:
        is_assigned = name.separator == "="
        password = demand.password if is_assigned else max(demand.password, Strength.MIXED)
        secret = max(demand.secret, Strength.MIXED)
        return Demand(max(demand.hint, Strength.RANDOM), secret, password)
    if demand.password == Strength.RANDOM and not name.name.isupper():
        return NEVER
    if reading.syntax is Syntax.CODE and name.name.isupper() and demand.password == Strength.MIXED:
        return demand._replace(password=Strength.WORD)
    return demand
