"""A Java program needs its runtime, the archives on its class path, and what is packed in them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from envlock.formats.binary.zip_archive import DAMAGE, open_archive, read_beginning
from envlock.formats.java import parse_manifest
from envlock.model.scope import MemberClass
from envlock.model.text import from_bytes
from envlock.scope.folders import expand
from envlock.scope.graph import Around, EdgeKind, File, Item, Need, Node
from envlock.scope.owners import record_of
from envlock.scope.programs import find_path, started_program

SECTION = "java"
_ARCHIVE = re.compile(r"\.(?:jar|war|ear)\Z")
_MANIFEST = "META-INF/MANIFEST.MF"
_LARGEST_MANIFEST = 1024 * 1024
_GRAPHIC = re.compile(r"lib(?:awt_xawt|splashscreen|jsound|jawt|glib|gtk|javafx|prism).*\.so\Z")
_CONFIGURATION = (
    "conf/security/java.security",
    "lib/security/cacerts",
    "lib/security/java.security",
)


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield what a runtime, an archive, or a script that starts one needs."""
    if isinstance(node, Item):
        if node.section == SECTION and "/" in node.key:
            begin = f"{node.key}/"
            records = around.lock.sections.get(SECTION, {})
            yield from (Need(Item(SECTION, key)) for key in records if key.startswith(begin))
        return
    folder, name = posixpath.split(node.path)
    if name == "java":
        yield from _of_runtime(posixpath.dirname(folder), around)
    elif _ARCHIVE.search(name):
        yield from _of_archive(node.path, around)
    elif posixpath.basename(folder) == "bin":
        yield from _of_start_script(posixpath.dirname(folder), around)


def _of_runtime(home: str, around: Around) -> Iterator[Need]:
    """Yield the virtual machine, its modules and the libraries that it loads by name.

    Those for screens and sound count only where the JRE's own package brings them.
    """
    key = posixpath.basename(home)
    if key in around.lock.sections.get(SECTION, {}):
        yield Need(Item(SECTION, key))
    main = [*expand(f"{home}/lib/server/libjvm.so", around), *expand(f"{home}/lib/modules", around)]
    main += [*expand(f"{home}/jre/lib/*/server/libjvm.so", around)]
    owners = {around.view.owner(around.view.resolve(path)) for path in main}
    for path in main:
        yield Need(File(around.view.resolve(path)), "", MemberClass.LOADED)
    for pattern in (f"{home}/lib/*.so", f"{home}/jre/lib/*/*.so"):
        for path in expand(pattern, around):
            real = around.view.resolve(path)
            if around.view.owner(real) in owners and not _GRAPHIC.search(path):
                yield Need(File(real), "", MemberClass.LOADED)
    for name in _CONFIGURATION:
        found = around.real(f"{home}/{name}")
        if found is not None:
            yield Need(found, "", MemberClass.LOADED)


def _of_archive(path: str, around: Around) -> Iterator[Need]:
    """Yield the record of an archive, and the archives that its manifest names."""
    record = record_of(path, around)
    if record.section == SECTION:
        yield Need(record)
    for word in around.once(_class_path, path).split():
        if not word.endswith("/") and ":" not in word:
            found = around.real(posixpath.normpath(posixpath.join(posixpath.dirname(path), word)))
            if found is not None:
                yield Need(found, "Class-Path")


def _class_path(around: Around, path: str) -> str:
    stream = around.view.open(path)
    if stream is None:
        return ""
    with stream:
        try:
            archive = open_archive(stream)
            manifest = read_beginning(archive, archive.getinfo(_MANIFEST), _LARGEST_MANIFEST)
        except (*DAMAGE, KeyError):
            return ""
    return parse_manifest(from_bytes(manifest)).get("class-path", "")


def _of_start_script(home: str, around: Around) -> Iterator[Need]:
    """Yield the archives beside a start script (``bin/x`` with ``lib/*.jar``), and the runtime."""
    archives = [*expand(f"{home}/lib/*.jar", around), *expand(f"{home}/libs/*.jar", around)]
    if not archives or home in ("/usr", "/usr/local", "/"):
        return
    for path in archives:
        yield Need(File(around.view.resolve(path)))
    java = posixpath.join(around.variables.get("JAVA_HOME", ""), "bin/java")
    is_set = java.startswith("/") and bool(find_path(java, around))
    yield from started_program(java if is_set else "java", "", around)


EDGE = EdgeKind(
    name="java",
    of="a Java runtime, an archive, or a start script",
    to="the virtual machine, its modules and libraries; the archives on the class path and those "
    "packed in one",
    evidence="`-jar`, `-cp`, `Class-Path` of a manifest, `lib/*.jar` beside `bin/`, JAVA_HOME",
    sources=("java(1)", "JAR File Specification, Class-Path attribute"),
    needs=needs,
)
