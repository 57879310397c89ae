"""An interpreter of Ruby, R or Perl needs the packages in its library folders, as a whole.

What the operating system packages of them is left to what a script imports and to dependencies:
everything on the machine shares it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.model.scope import MemberClass
from envlock.model.text import from_bytes
from envlock.scope.folders import expand, libraries_below
from envlock.scope.graph import Around, EdgeKind, File, Need, Node
from envlock.scope.packages import SYSTEMS
from envlock.scope.script_lines import interpreter_of


class _Language(NamedTuple):
    """One row: the names of the interpreter, and its folders of packages.

    `{prefix}` is the parent of the interpreter's directory, `{workdir}` where the application
    starts.  `variables` name further folders.  `marks` are, below a folder, the files that stand
    for a package each; `standard` are folders whose compiled modules belong to the interpreter.
    """

    program: re.Pattern[str]
    folders: tuple[str, ...]
    variables: tuple[str, ...]
    marks: tuple[str, ...]
    standard: tuple[str, ...] = ()


_LANGUAGES = (
    _Language(
        re.compile(r"ruby[\d.]*\Z"),
        (
            "{prefix}/lib/ruby/gems/*",
            "{prefix}/lib64/ruby/gems/*",
            "/var/lib/gems/*",
            "{workdir}/vendor/bundle/ruby/*",
        ),
        ("GEM_HOME", "GEM_PATH", "BUNDLE_PATH"),
        ("specifications/*.gemspec", "ruby/*/specifications/*.gemspec"),
        ("{prefix}/lib/ruby/[0-9]*", "{prefix}/lib/*/ruby/[0-9]*", "{prefix}/lib64/ruby/[0-9]*"),
    ),
    _Language(
        re.compile(r"(?:R|Rscript)\Z"),
        ("/usr/local/lib/R/site-library", "{prefix}/lib/R/site-library", "{prefix}/lib/R/library"),
        ("R_LIBS", "R_LIBS_USER", "R_LIBS_SITE"),
        ("*/DESCRIPTION",),
        ("{prefix}/lib/R/library", "{prefix}/lib/R/modules", "{prefix}/lib64/R/library"),
    ),
    _Language(
        re.compile(r"perl[\d.]*\Z"),
        ("/usr/local/lib/*/perl/*", "/usr/local/share/perl/*", "{prefix}/lib/perl5/site_perl/*"),
        ("PERL5LIB",),
        ("auto/*/.packlist", "auto/*/*/.packlist"),
    ),
)
_PERL_USE = re.compile(r"^[ \t]*(?:use|require)[ \t]+([A-Z]\w*(?:::\w+)*)", re.MULTILINE)
_PERL_INC = (
    "/etc/perl",
    "/usr/local/lib/*/perl/*",
    "/usr/local/share/perl/*",
    "/usr/lib/*/perl5/*",
    "/usr/share/perl5",
    "/usr/share/perl5/vendor_perl",
    "/usr/lib64/perl5/vendor_perl",
)
READS = ("/etc/perl/**",)
"""Paths that this edge reads."""


def needs(node: Node, around: Around) -> Iterator[Need]:
    """Yield the packages of an interpreter, and the modules that a Perl script uses."""
    if not isinstance(node, File):
        return
    for language in _LANGUAGES:
        if language.program.match(posixpath.basename(node.path)):
            yield from _of_language(language, node.path, around)
    if posixpath.basename(interpreter_of(node.path, around)) == "perl":
        yield from _of_perl_script(node.path, around)


def _of_language(language: _Language, program: str, around: Around) -> Iterator[Need]:
    places = {
        "prefix": posixpath.dirname(posixpath.dirname(program)),
        "workdir": around.workdir.rstrip("/"),
    }
    patterns = [folder.format(**places) for folder in language.folders]
    for variable in language.variables:
        patterns += [p for p in around.variables.get(variable, "").split(":") if p[:1] == "/"]
    for pattern in dict.fromkeys(patterns):
        for folder in expand(pattern, around):
            yield from _packages(folder, language, around)
    for pattern in language.standard:
        for folder in expand(pattern.format(**places), around):
            for library in libraries_below(around.view.resolve(folder), around):
                yield Need(library, "", MemberClass.LOADED)


def _packages(folder: str, language: _Language, around: Around) -> Iterator[Need]:
    """Yield the packages of a folder that did not come with the operating system."""
    is_own = False
    for mark in language.marks:
        for path in expand(f"{folder}/{mark}", around):
            real = around.view.resolve(path)
            if around.view.owner(real).partition(" ")[0] not in SYSTEMS:
                is_own = True
                yield Need(File(real), posixpath.basename(folder))
    for library in libraries_below(around.view.resolve(folder), around) if is_own else ():
        if around.view.owner(library.path).partition(" ")[0] not in SYSTEMS:
            yield Need(library, posixpath.basename(folder), MemberClass.LOADED)


def _of_perl_script(path: str, around: Around) -> Iterator[Need]:
    folders = around.once(_perl_folders)
    text = from_bytes(around.view.read(path) or b"")
    for module in dict.fromkeys(_PERL_USE.findall(text)):
        name = module.replace("::", "/")
        for folder in folders:
            if around.view.stat(f"{folder}/{name}.pm") is not None:
                yield Need(File(around.view.resolve(f"{folder}/{name}.pm")), f"use {module}")
                library = f"{folder}/auto/{name}/{name.rpartition('/')[2]}.so"
                if around.view.stat(library) is not None:
                    yield Need(File(around.view.resolve(library)), "", MemberClass.LOADED)
                break


def _perl_folders(around: Around) -> tuple[str, ...]:
    return tuple(folder for pattern in _PERL_INC for folder in expand(pattern, around))


EDGE = EdgeKind(
    name="interpreters",
    of="an interpreter of Ruby, R or Perl, or a Perl script",
    to="the gems, packages and modules in its library folders; the modules that the script uses",
    evidence="gemspecs, `DESCRIPTION`, `.packlist`, GEM_HOME, R_LIBS, PERL5LIB, `use` statements",
    sources=("RubyGems Guides, gem environment", "R, .libPaths", "perlrun(1)"),
    needs=needs,
    reads=READS,
)
