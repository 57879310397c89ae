"""Rules for environment variables."""

from __future__ import annotations

from envlock.diff import predicates
from envlock.diff.drift import ChangeKind
from envlock.diff.fixes import system
from envlock.diff.rules.rule import Rule
from envlock.model.severity import Severity

CRITICAL, HIGH, MEDIUM, LOW, INFO = Severity
ADDED, REMOVED, CHANGED, UNKNOWN = ChangeKind

_SAME = "set {key} to the same value on both sides"
_FOLDERS = (
    "LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT", "PYTHONPATH", "PYTHONHOME", "NODE_PATH",
    "PERL5LIB", "RUBYLIB", "GEM_HOME", "GEM_PATH", "CLASSPATH", "LUA_PATH", "LUA_CPATH", "R_LIBS",
    "R_LIBS_USER", "JULIA_LOAD_PATH", "GCONV_PATH", "OPENSSL_MODULES",
)  # fmt: skip
"""Variables that put other programs, libraries or modules before those of the system."""
_UNVERIFIED = ("NODE_TLS_REJECT_UNAUTHORIZED", "PYTHONHTTPSVERIFY", "GIT_SSL_NO_VERIFY")
_TRUST = (
    "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE", "OPENSSL_CONF",
)  # fmt: skip
_BEHAVIOUR = (
    "*_OPTIONS", "*_OPTS", "JAVA_TOOL_OPTIONS", "PYTHON*", "MALLOC_*", "GLIBC_TUNABLES", "OMP_*",
    "MKL_*", "OPENBLAS_*", "CUDA_VISIBLE_DEVICES", "*_proxy", "*_PROXY", "GODEBUG", "GOGC",
    "GOMAXPROCS", "RUBYOPT", "PERL5OPT",
)  # fmt: skip

VARIABLE_RULES: tuple[Rule, ...] = (
    Rule(
        id="ENV-CHARSET",
        severity=HIGH,
        sections=("env",),
        keys=("LANG", "LC_ALL", "LC_CTYPE"),
        when=predicates.loses_utf8,
        why="without UTF-8 programs read and write text as ASCII",
        fix=system.variable,
        next=_SAME,
        source="setlocale(3); PEP 538",
    ),
    Rule(
        id="ENV-UTF8",
        severity=LOW,
        sections=("env",),
        keys=("LANG", "LC_ALL", "LC_CTYPE"),
        when=predicates.gains_utf8,
        why="text is read and written as UTF-8 on {right_name}",
        next="set {key} to this value on {left_name} too",
        source="setlocale(3); PEP 538",
    ),
    Rule(
        id="ENV-LOCALE",
        severity=MEDIUM,
        sections=("env",),
        keys=("LANG", "LANGUAGE", "LC_*", "TZ"),
        why="sorting, number formats, messages or local time differ",
        fix=system.variable,
        next=_SAME,
        source="locale(7); tzset(3)",
    ),
    Rule(
        id="ENV-LOADER-GONE",
        severity=MEDIUM,
        sections=("env",),
        keys=_FOLDERS,
        fields=("",),
        kinds=(REMOVED,),
        why="only {left_name} puts other programs, libraries or modules before the installed ones",
        next="unset {key} on {left_name} too, unless a program needs what is only there",
        source="ld.so(8); python(1)",
    ),
    Rule(
        id="ENV-LOADER",
        severity=HIGH,
        sections=("env",),
        keys=("PATH", *_FOLDERS),
        why="it decides which programs and libraries are found",
        fix=system.variable,
        next=_SAME,
        source="execvp(3); ld.so(8); python(1)",
    ),
    Rule(
        id="ENV-VERIFIED",
        severity=LOW,
        sections=("env",),
        keys=_UNVERIFIED,
        fields=("",),
        kinds=(REMOVED,),
        why="only {left_name} changes whether certificates of servers are verified",
        next="unset {key} on {left_name} too",
        source="node(1); PEP 493; git-config(1)",
    ),
    Rule(
        id="ENV-TRUST",
        severity=HIGH,
        sections=("env",),
        keys=(*_UNVERIFIED, *_TRUST),
        why="it decides which servers are trusted, and whether they are verified",
        fix=system.variable,
        next=_SAME,
        source="openssl(1); curl(1); node(1); PEP 493",
    ),
    Rule(
        id="ENV-MISSING",
        severity=HIGH,
        sections=("env",),
        fields=("",),
        kinds=(REMOVED,),
        why="a program that reads it finds nothing",
        fix=system.variable,
        next="set {key} on {right_name}",
        source="environ(7)",
    ),
    Rule(
        id="ENV-BEHAVIOUR",
        severity=MEDIUM,
        sections=("env",),
        keys=_BEHAVIOUR,
        fields=("",),
        kinds=(ADDED,),
        why="an interpreter or library behaves differently where it is set",
        fix=system.variable,
        next="set {key} on {left_name} too, or unset it",
        source="environ(7)",
    ),
    Rule(
        id="ENV-EXTRA",
        severity=LOW,
        sections=("env",),
        fields=("",),
        kinds=(ADDED,),
        why="only {right_name} sets it",
        fix=system.variable,
        next="set {key} on {left_name} too, or unset it",
        source="environ(7)",
    ),
    Rule(
        id="ENV-VALUE",
        severity=MEDIUM,
        sections=("env",),
        why="programs that read it get another value",
        fix=system.variable,
        next=_SAME,
        source="environ(7)",
    ),
)
