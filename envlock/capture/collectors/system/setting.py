"""Settings in files that package scripts generate: name services, PAM, loader, logins.

No package owns these files, since they depend on what is installed, so the section `file` does not
cover them.
"""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.capture.discover.loader_paths import LOADER_READS, configured_folders
from envlock.capture.discover.pam_modules import missing_module, pam_modules
from envlock.formats.system.assignments import parse_assignments
from envlock.formats.system.settings import SETTINGS_LIMIT, parse_lines, parse_pairs
from envlock.model.record import Record
from envlock.secrets.redact import digest_lines, redact_environ

_PAM = "/etc/pam.d"
_PAM_GENERATED = ("common-", "system-auth", "password-auth", "postlogin", "system-login")
"""Prefixes of the names that pam-auth-update(8) and authselect(8) write."""
_PRELOAD = "/etc/ld.so.preload"
_MASTER, _CHROOT, _JAIL = "/etc/postfix/master.cf", 4, "/var/spool/postfix/etc"
"""The services of postfix, the column that says whether they run in the chroot, and its /etc."""
_COPIED = ("hosts", "localtime", "nsswitch.conf", "resolv.conf", "services")
"""What the start script of Debian copies (postfix-configure-instance)."""
_LOGIN_DEFS = ("UMASK", "HOME_MODE", "ENCRYPT_METHOD", "UID_MIN", "UID_MAX", "SYS_UID_MAX",
               "USERGROUPS_ENAB")  # fmt: skip


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each setting, with the key ``FILE.SETTING``."""
    yield from _name_services(context)
    yield from _pam(context)
    yield from _loader(context)
    yield from _postfix(context)
    logins = parse_pairs(parse_lines(_text("/etc/login.defs", context)))
    for name in _LOGIN_DEFS:
        if name in logins:
            yield Record("setting", f"login.{name}", {"value": logins[name]})
    shells = parse_lines(_text("/etc/shells", context))
    if shells:
        yield Record("setting", "shells", {"value": " ".join(sorted(set(shells)))})
    variables = parse_assignments(_text("/etc/environment", context))
    for record in redact_environ(variables, context.env_allow, context.env_deny):
        yield Record("setting", f"environment.{record.key}", record.facts)


def _text(path: str, context: Context) -> str:
    return context.text(path, SETTINGS_LIMIT) or ""


def _name_services(context: Context) -> Iterator[Record]:
    """Yield the sources of each database of nsswitch.conf(5), in their order."""
    found: dict[str, str] = {}
    for line in parse_lines(_text("/etc/nsswitch.conf", context)):
        database, colon, services = line.partition(":")
        if colon and database.strip() and services.strip():
            found.setdefault(database.strip(), services.strip())
    for database, services in found.items():
        yield Record("setting", f"nsswitch.{database}", {"value": services})


def _pam(context: Context) -> Iterator[Record]:
    """Yield the modules of each generated PAM stack; their arguments enter only the digest."""
    modules_there = pam_modules(context)
    for name in context.names(_PAM):
        lines = parse_lines(_text(f"{_PAM}/{name}", context))
        missing = missing_module(lines, modules_there, context)
        if not name.startswith(_PAM_GENERATED):
            if missing:
                yield Record("setting", f"pam.{name}", {"missing": missing})
            continue
        modules = [word for line in lines for word in line.split() if word.endswith(".so")]
        facts = {"value": " ".join(modules), "sha256": digest_lines(f"{_PAM}/{name}", lines)}
        facts["missing"] = missing
        if lines:
            yield Record("setting", f"pam.{name}", {n: v for n, v in facts.items() if v})


def _loader(context: Context) -> Iterator[Record]:
    """Yield the configured directories of the dynamic loader, and the libraries it preloads."""
    folders = configured_folders(context)
    if folders:
        yield Record("setting", "loader.path", {"value": ":".join(folders)})
    preload = [word for line in parse_lines(_text(_PRELOAD, context)) for word in line.split()]
    if preload:
        yield Record("setting", "loader.preload", {"value": " ".join(preload)})


def _postfix(context: Context) -> Iterator[Record]:
    """Yield which copies in the chroot of postfix are not the files of /etc, and which it lacks.

    Its programs run there and read no other, so that an old resolver or host list stays in force.
    """
    services = [line.split() for line in parse_lines(_text(_MASTER, context))]
    if not any(len(words) > _CHROOT and words[_CHROOT] == "y" for words in services):
        return
    faults = []
    for name in _COPIED:
        original, copy = (context.read(f"{at}/{name}", SETTINGS_LIMIT) for at in ("/etc", _JAIL))
        if original is not None and copy != original:
            faults.append(f"{name} {'is missing' if copy is None else 'differs'}")
    yield Record("setting", "postfix.chroot", {"value": ", ".join(faults) or "as /etc"})


COLLECTOR = Collector(
    name="setting",
    sections=("setting",),
    reads=(
        "/etc/nsswitch.conf",
        f"{_PAM}/*",
        *LOADER_READS,
        _PRELOAD,
        "/etc/login.defs",
        "/etc/shells",
        "/etc/environment",
        _MASTER,
        *(f"{at}/{name}" for name in _COPIED for at in ("/etc", _JAIL)),
    ),
    collect=collect,
    sources=(
        "nsswitch.conf(5)",
        "pam.conf(5)",
        "ld.so(8)",
        "login.defs(5)",
        "shells(5)",
        "master(5) of postfix",
    ),
)
