"""What every application needs, wherever it begins: the system it runs on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.model.scope import EVERY, Member, MemberClass, RootKind
from envlock.scope.graph import Around

VARIABLES = re.compile(
    r"(?!MANPATH|INFOPATH)[A-Z0-9_]*PATH|LD_[A-Z_]+|(?:PYTHON|NODE_|PERL5|RUBY|GEM_|BUNDLE_|JAVA_|R_LIBS)[A-Z0-9_]*"
    r"|LANG|LANGUAGE|LC_[A-Z]+|TZ|TZDIR"
    r"|(?:https?|ftp|all|no)_proxy|(?:HTTPS?|FTP|ALL|NO)_PROXY"
    r"|SSL_CERT_(?:FILE|DIR)|(?:REQUESTS|CURL|AWS)_CA_BUNDLE|NODE_EXTRA_CA_CERTS|OPENSSL_[A-Z_]+"
    r"|(?:OMP|MKL|OPENBLAS|NUMEXPR|GOTO|BLIS|VECLIB|KMP)_[A-Z_]+|GOMAXPROCS|GOGC|GOMEMLIMIT"
    r"|MALLOC_[A-Z_]+|GLIBC_TUNABLES"
    r"|(?:CUDA|NVIDIA|NCCL|CUDNN|HIP|ROCR|ROCM|HSA|XLA|TF|TORCH|PYTORCH)_[A-Z0-9_]+"
)
"""Variables that change how programs are found, speak, connect, or use the processor."""

_OF_A_SHELL = frozenset(
    {"HOME", "PWD", "OLDPWD", "SHLVL", "_", "TERM", "HOSTNAME", "USER", "LOGNAME"}
)
"""Variables that say where and for whom a process runs, not how."""


class _Always(NamedTuple):
    """One row: records of a section that every application needs, and why.

    `key` is that of one record, `EVERY` for the whole section, or a prefix that ends with ``*``.
    """

    section: str
    key: str
    why: str


ALWAYS = (
    _Always("os", "", "the distribution and its architecture"),
    _Always("locale", "", "language, encoding and time zone"),
    _Always("certificate", EVERY, "whom TLS trusts"),
    _Always("setting", "nsswitch.*", "where names of hosts and accounts come from"),
    _Always("setting", "loader.*", "where the loader looks, and what it loads before"),
    _Always("setting", "environment.*", "variables of every session"),
    _Always("file", "/etc/ld.so.conf*", "where the loader looks"),
    _Always("file", "/etc/nsswitch.conf", "where names of hosts and accounts come from"),
    _Always("file", "/etc/environment", "variables of every session"),
    _Always("file", "/etc/localtime", "the time zone"),
    _Always("file", "/etc/timezone", "the time zone"),
    _Always("host.kernel", "", "system calls and limits"),
    _Always("host.cpu", "", "instructions that compiled code may use"),
    _Always("host.libc", "", "the loader's level of the processor"),
    _Always("host.limits", EVERY, "open files, processes and memory"),
)
"""Records that are in every closure."""

_PROCESSES = (RootKind.PROCESS, RootKind.PID)


def always(around: Around, kind: RootKind = RootKind.EXE) -> Iterator[Member]:
    """Yield the members that are in every closure, for records that the lock has.

    A process has its variables as a whole, any other root those of `VARIABLES`.
    """
    for row in ALWAYS:
        keys = around.lock.sections.get(row.section, {})
        if row.key in ("", EVERY):
            found = [row.key] if keys else []
        elif row.key.endswith("*"):
            found = [key for key in keys if key.startswith(row.key[:-1])]
        else:
            found = [row.key] if row.key in keys else []
        for key in found:
            yield Member(row.section, key, MemberClass.ALWAYS)
    is_process = kind in _PROCESSES
    for name in around.lock.sections.get("env", {}):
        if VARIABLES.fullmatch(name) or (is_process and name not in _OF_A_SHELL):
            yield Member("env", name, MemberClass.ALWAYS)
