"""Settings of a site or of the boot: DNS resolver, /etc/hosts, AppArmor, SELinux.

Name servers and host names identify a site; they are counted or digested, never recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.system.assignments import parse_assignments
from envlock.formats.system.settings import SETTINGS_LIMIT, parse_lines
from envlock.model.record import Record
from envlock.secrets.redact import digest_lines
from envlock.targets.base import Capability

_RESOLVER, _HOSTS, _HOSTNAME = "/etc/resolv.conf", "/etc/hosts", "/etc/hostname"
_LOOPBACK = ("127.", "::1", "fe00::", "ff00::", "ff02::")
_SELINUX = "/etc/selinux/config"
_ENFORCING = "/sys/fs/selinux/enforce"
_APPARMOR = "/sys/module/apparmor/parameters"
_LSM = "/sys/kernel/security/lsm"


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each setting, keyed by its name."""
    settings = {
        **_resolver(parse_lines(_text(_RESOLVER, context))),
        "hosts": _hosts(context),
        "lsm": {"value": _text(_LSM, context).strip()},
        "apparmor": _apparmor(context),
        "selinux": _selinux(context),
    }
    for name, facts in settings.items():
        present = {fact: value for fact, value in facts.items() if value}
        if present:
            yield Record("host.setting", name, present)


def _text(path: str, context: Context) -> str:
    return context.text(path, SETTINGS_LIMIT) or ""


def _resolver(lines: list[str]) -> dict[str, dict[str, str]]:
    """Return the facts of resolv.conf(5); of several search lists the last counts."""
    words = [line.split() for line in lines]
    servers = [each[1] for each in words if each[0] == "nameserver" and len(each) > 1]
    search = [each[1:] for each in words if each[0] in ("search", "domain")]
    options = {option for each in words if each[0] == "options" for option in each[1:]}
    stub = "true" if "127.0.0.53" in servers else ""
    return {
        "resolver.nameservers": {"count": str(len(servers)) if servers else "", "stub": stub},
        "resolver.search": {"value": " ".join(search[-1]) if search else ""},
        "resolver.options": {"value": " ".join(sorted(options))},
    }


def _hosts(context: Context) -> dict[str, str]:
    """Return the number of entries in hosts(5) besides the machine's own, and their digest."""
    own = _text(_HOSTNAME, context).strip().partition(".")[0]
    added = []
    for line in parse_lines(_text(_HOSTS, context)):
        address, *names = line.split(" ")
        others = sorted({name for name in names if name.partition(".")[0] != own})
        if others and not address.startswith(_LOOPBACK):
            added.append(f"{address} {' '.join(others)}")
    return (
        {"count": str(len(added)), "sha256": digest_lines("/etc/hosts", sorted(added))}
        if added
        else {}
    )


def _apparmor(context: Context) -> dict[str, str]:
    enabled = _text(f"{_APPARMOR}/enabled", context).strip()
    names = {"Y": "enabled", "N": "disabled"}
    return {"value": names.get(enabled, ""), "mode": _text(f"{_APPARMOR}/mode", context).strip()}


def _selinux(context: Context) -> dict[str, str]:
    """Return the mode now, the mode after the next boot, and the policy."""
    config = parse_assignments(_text(_SELINUX, context))
    now = {"1": "enforcing", "0": "permissive"}.get(_text(_ENFORCING, context).strip(), "")
    return {
        "value": now,
        "configured": config.get("SELINUX", ""),
        "policy": config.get("SELINUXTYPE", ""),
    }


COLLECTOR = Collector(
    name="host.setting",
    sections=("host.setting",),
    reads=(
        _RESOLVER,
        _HOSTS,
        _HOSTNAME,
        _SELINUX,
        _ENFORCING,
        f"{_APPARMOR}/enabled",
        f"{_APPARMOR}/mode",
        _LSM,
    ),
    needs=frozenset({Capability.FILES, Capability.KERNEL}),
    collect=collect,
    sources=("resolv.conf(5)", "hosts(5)", "apparmor(7)", "selinux(8)"),
)
