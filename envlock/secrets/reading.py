"""How a file is searched for settings: by its syntax, and by where it lies.

Settings of a machine are searched for any literal.  Source code is searched for string literals
only, and what a package ships (below `/usr`, in `site-packages`) only for values that look random:
what everybody has is no secret.  Prose is searched for shapes alone.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from envlock.secrets.names import word_set
from envlock.secrets.strength import Strength
from envlock.secrets.values import Demand


class Syntax(Enum):
    """What separates names from values, and where a value ends."""

    SETTINGS = "settings"
    """INI, properties, `key value`, and anything unknown: a value ends with its line."""
    YAML = "yaml"
    SHELL = "shell"
    """Shell scripts, Dockerfiles: a value is one word of the shell."""
    DATA = "data"
    """JSON and XML."""
    CODE = "code"
    """Programs: only string literals are values."""
    PROSE = "prose"


class Reading(NamedTuple):
    """How one file is searched."""

    syntax: Syntax
    demand: Demand
    is_strict: bool = False
    """Whether only shapes count that nothing else has: tokens of providers and private keys."""


NEVER = Demand(Strength.NEVER, Strength.NEVER, Strength.NEVER)
_OWN = Demand()
_OWN_CODE = Demand(Strength.RANDOM, Strength.MIXED, Strength.MIXED)
_OWN_PROSE = Demand(Strength.NEVER, Strength.MIXED, Strength.MIXED)
_SAMPLE = Demand(Strength.NEVER, Strength.MIXED, Strength.MIXED)
_SHIPPED = Demand(Strength.RANDOM, Strength.MIXED, Strength.WORD)
_SHIPPED_DATA = Demand(Strength.NEVER, Strength.RANDOM, Strength.MIXED)
_SHIPPED_CODE = Demand(Strength.NEVER, Strength.RANDOM, Strength.RANDOM)

_SYNTAXES = {
    Syntax.YAML: "yaml yml eyaml",
    Syntax.SHELL: "sh bash zsh ksh fish csh bat cmd dockerfile containerfile profile",
    Syntax.DATA: "json json5 jsonc ndjson tfstate xml xsl config plist wsdl svg ipynb webmanifest",
    Syntax.CODE: """
        py pyw pyx js mjs cjs jsx ts tsx mts cts vue svelte rb rake gemspec php phtml inc pl pm t go
        rs java kt kts groovy gradle scala sbt c h cc cpp cxx hpp hh hxx cs fs vb swift m mm lua
        tcl r jl ex exs erl hrl clj cljs el lisp scm hs ml mli sql ps1 psm1 awk d nim v
        sv vhd zig dart coffee jsp asp aspx cgi wsgi bicep vim td x tcc inl mk mak cmake ac am
        """,
    Syntax.PROSE: """
        md markdown rst txt adoc asciidoc html htm xhtml tex texi info po pot mo strings arb xlf
        xliff rtf pod css scss sass less csv tsv log xsd dtd rng rnc proto thrift graphql gql idl
        pyi map snap diff patch bib me 1 2 3 4 5 6 7 8 3pm 1ssl 3ssl 5ssl 7ssl license srt vtt ics
        """,
}
_OF_SUFFIX = {suffix: syntax for syntax, names in _SYNTAXES.items() for suffix in names.split()}

_NEVER_SUFFIXES = word_set(
    """
    1 1ssl 2 3 3pm 3ssl 4 5 5ssl 6 7 7ssl 8 arb css dtd gql graphql htm html idl info less
    license map mo po pod pot proto pyi rnc rng sass scss strings svg tex texi thrift xhtml
    xlf xliff xsd
    """
)
"""Documents, catalogues and declarations, in which no name is that of a setting."""

_SETTINGS_SUFFIXES = word_set(
    """
    cfg cnf conf config container cron desktop env ini list mount netdev netrc network options
    properties rc repo secret secrets service socket sources tfvars timer toml
    """
)
"""Endings of settings in what a package ships; anything else there is no `key value` file."""

_SAMPLES = re.compile(
    r"(?:^|[._-])(?:example|examples|sample|dist|template|templates|tmpl|tpl|in|j2|jinja2?|erb|"
    r"default|defaults|skel|orig)(?:$|[._-])"
)
_TRANSLATIONS = re.compile(
    r"/(?:i18n|l10n|locales?|lang|langs|languages?|translations?|nls|messages)(?:/|\.)"
    r"|[./_-](?:messages|strings|labels|i18n|translations?)(?:[._-][a-z]{2}(?:[-_][A-Za-z]{2})?)?"
    r"\.(?:properties|json|ya?ml|php|js|ts|resx|xml)\Z",
    re.IGNORECASE,
)
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts", ".schema.json", ".min.css", ".tmlanguage.json")
_DOCUMENTS = (
    "/usr/include/",
    "/usr/share/bash-completion/",
    "/usr/share/zsh/",
    "/usr/share/fish/",
    "/usr/share/vim/",
    "/usr/share/mime/",
    "/usr/share/zoneinfo/",
    "/usr/share/doc/",
    "/usr/share/man/",
    "/usr/share/info/",
    "/usr/share/licenses/",
    "/usr/share/locale/",
    "/usr/share/i18n/",
    "/usr/share/common-licenses/",
)
_SHIPPED_PLACES = re.compile(
    r"\A/(?:usr/(?!local/(?:etc|bin|sbin|share|lib/systemd|s?bin)/|etc/)|lib|lib64|boot/grub|nix/store|snap)/?"
    r"|\A/var/lib/(?:dpkg|apt|rpm|pacman|flatpak|snapd)/"
    r"|/(?:site-packages|dist-packages|node_modules|vendor|gems|bower_components|\.cargo/registry"
    r"|go/pkg/mod|\.m2/repository|conda-meta|tests?|testdata|__tests__|fixtures|jvm)/"
)
_SETTINGS_CODE = re.compile(
    r"(?:conf|config|configuration|settings?|secrets?|credentials?|creds|environment|env|local|"
    r"database|production|development|parameters|wp-config|vault|passwords?)"
)
_SHELL_PLACES = (
    "/etc/default/",
    "/etc/sysconfig/",
    "/etc/profile.d/",
    "/etc/init.d/",
    "/etc/conf.d/",
)
_INSTALLED = (
    "/direct_url.json",
    "/var/lib/dpkg/status",
    "/lib/apk/db/installed",
    "/.package-lock.json",
)
"""Databases below places of packages that say where something came from."""
_MAINTAINER_SCRIPTS = re.compile(
    r"\A/var/lib/(?:dpkg/info/[^/]{1,300}\.(?:preinst|postinst|prerm|postrm|config|templates)"
    r"|pacman/local/[^/]{1,300}/install)\Z"
)
"""What dpkg and pacman copy out of a package and nobody edits, though no digest is stated of it."""
_SHEBANG = re.compile(
    r"#![^\n]{0,100}?\b(?:(?P<shell>ba|da|k|z|a|fi)?sh\b|(?P<code>python|perl|ruby|node|php|lua|tclsh|awk))"
)
_PROSE_NAMES = re.compile(
    r"(?:readme|changelog|changes|news|authors|copying|licen[cs]e|copyright|notice|todo|install|thanks|history|contributing)(?:[.-]|\Z)"
)


def is_shipped(path: str) -> bool:
    """Return whether a file lies where packages put what everybody has, or samples for tests."""
    return _SHIPPED_PLACES.search(path) is not None


def reading_of(path: str, text: str = "") -> Reading:
    """Return how the file at `path`, whose content begins with `text`, is searched."""
    lowered = path.lower()
    name = lowered.rpartition("/")[2]
    suffix = name.rpartition(".")[2]
    syntax = _syntax_of(lowered, name, suffix, text)
    if _MAINTAINER_SCRIPTS.match(path):
        return Reading(Syntax.SHELL, _SHIPPED_CODE, is_strict=True)
    if path.endswith(_INSTALLED):
        return Reading(Syntax.DATA, _SHIPPED_DATA)
    if (
        lowered.endswith(_DECLARATIONS)
        or suffix in _NEVER_SUFFIXES
        or _is_for_people(lowered, name)
    ):
        return Reading(Syntax.PROSE, NEVER, is_strict=True)
    demand = _demand_of(path, name, syntax)
    if demand is _SHIPPED and syntax is Syntax.SETTINGS and suffix not in _SETTINGS_SUFFIXES:
        syntax, demand = Syntax.CODE, _SHIPPED_CODE
    return Reading(syntax, demand, is_strict=demand.password >= Strength.RANDOM)


def _is_for_people(path: str, name: str) -> bool:
    return (
        path.startswith(_DOCUMENTS)
        or ".dist-info/" in path
        or ".egg-info/" in path
        or bool(_TRANSLATIONS.search(path))
        or bool(_PROSE_NAMES.match(name))
    )


def _syntax_of(path: str, name: str, suffix: str, text: str) -> Syntax:
    if name.startswith(("dockerfile", "containerfile")) or path.startswith(_SHELL_PLACES):
        return Syntax.SHELL
    found = _OF_SUFFIX.get(suffix) if "." in name else None
    if found is not None:
        return found
    if text.startswith("#!"):
        shebang = _SHEBANG.match(text)
        return Syntax.SHELL if shebang and not shebang["code"] else Syntax.CODE
    if name in ("makefile", "gnumakefile", "cmakelists.txt", "meson.build"):
        return Syntax.CODE
    return (
        Syntax.SHELL
        if name in (".bashrc", ".profile", ".bash_profile", ".zshrc", "profile")
        else Syntax.SETTINGS
    )


def _demand_of(path: str, name: str, syntax: Syntax) -> Demand:
    shipped = is_shipped(path)
    if syntax is Syntax.PROSE:
        return NEVER if shipped else _OWN_PROSE
    if syntax is Syntax.CODE:
        if shipped:
            return _SHIPPED_CODE
        return _OWN if _SETTINGS_CODE.search(name) else _OWN_CODE
    if shipped:
        return _SHIPPED_DATA if syntax in (Syntax.DATA, Syntax.SHELL) else _SHIPPED
    return _SAMPLE if _SAMPLES.search(name) else _OWN
