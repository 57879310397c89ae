"""Locks that are broken on purpose end with one sentence and a hint, and in a moment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from envlock.lockfile.reader import MAX_FOREIGN_SIZE, MAX_SIZE
from envlock.lockfile.syntax import HEADER as CANONICAL
from envlock.model.document import MAX_DEPTH, MAX_KEYS, MAX_VALUES
from tests.hostile.conftest import LONGEST_SENTENCE, Attacked

HEAD = 'lock-version = "1.0"\n'
LONG = "a" * 80_000
DIGITS = "1" * 5000

REFUSED: dict[str, str | bytes] = {
    "nothing": "",
    "one null byte": b"\0",
    "null bytes": bytes(100_000),
    "no text": bytes(range(256)) * 40,
    "UTF-16": (HEAD + '[os]\nid = "a"\n').encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + HEAD.encode(),
    "Latin-1": HEAD.encode() + b'[os]\nid = "caf\xe9"\n',
    "overlong UTF-8": HEAD.encode() + b'[os]\nid = "\xc0\xaf"\n',
    "surrogate in UTF-8": HEAD.encode() + b'[os]\nid = "\xed\xa0\x80"\n',
    "null in a value": HEAD + '[os]\nid = "a\0b"\n',
    "return in a value": HEAD + '[os]\nid = "a\rb"\n',
    "lines that end in returns": (HEAD + '[os]\nid = "a"\n').replace("\n", "\r"),
    "escaped surrogate": HEAD + '[os]\nid = "\\ud800"\n',
    "escape beyond Unicode": HEAD + '[os]\nid = "\\U00110000"\n',
    "unknown escape": HEAD + '[os]\nid = "\\x41"\n',
    "malformed escape of ours": HEAD + '[os]\nid = "\\\\x4"\n',
    "long malformed escape": HEAD + f'[os]\nid = "\\\\{LONG}"\n',
    "version of many digits": f'lock-version = "{DIGITS}.0"\n',
    "minor version of many digits": f'lock-version = "1.{DIGITS}"\n',
    "version of other digits": 'lock-version = "\u0661.\u0660"\n',
    "version with a line end": 'lock-version = "1.0\\n[x]"\n',
    "version of two dots": 'lock-version = "1.0.0"\n',
    "negative version": 'lock-version = "-1.0"\n',
    "long version": f'lock-version = "{LONG}"\n',
    "number of many digits": HEAD + f"[os]\nid = {DIGITS}\n",
    "hexadecimal number": HEAD + f"[os]\nid = 0x{DIGITS}\n",
    "float of many digits": HEAD + f"[os]\nid = {DIGITS}.{DIGITS}e{DIGITS}\n",
    "not a number": HEAD + "[os]\nid = nan\n",
    "infinity": HEAD + "[os]\nid = -inf\n",
    "truth": HEAD + "[os]\nid = true\n",
    "day that is none": HEAD + "[os]\nid = 2024-02-31\n",
    "time": HEAD + "[os]\nid = 2024-02-01T00:00:00Z\n",
    "list": HEAD + '[os]\nid = ["a"]\n',
    "table in place of a fact": HEAD + '[os]\nid = {a = "b"}\n[os.id.x]\ny = "z"\n',
    "empty table": HEAD + "[os]\n",
    "empty value": HEAD + '[os]\nid = ""\n',
    "section with a space": HEAD + '["a b"]\nx = "1"\n',
    "section with a line end": HEAD + '["a\\nb"]\nx = "1"\n',
    "section with an escape sequence": HEAD + '["\\u001b[2J"]\nx = "1"\n',
    "section with a quote": HEAD + '[\'a"b\']\nx = "1"\n',
    "section in other letters": HEAD + '["sécurité"]\nx = "1"\n',
    "empty section": HEAD + '[""]\nx = "1"\n',
    "section of dots": HEAD + '["..."]\nx = "1"\n',
    "canonical section of dots": CANONICAL + HEAD + '\n[...]\nx = "1"\n',
    "section that ends in a dot": CANONICAL + HEAD + '\n[a.]\nx = "1"\n',
    "long section": HEAD + f'[{LONG}]\nx = "1"\n',
    "section of many words": HEAD + f'[{".".join("a" * 5000)}]\nx = "1"\n',
    "section of a bracket": HEAD + '["]"]\nx = "1"\n',
    "fact one level too deep": HEAD + ".".join("a" * (MAX_KEYS + 1)) + ' = "1"\n',
    "packages without a key": HEAD + '[deb]\nversion = "1"\n',
    "packages with an empty key": HEAD + '[deb.""]\nversion = "1"\n',
    "section of an own name that is a fact": HEAD + 'deb = "1"\n',
    "array of sections": HEAD + '[[os]]\nid = "a"\n',
    "two sections of one name": HEAD + '[os]\nid = "a"\n[os]\nid = "b"\n',
    "two records of one key": HEAD + '[deb."a:b"]\nversion = "1"\n' * 2,
    "fact twice": HEAD + '[os]\nid = "a"\nid = "b"\n',
    "open list": HEAD + "x = " + "[" * 100_000,
    "open tables": HEAD + "x = " + "{a=" * 100_000,
    "lists one level too deep": HEAD + f"x = {'[' * (MAX_DEPTH + 1)}{']' * (MAX_DEPTH + 1)}\n",
    "dotted keys": HEAD + ".".join("a" * 50_000) + ' = "1"\n',
    "dotted keys, again and again": HEAD + (".".join("a" * 100) + ' = "1"\n') * 500,
    "open string": HEAD + f'[os]\nid = "{LONG}',
    "open string of lines": HEAD + f'[os]\nid = """{LONG}\n' * 1,
    "open quotes": HEAD + '"' * 99_999,
    "open string of escaped quotes": HEAD + '[os]\nid = "' + '\\"' * 50_000,
    "open string of lines of quotes": HEAD + '[os]\nid = """' + '\\"""' * 50_000,
    "brackets": HEAD + "[]" * 50_000,
    "equal signs": HEAD + "=" * 100_000,
    "size of data of many digits": HEAD
    + f'[state."/srv/x"]\nengine = "redis"\nsize = "{DIGITS}"\n',
    "size of data in other digits": HEAD + '[state."/srv/x"]\nsize = "\u0664\u0662"\n',
    "size of data below zero": f'{CANONICAL}{HEAD}\n[state."/srv/x"]\nsize = "-1"\n',
    "size of data that is no number": f'{CANONICAL}{HEAD}\n[state."/srv/x"]\nsize = "1e9"\n',
    "size of data that is a table": HEAD
    + '[state."/srv/x".size]\nsize = "1"\n[state."/srv/x"]\nkept = "1"\n',
    "merge conflict": HEAD + '<<<<<<< ours\n[os]\nid = "a"\n=======\n>>>>>>> theirs\n',
    "JSON": '{"lock-version": "1.0"}',
    "XML": '<?xml version="1.0"?><lock/>',
    "a compressed file": bytes.fromhex("28b52ffd0400010000e1b5d2a0"),
    "a program": b"\x7fELF" + bytes(1000),
    "a script": "#!/bin/sh\nreboot\n",
    "other settings": '[tool.poetry]\nname = "x"\n',
    "too many commas": HEAD + "x = [" + "1," * (MAX_VALUES + 1) + "]",
    "too large for another form": HEAD + "#" * MAX_FOREIGN_SIZE,
}

