"""What the verbs say about data of services: kept whole, or left out as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.errors import UsageError
from envlock.model.lock import Lock
from envlock.model.state import lost_state, state_of

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_THOUSAND = 1000

_CURES = {
    "postgresql": "make a cluster with pg_createcluster or initdb, or restore a dump",
    "mariadb": "run mariadb-install-db, or restore a dump",
    "mysql": "run mysqld --initialize, or restore a dump",
    "redis": "the server starts with no data",
    "openldap": "load it with slapadd",
    "etcd": "etcdctl snapshot restore",
    "mongodb": "the server starts with no data; mongorestore",
    "rabbitmq": "import definitions, rabbitmqctl import_definitions",
    "sqlite": "the application makes it anew, or restore a copy",
    "mail": "queues and mailboxes are empty",
}
_CURE = "mount a copy there if its service needs it"


def require_state(wanted: Sequence[str], lock: Lock) -> None:
    """Raise UsageError when there is no data at or below a path of ``--with-state``."""
    found = state_of(lock)
    for path in (given.rstrip("/") for given in wanted):
        if not any(f"{data.path}/".startswith(f"{path}/") and data.is_kept for data in found):
            inside = next((data for data in found if data.covers(path)), None)
            raise UsageError(
                f"no data of a service was found there: {path}",
                where="--with-state",
                hint=f"give its whole folder: --with-state {inside.path}"
                if inside
                else f"there is some in {', '.join(data.path for data in found) or 'no folder'}",
            )


def say_what_state_is_kept(lock: Lock, console: Console) -> None:
    """Say of each data of a service that it is kept, or left out as a whole."""
    for data in state_of(lock):
        message = Message.STATE_KEPT if data.is_kept else Message.STATE_LEFT_OUT
        engine = f"{data.engine} {data.version}".strip()
        console.say(message, path=data.path, engine=engine, size=shown_size(data.size))


def say_what_state_is_missing(lock: Lock, console: Console) -> None:
    """Say which data an image lacks, and what its server needs to start."""
    for data in lost_state(lock):
        cure = _CURES.get(data.engine, _CURE)
        console.say(Message.IMAGE_LEAVES_OUT_STATE, path=data.path, engine=data.engine, cure=cure)


def state_document(lock: Lock) -> dict[str, object]:
    """Return the data of services for ``--json``: path -> engine, version, size and if kept."""
    return {
        data.path: {
            "engine": data.engine,
            "version": data.version,
            "bytes": data.size,
            "kept": data.is_kept,
        }
        for data in state_of(lock)
    }


def shown_size(size: float, units: Iterable[str] = _UNITS) -> str:
    """Return a number of bytes in the largest unit that leaves at least one.

    >>> shown_size(41_300_000)
    '41.3 MB'
    """
    for unit in units:
        if size < _THOUSAND or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == _UNITS[0] else f"{size:.1f} {unit}"
        size /= _THOUSAND
    raise ValueError(size)
