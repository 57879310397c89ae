"""What every application needs, wherever it begins: the system it runs on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from envlock.model.scope import EVERY, Member, MemberClass
from envlock.scope.graph import Around

VARIABLES = re.compile(
    r"PATH|LD_[A-Z_]+|(?:PYTHON|NODE_|PERL5|RUBY|GEM_|JAVA_|CLASS)[A-Z_]*|.*_PATH"
    r"|LANG|LANGUAGE|LC_[A-Z]+|TZ|TZDIR|LOCPATH"
    r"|(?:https?|ftp|all|no)_proxy|(?:HTTPS?|FTP|ALL|NO)_PROXY"
    r"|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|OPENSSL_[A-Z_]+"
    r"|(?:OMP|MKL|OPENBLAS|NUMEXPR|GOTO|BLIS|VECLIB)_[A-Z_]+|GOMAXPROCS|MALLOC_[A-Z_]+|GLIBC_TUNABLES"
    r"|(?:CUDA|NVIDIA|NCCL|HIP|ROCR|ROCM|HSA|XLA|TF|TORCH|PYTORCH)_[A-Z_]+"
)
"""Variables that change how programs are found, speak, connect, or use the processor."""


class _Always(NamedTuple):
    """One row: records of a section that every application needs, and why."""

    section: str
    key: str
    why: str


ALWAYS = (
    _Always("os", "", "the distribution and its architecture"),
    _Always("locale", "", "language, encoding and time zone"),
    _Always("certificate", EVERY, "whom TLS trusts"),
    _Always("host.kernel", "", "system calls and limits"),
    _Always("host.cpu", "", "instructions that compiled code may use"),
    _Always("host.libc", "", "the loader's level of the processor"),
)
"""Records that are in every closure."""


def always(around: Around) -> Iterator[Member]:
    """Yield the members that are in every closure, for records that the lock has."""
    for row in ALWAYS:
        if around.lock.sections.get(row.section):
            yield Member(row.section, row.key, MemberClass.ALWAYS)
    for name in around.lock.sections.get("env", {}):
        if VARIABLES.fullmatch(name):
            yield Member("env", name, MemberClass.ALWAYS)