READ: dict[str, str] = {
    "long value": f'[os]\nid = "{LONG}"\n',
    "long value with colons": f'[os]\nid = "{":" * 80_000}"\n',
    "long scheme": f'[os]\nid = "{LONG}://"\n',
    "many authorities": '[os]\nid = "' + "a://b:" * 15_000 + '"\n',
    "many users": '[os]\nid = "a://' + "b:@" * 30_000 + '"\n',
    "long value of dots": f'[os]\nid = "{"." * 80_000}"\n',
    "long value of brackets": f'[os]\nid = "{"[" * 80_000}"\n',
    "long value of backslashes": '[os]\nid = "' + "\\\\" * 80_000 + '"\n',
    "long value of spaces": f'[os]\nid = "secret{" " * 80_000}("\n',
    "long value of quotes": '[os]\nid = "' + '\\"' * 80_000 + '"\n',
    "long key": f'[deb."{LONG}"]\nversion = "1"\n',
    "key of one slash": '[deb."/"]\nversion = "1"\n',
    "key of colons": '[deb."::::"]\nversion = "1"\n',
    "key of a null": '[deb."\\\\x00:amd64"]\nversion = "1"\n',
    "key that leaves": '[deb."../../../etc/passwd:amd64"]\nversion = "1"\n',
    "key of dots": '[python."../.."]\nversion = "1"\n',
    "key of quotes": '[deb."\\"\\""]\nversion = "1"\n',
    "long fact": f'[os]\n{LONG} = "1"\n',
    "fact with a space": '[os]\n"a b" = "1"\n',
    "fact of many dots": '[os]\n"a.b.c" = "1"\n',
    "version of many digits": f'[deb."a:b"]\nversion = "{DIGITS}"\n',
    "version of many dots": '[deb."a:b"]\nversion = "' + "1." * 5000 + '"\n',
    "version of many parts": '[deb."a:b"]\nversion = "' + "1a" * 5000 + '"\n',
    "version of tildes": '[deb."a:b"]\nversion = "' + "~" * 80_000 + '"\n',
    "long Python version": '[python."x/a"]\nversion = "' + "1.0.post" * 5000 + '"\n',
    "Python version of digits": f'[python."x/a"]\nversion = "{DIGITS}!{DIGITS}rc{DIGITS}"\n',
    "npm version of digits": f'[npm."a@1"]\nversion = "{DIGITS}.{DIGITS}.{DIGITS}"\n',
    "rpm version of digits": f'[rpm."a"]\nversion = "{DIGITS}:{DIGITS}-{DIGITS}"\n',
    "conda version of digits": f'[conda."x/a"]\nversion = "{DIGITS}!{DIGITS}_{DIGITS}"\n',
    "gem version of digits": f'[gem."x/a"]\nversion = "{DIGITS}.a{DIGITS}"\n',
    "mode that is none": '[file."/x"]\nmode = "99999999999999999999"\nclass = "config"\n',
    "mode of many digits": f'[file."/x"]\nmode = "{"7" * 5000}"\n',
    "counts that are none": '[tree]\nentries = "-1"\nobject = "x"\nresidue = "1e9"\n',
    "digests that are none": '[tree]\ncontent = "sha256:zz"\nobject = "../../etc"\n',
    "process that is none": '[process]\ncmd = "[[[["\nentrypoint = "{"\n',
    "process of deep lists": '[process]\ncmd = "' + "[" * 40_000 + '"\n',
    "process of a number": f'[process]\ncmd = "[{DIGITS}]"\n',
    "coverage that is none": '[coverage."deb"]\nstatus = "excellent"\ngaps = "-3"\n',
    "coverage without a status": '[coverage."deb"]\nreason = "x"\n',
    "user of many digits": f'[user."root"]\nuid = "{DIGITS}"\n',
    "limit of many digits": f'[host.limits]\nnofile = "{DIGITS}"\n',
    "gaps of many digits": f'[coverage.scope]\nstatus = "partial"\ngaps = "{DIGITS}"\n',
    "count of many digits": f'[composer."srv/shop"]\ndeclared-differing = "{DIGITS}"\n',
    "CUDA of many digits": f'[cuda.runtime]\nsoname = "{DIGITS}"\nversion = "{DIGITS}.{DIGITS}"\n',
    "wheel of many digits": '[os]\nlibc = "glibc '
    + DIGITS
    + '.1"\nmachine = "x86_64"\n'
    + f'[python.system]\nversion = "{DIGITS}.{DIGITS}"\n[python."system/a"]\nversion = "1"\n'
    + f'tags = "cp3{DIGITS}-cp3{DIGITS}-manylinux_{DIGITS}_{DIGITS}_x86_64"\n',
    "sizes in other digits": '[process]\nmemory = "\u0664GiB"\ncmd = "-Xmx\u0665g"\n',
    "data at the root": '[state."/"]\nengine = "redis"\nkept = "whole"\n',
    "data of all paths": '[state."/**"]\nengine = "\\x1b[2J"\nversion = "\u202e"\n',
    "right to left": '[os]\nid = "\u202e\u2066\u200b"\n',
    "escape sequence": '[os]\nid = "\\\\x1b[2J\\\\x07"\n',
    "commands of a build log": '[os]\nid = "::error::x ##[error]x"\n',
    "markup": '[os]\nid = "<script>alert(1)</script>"\n',
}
"""Locks that are read: every verb then has to cope with what is in them."""


