"""What of a file's content a recording may hold: no secret, and nothing that no collector needs.

It is at most what the capture may keep of the file, so both look for secrets in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

from envlock.capture.files.packed_secrets import packed_rule
from envlock.model.text import from_bytes, to_bytes
from envlock.model.tree import OBSERVED, Entry, FileClass, Row
from envlock.secrets.files import FileKind, Judgement, judge_file
from envlock.secrets.redact import redact_text

_PERSONAL = {"/etc/passwd": (1, 4), "/etc/group": (1,)}
"""Fields of account files that no collector reads: password hashes, the names of people."""
_SHADOW = "/etc/shadow"
"""Collectors read from it only which accounts have a password."""

_PROBE = 8192


def judge_recorded(path: str, content: bytes, entry: Entry | None, row: Row | None) -> Judgement:
    """Return what of a file may be recorded; its content is set unless it is secret.

    `entry` is what is known of the file, `row` what the capture decided of it, if it did.
    """
    content = _clean(path, content)
    if path == _SHADOW:
        return Judgement(FileKind.PUBLIC, content=content)
    if rule := _rule_of_capture(row):
        return Judgement(FileKind.SECRET, rule)
    mode = entry.mode if entry is not None else 0o644
    judged = judge_file(path, mode=mode, content=content, size=len(content))
    if judged.kind is not FileKind.PUBLIC:
        return judged
    if rule := packed_rule(path, len(content), [content]):
        return Judgement(FileKind.SECRET, rule)
    return judged._replace(content=content)


def secret_rule(
    path: str, size: int, pages: Mapping[int, bytes], entry: Entry | None, row: Row | None
) -> str:
    """Return the rule by which a file that was read in part is secret, empty if it is not.

    `size` is that of the file in bytes, `pages` what was read of it by number.  It cannot be
    redacted: what was read of it may begin anywhere.
    """
    if rule := _rule_of_capture(row):
        return rule
    mode = entry.mode if entry is not None else 0o644
    is_binary = b"\0" in pages.get(0, b"")[:_PROBE]
    for number, page in sorted(pages.items()):
        if number == 0 or not is_binary:
            judged = judge_file(path, mode=mode, content=page, size=size)
            if judged.kind is not FileKind.PUBLIC:
                return judged.rule
    return packed_rule(path, size, _beginning(pages))


def _rule_of_capture(row: Row | None) -> str:
    """Return the rule by which the capture left a file out as secret, empty if it did not."""
    if row is None or row.file_class is not FileClass.SECRET:
        return ""
    return row.source.removeprefix(OBSERVED).strip() or "secret"


def _beginning(pages: Mapping[int, bytes]) -> Iterator[bytes]:
    """Yield the pages of a file up to the first that was not read."""
    for number in count():
        if number not in pages:
            return
        yield pages[number]


def _clean(path: str, content: bytes) -> bytes:
    """Return a file's content without what no collector needs: personal fields, arguments."""
    if path == "/proc/cmdline":
        return to_bytes(" ".join(map(redact_text, from_bytes(content).split(" "))))
    if path == _SHADOW:
        return b"\n".join(map(_without_password, content.split(b"\n")))
    if path in _PERSONAL:
        return b"\n".join(_anonymous(line, _PERSONAL[path]) for line in content.split(b"\n"))
    return content


def _without_password(line: bytes) -> bytes:
    """Return a line of shadow(5) that says whether there is a password, and nothing else.

    >>> _without_password(b"root:$6$x$y:1:0:9:7:::"), _without_password(b"sys:!$6$x:1::::::")
    (b'root:set:::::::', b'sys:!:::::::')
    """
    name, colon, rest = line.partition(b":")
    if not colon:
        return b"?" if line.strip() else line
    password, *others = rest.split(b":")
    if password:
        password = password[:1] if password[:1] in b"!*" or password == b"x" else b"set"
    return b":".join((name, password, *(b"" for _ in others)))


def _anonymous(line: bytes, fields: tuple[int, ...]) -> bytes:
    parts = line.split(b":")
    return b":".join(b"x" if at in fields and part else part for at, part in enumerate(parts))
