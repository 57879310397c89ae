"""What every application needs, wherever it begins: the system it runs on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.model.scope import EVERY, Member, MemberClass, RootKind
from envlock.scope.graph import Around

VARIABLES = (
    *("*PATH", "LD_*", "LANG", "LANGUAGE", "LC_*", "TZ", "TZDIR", "GLIBC_TUNABLES", "MALLOC_*"),
    *("PYTHON*", "NODE_*", "PERL5*", "RUBY*", "GEM_*", "BUNDLE_*", "JAVA_*", "R_LIBS*"),
    *("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "*_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "OPENSSL_*"),
    *("OMP_*", "MKL_*", "KMP_*", "OPENBLAS_*", "NUMEXPR_*", "GOTO_*", "BLIS_*", "VECLIB_*"),
    *("GOMAXPROCS", "GOGC", "GOMEMLIMIT"),
    *("CUDA_*", "CUDNN_*", "NVIDIA_*", "NCCL_*", "HIP_*", "ROCR_*", "ROCM_*", "HSA_*"),
    *("XLA_*", "TF_*", "TORCH_*", "PYTORCH_*"),
)
"""Variables that change how programs are found, speak, connect, or use the processor."""
_VARIABLE = re.compile("|".join(name.replace("*", "[A-Z0-9_]*") for name in VARIABLES))
_NOT_SEARCHED = frozenset({"MANPATH", "INFOPATH"})

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
    _Always("setting", "nsswitch.hosts", "where names of hosts come from"),
    _Always("setting", "nsswitch.passwd", "where accounts come from"),
    _Always("setting", "nsswitch.group", "where groups of accounts come from"),
    _Always("setting", "nsswitch.services", "where names of ports come from"),
    _Always("setting", "loader.*", "where the loader looks, and what it loads before"),
    _Always("setting", "environment.*", "variables of every session"),
    _Always("file", "/etc/ld.so.conf*", "where the loader looks"),
    _Always("file", "/etc/nsswitch.conf", "where names of hosts and accounts come from"),
    _Always("file", "/etc/environment", "variables of every session"),
    _Always("file", "/etc/localtime", "the time zone"),
    _Always("file", "/etc/timezone", "the time zone"),
    _Always("process", "", "how it was started: command, account, limits, mounts, capabilities"),
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
        if changes_programs(name) or (is_process and name not in _OF_A_SHELL):
            yield Member("env", name, MemberClass.ALWAYS)


def changes_programs(name: str) -> bool:
    """True for a variable that one of the patterns in `VARIABLES` names."""
    return _VARIABLE.fullmatch(name) is not None and name not in _NOT_SEARCHED