def put(attacked: Attacked, content: str | bytes, name: str = "it.lock") -> Path:
    path = attacked.folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_lock_is_refused(attacked: Attacked, name: str) -> None:
    put(attacked, REFUSED[name])
    outcome = attacked("show", "./it.lock")
    outcome.is_refused(2)
    assert "hint: " in outcome.err
    checked = attacked("check", "./it.lock")
    checked.is_sound()
    assert checked.status == 1
    assert checked.out.count("\n") == 1, "one line says what is wrong"
    assert len(checked.out) < LONGEST_SENTENCE


@pytest.mark.plants_secrets("its odd facts are URLs with users, written by hand")
@pytest.mark.parametrize("verb", ["show", "digest", "check", "diff", "materialize"])
@pytest.mark.parametrize("name", READ)
def test_odd_facts_harm_no_verb(attacked: Attacked, name: str, verb: str) -> None:
    put(attacked, f"{CANONICAL}{HEAD}\n{READ[name]}")
    put(attacked, f'{CANONICAL}{HEAD}\n[os]\nid = "other"\n', "other.lock")
    others = {"diff": ["./other.lock", "--all"], "materialize": ["-o", "image", "--offline"]}
    attacked(verb, "./it.lock", *others.get(verb, [])).is_sound()
    if verb == "diff":
        attacked("diff", "./other.lock", "./it.lock", "--format", "json").is_sound()


