"""Kernel settings (sysctl): those that software depends on, and those that are configured."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.system.sysctl import parse_sysctl
from envlock.model.glob import compile_globs
from envlock.model.record import Record
from envlock.model.text import sort_key
from envlock.secrets.redact import redact_text
from envlock.secrets.shapes import find_shape
from envlock.targets.base import Capability

_ROOT = "/proc/sys"
_DEPENDED_ON = (
    "fs.aio-max-nr", "fs.file-max", "fs.inotify.max_user_instances", "fs.inotify.max_user_watches",
    "fs.nr_open", "fs.protected_hardlinks", "fs.protected_symlinks", "fs.suid_dumpable",
    "kernel.core_pattern", "kernel.dmesg_restrict", "kernel.io_uring_disabled",
    "kernel.kptr_restrict", "kernel.modules_disabled", "kernel.msgmax", "kernel.msgmnb",
    "kernel.numa_balancing", "kernel.panic", "kernel.panic_on_oops", "kernel.perf_event_paranoid",
    "kernel.pid_max", "kernel.randomize_va_space", "kernel.sched_autogroup_enabled",
    "kernel.sched_rt_runtime_us", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
    "kernel.sysrq", "kernel.threads-max", "kernel.unprivileged_bpf_disabled",
    "kernel.unprivileged_userns_clone", "kernel.yama.ptrace_scope", "net.core.default_qdisc",
    "net.core.netdev_max_backlog", "net.core.rmem_default", "net.core.rmem_max",
    "net.core.somaxconn", "net.core.wmem_default", "net.core.wmem_max",
    "net.ipv4.conf.all.rp_filter", "net.ipv4.ip_forward", "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_wmem",
    "net.ipv6.conf.all.disable_ipv6", "net.ipv6.conf.all.forwarding",
    "net.netfilter.nf_conntrack_max", "user.max_user_namespaces", "vm.dirty_background_ratio",
    "vm.dirty_ratio", "vm.max_map_count", "vm.min_free_kbytes", "vm.nr_hugepages",
    "vm.overcommit_memory", "vm.overcommit_ratio", "vm.swappiness", "vm.zone_reclaim_mode",
)  # fmt: skip
"""Settings that manuals of databases, runtimes, container engines and MPI ask to change, and those
that control what ordinary users may do (Documentation/admin-guide/sysctl)."""

_NEVER = compile_globs(
    (
        "kernel.hostname",
        "kernel.domainname",
        "kernel.random.*",
        "kernel.ns_last_pid",
        "kernel.cad_pid",
        "fs.file-nr",
        "fs.inode-*",
        "fs.dentry-state",
        "fs.quota.*",
        "**stable_secret",
        "**tcp_fastopen_key",
    )
)
"""Names of the machine, secrets, and counters of the kernel."""

_FOLDERS = ("/usr/lib/sysctl.d", "/usr/local/lib/sysctl.d", "/run/sysctl.d", "/etc/sysctl.d")
"""Directories of configuration; a file overrides those of the same name in earlier ones."""

_LAST = "/etc/sysctl.conf"


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each setting that software depends on or that is configured.

    Facts: ``value`` (in force), ``configured`` (what the files say), and ``in-effect = "false"``
    where the two differ.  A name that is a pattern has no value.
    """
    configured = _configured(context)
    for name in sorted({*_DEPENDED_ON, *configured}, key=sort_key):
        if _NEVER.match(name):
            continue
        facts = {"value": _running(context, name), "configured": configured.get(name, "")}
        facts = {fact: _shown(value) for fact, value in facts.items() if value}
        if len(set(facts.values())) == 2:
            facts["in-effect"] = "false"
        if facts:
            yield Record("host.sysctl", name, facts)


def _configured(context: Context) -> dict[str, str]:
    files: dict[str, str] = {}
    for folder in _FOLDERS:
        for name in context.names(folder):
            if name.endswith(".conf"):
                files[name] = f"{folder}/{name}"
    found: dict[str, str] = {}
    for path in (*(files[name] for name in sorted(files, key=sort_key)), _LAST):
        found.update(parse_sysctl(context.text(path) or ""))
    return found


def _running(context: Context, name: str) -> str:
    """Return the value in force, empty when it cannot be read: some are write-only."""
    parts = name.translate(str.maketrans("./", "/.")).split("/")
    if "*" in name or not all(parts) or {".", ".."} & set(parts):
        return ""
    return context.line(f"{_ROOT}/{'/'.join(parts)}")


def _shown(value: str) -> str:
    return "***" if find_shape(value) else redact_text(value)


COLLECTOR = Collector(
    name="host.sysctl",
    sections=("host.sysctl",),
    reads=(f"{_ROOT}/**", *(f"{folder}/*" for folder in _FOLDERS), _LAST),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=("proc_sys(5)", "sysctl.d(5)", "sysctl.conf(5)", "Documentation/admin-guide/sysctl"),
)
