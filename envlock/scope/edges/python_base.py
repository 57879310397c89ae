"""A Python interpreter needs its standard library; a script run by a shared one, what it imports.

Of the standard library's compiled modules those count that come with it.  Debian and Fedora package
a few apart, with the libraries they need (tkinter, dbm); that they are installed does not show that
the application uses them.  An interpreter that no package brought has them too, whoever uses it.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator

from envlock.model.scope import MemberClass
from envlock.scope.graph import Around, EdgeKind, File, Need, Node
from envlock.scope.python_envs import release_of
from envlock.scope.python_imports import needs_of_script
from envlock.scope.script_lines import interpreter_of

_PROGRAM = re.compile(r"(?:python|pypy)(?:\d+(?:\.\d+)?)?[tdm]*\Z|libpython\d+\.\d+t?\.so[\d.]*\Z")
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*t?\Z")
_APART = re.compile(r"_tkinter|_gdbm|_dbm")
_TESTS = re.compile(r"_test|_ctypes_test|xx|_xx")


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield the standard library of an interpreter, and what a script run by one imports."""
    if not isinstance(node, File):
        return
    if _PROGRAM.match(posixpath.basename(node.path)):
        yield from _standard_library(node.path, around)
        return
    started = interpreter_of(node.path, around)
    if _PYTHON.match(posixpath.basename(started)):
        yield from needs_of_script(node.path, started, around)


def _standard_library(program: str, around: Around) -> Iterator[Need]:
    release = release_of(program, around)
    folder = _library(program, release, around) if release else ""
    if not folder:
        return
    yield Need(File(around.view.resolve(f"{folder}/os.py")), "", MemberClass.LOADED)
    compiled = f"{folder}/lib-dynload"
    names = [n for n in around.view.names(compiled) if ".so" in n and not _TESTS.match(n)]
    files = [around.view.resolve(f"{compiled}/{name}") for name in names]
    files = [path for path in files if around.view.owner(path) or not _is_apart(path)]
    owners = Counter(around.view.owner(path) for path in files)
    most = owners.most_common(1)[0][0] if owners else ""
    own = {most, around.view.owner(around.view.resolve(f"{folder}/os.py"))}
    for path in files:
        if around.view.owner(path) in own:
            yield Need(File(path), "", MemberClass.LOADED)


def _is_apart(path: str) -> bool:
    return _APART.match(posixpath.basename(path)) is not None


def _library(program: str, release: str, around: Around) -> str:
    """Return the directory of the standard library, searched upwards from the program."""
    kind = "pypy" if "pypy" in posixpath.basename(program) else "python"
    folder = posixpath.dirname(program)
    while folder != "/":
        folder = posixpath.dirname(folder)
        for lib in ("lib", "lib64"):
            found = posixpath.join(folder, lib, f"{kind}{release}")
            if around.view.stat(f"{found}/os.py") is not None:
                return found
    return ""


EDGE = EdgeKind(
    name="python-base",
    of="a Python interpreter, or a script that a shared interpreter runs",
    to="its standard library with the compiled modules; the distributions that the script belongs "
    "to or imports",
    evidence="`lib-dynload`, `entry_points.txt`, `import` statements",
    sources=("Python library reference, sys.path and site", "Entry points specification"),
    needs=needs,
)
