"""Services that start with the system: systemd units and their overrides, timers, init scripts.

Only units that an administrator or a package enabled, masked, overrode or added are recorded; the
content of packaged unit files is covered by their packages.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.accounts import ACCOUNT_READS
from envlock.capture.discover.unit_programs import unit_faults
from envlock.formats.system.settings import SETTINGS_LIMIT
from envlock.formats.system.units import Settings, parse_unit, unit_lines
from envlock.model.record import Record
from envlock.model.text import from_bytes, to_bytes
from envlock.model.tree import Entry, EntryType
from envlock.secrets.redact import redact_text
from envlock.secrets.settings import redact_settings

_UNITS = "/etc/systemd/system"
_USER_UNITS = "/etc/systemd/user"
_LOCAL_UNITS = "/usr/local/lib/systemd/system"
_VENDOR = ("/usr/lib/systemd/system", "/lib/systemd/system")
_USER = "user/"
_USER_VENDOR = "/usr/lib/systemd/user"
_WANTED = (".wants", ".requires", ".upholds")
_FOLDERS = (*_WANTED, ".d")
_RUNLEVELS = tuple(f"/etc/rc{level}.d" for level in "2345S")
_STARTED = re.compile(r"S\d\d(.+?)(?:\.sh)?\Z", re.DOTALL)
_SCHEDULES = ("OnCalendar", "OnBootSec", "OnStartupSec", "OnActiveSec", "OnUnitActiveSec",
              "OnUnitInactiveSec")  # fmt: skip
_DEFAULT = "default.target"
_LINGER = "/var/lib/systemd/linger"

Found = dict[str, dict[str, str]]
"""Unit -> its facts."""


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each unit that is configured in the directories of the administrator.

    Facts: ``wanted-by`` (the units that start it), ``state`` (``masked``), ``unit`` (digest of the
    file), ``drop-ins`` (their settings), ``alias`` (the unit a link points to), ``schedule`` (of a
    timer), ``listens`` (of a socket), ``runlevels`` (in which an init script starts it),
    and what a service needs and lacks (`envlock.capture.discover.unit_programs`).  The key of a
    unit of the user manager begins with ``user/``.  ``linger ACCOUNT`` is an account whose
    units run from boot on, and not only while it is logged in.
    """
    found: Found = {}
    for folder, prefix in ((_UNITS, ""), (_LOCAL_UNITS, ""), (_USER_UNITS, _USER)):
        for child in context.children(folder):
            name = child.path.rpartition("/")[2]
            if child.type is EntryType.DIRECTORY or name.endswith(_FOLDERS):  # also by a link
                _folder(folder, name, prefix, context, found)
            else:
                _unit(child, context, found.setdefault(f"{prefix}{name}", {}))
    _add_init_scripts(context, found)
    _add_default(context, found)
    for name, facts in found.items():
        if name.endswith((".timer", ".socket")) and "wanted-by" in facts:
            facts.update(_activation(name, context))
        elif name.endswith(".service") and ("wanted-by" in facts or "drop-ins" in facts):
            facts.update(unit_faults(_settings(name, context), context))
        if facts:
            yield Record("service", name, facts)
    for account in context.names(_LINGER):
        yield Record("service", f"linger {account}", {"state": "enabled"})


def _folder(folder: str, name: str, prefix: str, context: Context, found: Found) -> None:
    unit, _, suffix = name.rpartition(".")
    if f".{suffix}" in _WANTED:
        for wanted in context.names(f"{folder}/{name}"):
            facts = found.setdefault(f"{prefix}{wanted}", {})
            words = {*facts.get("wanted-by", "").split(), unit}
            facts["wanted-by"] = " ".join(sorted(words))
    elif suffix == "d" and unit:
        lines: list[str] = []
        for drop_in in context.names(f"{folder}/{name}"):
            if drop_in.endswith(".conf"):
                path = f"{folder}/{name}/{drop_in}"
                text = context.text(path, SETTINGS_LIMIT) or ""
                lines += unit_lines(redact_settings(path, text).text)
        if lines:
            found.setdefault(f"{prefix}{unit}", {})["drop-ins"] = " ".join(lines)


