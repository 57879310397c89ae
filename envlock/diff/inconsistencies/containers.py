"""Limits of a container or session against what is asked for in the same environment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.diff.inconsistencies.inconsistency import Family, Inconsistency
from envlock.model.lock import Lock
from envlock.model.text import whole_number

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_LIMIT = re.compile(r"(\d{1,18})(?:([KMGT])iB)?\Z")
_HEAP = re.compile(r"-Xm[xs](\d{1,15})([kKmMgGtT]?)\b|-XX:MaxHeapSize=(\d{1,15})([kKmMgGtT]?)\b")
_OLD_SPACE = re.compile(r"--max[-_]old[-_]space[-_]size[= ](\d{1,9})\b")
_OPTIONS = re.compile(
    r"(?:\w{0,40}_)?(?:JAVA|JVM|JDK|CATALINA|NODE|ES_JAVA|MAVEN|GRADLE)(?:_\w{1,40})?\Z"
)
_RAISED = ("nofile", "nproc", "memlock", "stack", "core", "fsize", "data", "as")
_EVERYTHING = frozenset({"unlimited", "infinity", "-1"})


def _memory(lock: Lock) -> Iterator[Inconsistency]:
    """Check that a heap that is asked for fits into the memory of the container."""
    process = lock.get("process")
    limit = _LIMIT.match(process.get("memory", ""))
    if limit is None:
        return
    most = int(limit[1]) * _UNITS[(limit[2] or "").lower()]
    texts = [(fact, process.get(fact, "")) for fact in ("entrypoint", "cmd")]
    texts += [
        (key, facts.get("value", ""))
        for key, facts in lock.sections.get("env", {}).items()
        if _OPTIONS.match(key)
    ]
    for name, text in texts:
        asked = max(_asked(text), default=0)
        if asked >= most:
            message = f"{name} asks for {_shown(asked)}, and the limit is {process['memory']}"
            yield Inconsistency("CONTAINER-MEMORY", "process", "", message, "memory")
            return


def _asked(text: str) -> Iterator[int]:
    """Yield the sizes in bytes of the heaps that options ask for."""
    for match in _HEAP.finditer(text):
        number, unit = (match[1], match[2]) if match[1] else (match[3], match[4])
        yield int(number) * _UNITS[unit.lower()]
    for match in _OLD_SPACE.finditer(text):
        yield int(match[1]) << 20


def _shown(size: int) -> str:
    for unit in ("GiB", "MiB", "KiB"):
        step = _UNITS[unit[0].lower()]
        if size % step == 0:
            return f"{size // step}{unit}"
    return str(size)


def _limits(lock: Lock) -> Iterator[Inconsistency]:
    """Check that the limits of the session are those that limits.conf sets for its account.

    A session from before the change keeps the old ones, and so does a service that PAM never sees.
    """
    limits = lock.sections.get("host.limits", {})
    home = lock.get("env", "HOME").get("value", "")
    if not home:
        return
    account = home.rpartition("/")[2]
    domains = ("root",) if account == "root" else (account, "*")  # the wildcard is not for root
    for item in _RAISED:
        session = limits.get(f"session {item}", {})
        for kind in ("soft", "hard"):
            records = (limits.get(f"pam {domain} {kind} {item}", {}) for domain in domains)
            wanted = next((record["value"] for record in records if record.get("value")), "")
            if _is_lower(session.get(kind, ""), wanted):
                message = (
                    f"limits.conf sets the {kind} limit {wanted} for {account}, "
                    f"in force is {session[kind]}"
                )
                key = f"session {item}"
                yield Inconsistency("LIMIT-NOT-IN-FORCE", "host.limits", key, message, kind)
                break


def _is_lower(in_force: str, wanted: str) -> bool:
    lower, higher = whole_number(in_force), whole_number(wanted)
    if lower is None:
        return False
    return wanted in _EVERYTHING or (higher is not None and lower < higher)


CONTAINERS: tuple[Family, ...] = (_memory, _limits)