def changed(text: str) -> str:
    """Return the same records with another value: what differs has to be judged and ordered."""
    return text.replace('"\n', 'x"\n')


@pytest.mark.plants_secrets("its odd facts are URLs with users, written by hand")
@pytest.mark.parametrize("name", READ)
def test_odd_facts_that_differ(attacked: Attacked, name: str) -> None:
    put(attacked, f"{CANONICAL}{HEAD}\n{READ[name]}")
    put(attacked, f"{CANONICAL}{HEAD}\n{changed(READ[name])}", "other.lock")
    attacked("diff", "./it.lock", "./other.lock").is_sound()


def test_a_lock_of_the_largest_size_and_one_byte_more(attacked: Attacked) -> None:
    path = put(attacked, CANONICAL + HEAD)
    os.truncate(path, MAX_SIZE)
    assert "larger than" not in attacked("show", "./it.lock").err
    os.truncate(path, MAX_SIZE + 1)
    outcome = attacked("show", "./it.lock")
    outcome.is_refused(2)
    assert f"larger than {MAX_SIZE:,} bytes" in outcome.err


def test_a_lock_at_a_revision_is_read_up_to_the_limit(attacked: Attacked) -> None:
    path = put(attacked, b"")
    os.truncate(path, MAX_SIZE + 1)
    for argv in (["init", "-q"], ["add", "it.lock"]):
        subprocess.run(["git", *argv], cwd=attacked.folder, check=True)
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *who, "commit", "-qm", "x"], cwd=attacked.folder, check=True)
    outcome = attacked("show", "git:HEAD:it.lock")
    outcome.is_refused(2)
    assert "larger than" in outcome.err