def _unit(child: Entry, context: Context, facts: dict[str, str]) -> None:
    if child.type is EntryType.SYMLINK:
        if child.target == "/dev/null":
            facts["state"] = "masked"
        else:
            facts["alias"] = child.target.rpartition("/")[2]
    elif child.type in (EntryType.FILE, EntryType.HARDLINK):
        content = context.read(child.path, SETTINGS_LIMIT)
        if content == b"":
            facts["state"] = "masked"
        elif content is not None:
            facts["unit"] = f"sha256:{_digest(child.path, context)}"


def _digest(path: str, context: Context) -> str:
    """Return the SHA-256 (hex) of a unit file with its secrets redacted."""
    content = context.read(path, SETTINGS_LIMIT)
    if content is None:
        return ""
    return hashlib.sha256(to_bytes(redact_settings(path, from_bytes(content)).text)).hexdigest()


def _add_init_scripts(context: Context, found: Found) -> None:
    """Add the runlevels of the scripts of /etc/init.d that start with the system."""
    for folder in _RUNLEVELS:
        for name in context.names(folder):
            match = _STARTED.match(name)
            if match:
                facts = found.setdefault(f"{match[1]}.service", {})
                levels = {*facts.get("runlevels", "").split(), folder[len("/etc/rc")]}
                facts["runlevels"] = " ".join(sorted(levels))


def _add_default(context: Context, found: Found) -> None:
    """Add the vendor's default target, unless a link of the administrator sets another."""
    for folder in _VENDOR:
        vendor = context.stat(f"{folder}/{_DEFAULT}")
        if vendor is not None and vendor.type is EntryType.SYMLINK and _DEFAULT not in found:
            found[_DEFAULT] = {"alias": vendor.target.rpartition("/")[2]}


def _settings(name: str, context: Context) -> Settings:
    """Return the settings of a unit, with its drop-ins applied."""
    folders: tuple[str, ...] = (_UNITS, _LOCAL_UNITS, *_VENDOR)
    if name.startswith(_USER):
        name, folders = name.removeprefix(_USER), (_USER_UNITS, _USER_VENDOR)
    settings: Settings = {}
    before, at, _ = name.rpartition("@")
    template = f"{before}@.{name.rpartition('.')[2]}" if at and before else name
    for path in (
        f"{folder}/{each}" for each in dict.fromkeys((name, template)) for folder in folders
    ):
        text = context.text(path, SETTINGS_LIMIT)
        if text is not None:
            parse_unit(text, settings)
            break
    for drop_in in context.names(f"{folders[0]}/{name}.d"):
        if drop_in.endswith(".conf"):
            path = f"{folders[0]}/{name}.d/{drop_in}"
            parse_unit(context.text(path, SETTINGS_LIMIT) or "", settings)
    return settings


def _activation(name: str, context: Context) -> dict[str, str]:
    """Return the schedule of a timer or the addresses of a socket."""
    settings = _settings(name, context)
    timer, socket = settings.get("Timer", {}), settings.get("Socket", {})
    schedule = [
        f"{key}={' '.join(value.split())}" for key in _SCHEDULES for value in timer.get(key, ())
    ]
    addresses = [
        value for key, values in socket.items() if key.startswith("Listen") for value in values
    ]
    facts = {"schedule": "; ".join(schedule), "listens": " ".join(sorted(addresses))}
    return {fact: redact_text(value) for fact, value in facts.items() if value}


COLLECTOR = Collector(
    name="service",
    sections=("service",),
    reads=(
        *(f"{folder}/*" for folder in (_UNITS, _USER_UNITS, _LOCAL_UNITS)),
        *(f"{folder}/*/*" for folder in (_UNITS, _USER_UNITS, _LOCAL_UNITS)),
        *(
            f"{folder}/*.{kind}"
            for folder in (*_VENDOR, _USER_VENDOR)
            for kind in ("timer", "socket", "service")
        ),
        *(f"{folder}/*" for folder in _RUNLEVELS),
        f"{_LINGER}/*",
        *ACCOUNT_READS,
    ),
    collect=collect,
    sources=(
        "systemd.unit(5)",
        "systemd.timer(5)",
        "systemctl(1)",
        "update-rc.d(8)",
        "loginctl(1)",
    ),
)
