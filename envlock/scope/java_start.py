"""What a Java program is started with: its archives and its runtime.

Sources: java(1), "-classpath", "-jar", "-javaagent" and "-p"; JAR File Specification,
"Class-Path".
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from envlock.scope.folders import expand
from envlock.scope.graph import Around, File, Need

_PATHS = ("-cp", "-classpath", "--class-path", "-p", "--module-path", "--upgrade-module-path")
_WITH_VALUE = frozenset({"-m", "--module", "--add-modules", "--add-opens", "--add-exports", "-d"})


def java_files(words: Sequence[str], around: Around) -> Iterator[Need]:
    """Yield the archives that the arguments of ``java`` name."""
    paths: list[tuple[str, str]] = []
    at = 0
    while at < len(words):
        word, following = words[at], words[at + 1] if at + 1 < len(words) else ""
        name, equals, value = word.partition("=")
        if word == "-jar":
            paths.append((following, "-jar"))
            break
        if word in _PATHS or (name in _PATHS and equals):
            paths += [(path, name) for path in (value if equals else following).split(":")]
            at += not equals
        elif word.startswith("-javaagent:"):
            paths.append((word.removeprefix("-javaagent:").partition("=")[0], "-javaagent"))
        elif word in _WITH_VALUE:
            at += 1
        elif not word.startswith("-"):
            break
        at += 1
    if not any(evidence in _PATHS or evidence == "-jar" for _, evidence in paths):
        paths += [(path, "CLASSPATH") for path in around.variables.get("CLASSPATH", "").split(":")]
    for path, evidence in paths:
        for found in _archives(path, around):
            yield Need(found, evidence)


def _archives(path: str, around: Around) -> Iterator[File]:
    """Yield the archive at a path; ``DIRECTORY/*`` stands for all that are in it."""
    if not path:
        return
    whole = posixpath.normpath(posixpath.join(around.workdir, path))
    if whole.endswith("/*"):
        for each in expand(f"{whole}.[jJ][aA][rR]", around):
            yield File(around.view.resolve(each))
    elif whole.endswith((".jar", ".war", ".zip")):
        found = around.real(whole)
        if found is not None:
            yield found
