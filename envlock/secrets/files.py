"""Whether a file is a secret: by name and path, binary format, content, or as a private file."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from envlock.secrets.binary import judge_binary
from envlock.secrets.encodings import Text, decode_text
from envlock.secrets.file_names import is_named_secret
from envlock.secrets.names import Grade, grade_name
from envlock.secrets.settings import Finding, redact_settings
from envlock.secrets.shapes import find_shape
from envlock.secrets.spans import MASK
from envlock.secrets.strength import Strength, measure

NAME_RULE = "secret-name"
"""The rule of files that are secret by name or place, or named as a secret and one word long."""
PRIVATE_RULE = "private-file"
"""The rule of small files that only their owner can read and that are binary or one word."""

SMALL = 4096
"""Bytes up to which a file may be a key or password itself."""


class FileKind(Enum):
    """What may be recorded of a file."""

    PUBLIC = "public"
    """All of it."""
    REDACTED = "redacted"
    """Its content without the values of some settings; no digest of the whole."""
    SECRET = "secret"
    """Neither content nor digest."""


class Judgement(NamedTuple):
    """What a file is, by which rule, and what may be recorded of one that is redacted."""

    kind: FileKind
    rule: str = ""
    content: bytes = b""
    """Of a redacted file: the content to record, in the file's own encoding."""
    findings: tuple[Finding, ...] = ()


PUBLIC = Judgement(FileKind.PUBLIC)

_ORDINARY = (
    b"\x7fELF", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK\3\4", b"PK\5\6",
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"%PDF", b"SQLite format 3", b"!<arch>",
    b"\xca\xfe\xba\xbe", b"wOFF", b"wOF2", b"\0\1\0\0", b"OTTO", b"\0asm", b"MZ", b"ustar",
    b"II*\0", b"MM\0*", b"Rar!", b"7z\xbc\xaf", b"\xde\x12\x04\x95", b"\x95\x04\x12\xde", b"TZif",
    b"\x04\x22\x4d\x18", b"fLaC", b"OggS", b"\xed\xab\xee\xdb", b"\x0e\x1e\x11\x0a",
)  # fmt: skip
"""How programs, archives, images, fonts and databases begin: none is a key, whoever may read it."""
_KEY_FILE = re.compile(
    r"\s{0,64}(?:-{4,5} ?BEGIN |Bag Attributes|PuTTY-User-Key-File|# public key: )"
)
_WORD = re.compile(r"\s{0,64}+(?P<word>\S{1,4096}+)\s{0,64}+")
_ACCOUNTS = (
    "/etc/passwd",
    "/etc/passwd-",
    "/etc/group",
    "/etc/group-",
    "/etc/subuid",
    "/etc/subgid",
)
"""Files of accounts may have a single line of one word; hashes in them are found by shape."""


def judge_file(path: str, *, mode: int, content: bytes, size: int) -> Judgement:
    """Return what may be recorded of a regular file.

    `path` is absolute below the root; `mode` its permission bits; `content` all of it, or its
    beginning if it is too large to be held (`size` is that of the whole file).

    >>> judge_file("/etc/app.ini", mode=0o644, content=b"password = hunter2", size=18).content
    b'password = ***'
    """
    if not size:
        return PUBLIC
    if is_named_secret(path):
        return Judgement(FileKind.SECRET, NAME_RULE)
    if rule := judge_binary(content):
        return PUBLIC if _is_truststore(path, rule) else Judgement(FileKind.SECRET, rule)
    if content.startswith(_ORDINARY) or _is_bytecode(content):
        return PUBLIC
    is_private = size <= SMALL and not mode & 0o077
    text = decode_text(content)
    if text is None:
        return _judge_unknown(content, is_private=is_private)
    judged = _judge_text(path, text)
    if judged is PUBLIC and size <= SMALL:
        return _judge_word(path, content, is_private=is_private)
    return judged


def _is_bytecode(content: bytes) -> bool:
    """Return whether content is compiled Python: a magic number that ends with CR LF."""
    return content[2:4] == b"\r\n" and content[:1] > b"\x20" and b"\0" in content[4:16]


def _is_truststore(path: str, rule: str) -> bool:
    """Return whether a store is, by its name, one of public certificates."""
    return rule in ("java-keystore", "pkcs12") and (
        "cacerts" in path or "truststore" in path.lower()
    )


def _judge_unknown(content: bytes, *, is_private: bool) -> Judgement:
    """Judge a binary file of no known format."""
    if is_private:
        return Judgement(FileKind.SECRET, PRIVATE_RULE)
    if b"PRIVATE KEY" in content and (rule := find_shape(content.decode("latin-1"))):
        return Judgement(FileKind.SECRET, rule)
    return PUBLIC


def _judge_text(path: str, text: Text) -> Judgement:
    redacted = redact_settings(path, text.text)
    if not redacted.findings:
        return PUBLIC
    rule = redacted.findings[0].rule
    rest = redacted.text.replace(MASK, "")
    is_key_file = rule == "private-key" and _KEY_FILE.match(text.text)
    if is_key_file or not any(map(str.isalnum, rest)):
        return Judgement(FileKind.SECRET, rule)
    return Judgement(FileKind.REDACTED, rule, text.encode(redacted.text), redacted.findings)


def _judge_word(path: str, content: bytes, *, is_private: bool) -> Judgement:
    """Judge a small text without settings: one word in a private file, or one named as a secret."""
    found = _WORD.fullmatch(content.decode("utf-8", "replace"))
    if not found or path.endswith(_ACCOUNTS) or MASK in found["word"]:
        return PUBLIC
    strength = measure(found["word"])
    if is_private and (strength > Strength.NONE or found["word"].isdecimal()):
        return Judgement(FileKind.SECRET, PRIVATE_RULE)
    suffix = path.rpartition(".")[2]
    stem = path.rpartition("/")[2].partition(".")[0] or suffix
    is_named = grade_name(stem) > Grade.HINT or grade_name(suffix) > Grade.HINT
    is_named = is_named or (suffix == "key" and strength is Strength.RANDOM)
    return Judgement(FileKind.SECRET, NAME_RULE) if is_named and strength else PUBLIC
