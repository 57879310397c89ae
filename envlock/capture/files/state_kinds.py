"""Data of services that is of use only as a whole, recognised by the files that its program makes.

A database copied in part, or while its server writes, is torn: it does not start, or worse, it
starts.  So such data is taken whole or not at all.  A new kind is one row of `STATE_KINDS`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from envlock.model.state import DATA


class StateKind(NamedTuple):
    """One kind of data: how it is recognised, and how its server shows that it runs.

    A folder is of this kind where `marker` lies `below` in it (``member/snap`` for a marker that is
    two directories deeper) and everything in `beside`, which is relative to the folder, is there
    too.  `version` is a file that states the version of the format.  `programs` are the names of
    the server's processes.  `pid_files` exist while it runs: relative to the folder, or absolute.
    `elsewhere` are links in it that lead to parts of the same data in other places.
    """

    engine: str
    marker: str
    beside: tuple[str, ...] = ()
    below: str = ""
    version: str = ""
    programs: tuple[str, ...] = ()
    pid_files: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


_MYSQL: dict[str, Any] = {
    "programs": ("mariadbd", "mysqld"),
    "pid_files": ("/run/mysqld/mysqld.pid", "/run/mariadb/mariadb.pid"),
}
_REDIS: dict[str, Any] = {
    "programs": ("redis-server", "valkey-server"),
    "pid_files": ("/run/redis/redis-server.pid", "/run/valkey/valkey-server.pid"),
}
_SLAPD: dict[str, Any] = {"programs": ("slapd",), "pid_files": ("/run/slapd/slapd.pid",)}

STATE_KINDS: tuple[StateKind, ...] = (
    StateKind(
        "postgresql", "PG_VERSION", ("global/pg_control",), version="PG_VERSION",
        programs=("postgres", "postmaster"), pid_files=("postmaster.pid",),
        elsewhere=("pg_tblspc/*", "pg_wal", "pg_xlog"),
    ),
    StateKind("mariadb", "aria_log_control", ("mysql",), **_MYSQL),
    StateKind("mysql", "ibdata1", ("mysql",), **_MYSQL),
    StateKind("mysql", "ibdata1", ("mysql.ibd",), **_MYSQL),
    StateKind("redis", "dump.rdb", **_REDIS),
    StateKind("redis", "appendonlydir", **_REDIS),
    StateKind("redis", "appendonly.aof", **_REDIS),
    StateKind("openldap", "data.mdb", ("lock.mdb",), **_SLAPD),
    StateKind("openldap", "id2entry.bdb", **_SLAPD),
    StateKind(
        "etcd", "snap", ("member/wal", "member/snap"), "member", programs=("etcd",)
    ),
    StateKind(
        "mongodb", "WiredTiger", ("storage.bson",), programs=("mongod",),
        pid_files=("/run/mongodb/mongod.pid", "/var/run/mongodb/mongod.pid"),
    ),
    StateKind(
        "rabbitmq", "schema.DAT", ("cluster_nodes.config",), programs=("beam.smp",),
        pid_files=("/run/rabbitmq/pid",),
    ),
    StateKind("elasticsearch", "node.lock", ("_state",), programs=("java",)),
    StateKind("cassandra", "commitlog", ("data", "saved_caches"), programs=("java",)),
    StateKind("kafka", "recovery-point-offset-checkpoint", ("meta.properties",),
              programs=("java",)),
    StateKind("zookeeper", "version-2", ("myid",), programs=("java",)),
    StateKind("prometheus", "chunks_head", ("wal",), programs=("prometheus",)),
    StateKind("influxdb", "influxd.bolt", programs=("influxd",)),
    StateKind("consul", "raft.db", ("raft",), "raft", programs=("consul",)),
    StateKind("couchdb", "_dbs.couch", programs=("beam.smp",)),
    StateKind("leveldb", "CURRENT", ("LOCK", "LOG")),
)  # fmt: skip
"""Kinds of folders; of several that fit, the first counts."""

TABLESPACE = StateKind("postgresql", "", programs=("postgres", "postmaster"))
"""A folder ``PG_15_202209061``: tables of a PostgreSQL that are kept apart from its other data,
where its pid file is."""

SQLITE = StateKind("sqlite", "")
"""A database file beside which lies what is still to be written into it."""
JOURNALS = ("-wal", "-journal")

MAIL = StateKind(
    "mail", "", programs=("master", "exim4", "sendmail", "dovecot", "smtpd"),
    pid_files=("/var/spool/postfix/pid/master.pid", "/run/exim4/exim.pid"),
)  # fmt: skip
MAIL_FOLDERS = (
    "/var/mail",
    "/var/spool/mail",
    *(
        f"/var/spool/postfix/{queue}"
        for queue in ("active", "bounce", "corrupt", "defer", "deferred", "hold", "incoming",
                      "maildrop")
    ),
    "/var/spool/exim4/input",
    "/var/spool/exim4/msglog",
    "/var/spool/mqueue",
    "/var/lib/cyrus",
    "/var/spool/cyrus",
)  # fmt: skip
"""Where mail waits or lies."""

UNKNOWN = StateKind(DATA, "")
"""Data of a service that no row knows, with a file too large to be taken along unasked."""

_BY_MARKER: Mapping[str, Sequence[StateKind]] = {
    name: [kind for kind in STATE_KINDS if kind.marker == name]
    for name in {kind.marker for kind in STATE_KINDS}
}
_BY_ENGINE: Mapping[str, StateKind] = {
    kind.engine: kind for kind in (*reversed(STATE_KINDS), SQLITE, MAIL, UNKNOWN)
}
_TABLESPACE_NAME = "PG_"


def kinds_marked_by(name: str) -> Sequence[StateKind]:
    """Return the kinds of which a file or folder of this name is the marker."""
    return _BY_MARKER.get(name, ())


def kind_of(engine: str, path: str) -> StateKind:
    """Return the kind of the data at a path; those of one engine have the same server."""
    is_apart = engine == TABLESPACE.engine and is_tablespace(path.rpartition("/")[2])
    return TABLESPACE if is_apart else _BY_ENGINE.get(engine, UNKNOWN)


def is_tablespace(name: str) -> bool:
    """True for the name of a folder in which PostgreSQL keeps tables apart."""
    head, _, rest = name.partition(_TABLESPACE_NAME)
    version, _, catalog = rest.partition("_")
    return not head and catalog.isdigit() and version.replace(".", "").isdigit()


_PARTS = tuple((f"/{part}", kind) for kind in STATE_KINDS for part in kind.beside)
_PART_NAMES = frozenset(part.rpartition("/")[2] for part, _ in _PARTS)


def markers_beside(path: str) -> Iterator[str]:
    """Yield the paths of the markers that make a folder data only where `path` is there too."""
    if path.rpartition("/")[2] in _PART_NAMES:
        for part, kind in _PARTS:
            if path.endswith(part):
                top = path.removesuffix(part)
                yield f"{top}/{kind.below}/{kind.marker}" if kind.below else f"{top}/{kind.marker}"


def pick_markers(names: Sequence[str], _modes: Sequence[int]) -> Collection[str]:
    """Return the names that may mark data, for `envlock.capture.scan.search.PathSearch.pick`."""
    return [name for name in names if is_marker(name)]


def is_marker(name: str) -> bool:
    """True when a file or folder of this name may mark data."""
    return (
        name in _BY_MARKER
        or name.endswith(JOURNALS)
        or (name.startswith(_TABLESPACE_NAME) and is_tablespace(name))
    )
