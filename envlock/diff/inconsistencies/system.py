"""Settings of the system that name what is not there: locales, zones, shells, programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envlock.diff.inconsistencies.inconsistency import Family, Inconsistency
from envlock.model.locales import named_locales, plain
from envlock.model.lock import Lock
from envlock.model.text import whole_number

_LOCALE = re.compile(r"(?P<name>[a-z]{2,3}_[A-Z]{2})(?:\.(?P<charset>[\w-]+))?(?P<variant>@\w+)?\Z")
_NO_LOGIN = re.compile(r"nologin|false|sync|halt|shutdown|true")
_FIRST_PERSON = 1000


def _locales(lock: Lock) -> Iterator[Inconsistency]:
    """Check that the locales of variables and settings are compiled, where glibc needs that."""
    available = {plain(word) for word in lock.get("locale").get("available", "").split()}
    is_glibc = lock.get("os").get("libc", "").startswith("glibc")
    if not is_glibc or not available or "(all)" in available or lock.get("env", "LOCPATH"):
        return
    for named in named_locales(lock):
        match = _LOCALE.match(named.value)
        if match is None or _is_available(match, available):
            continue
        message = f"{named.variable} is {named.value}, and that locale was not generated"
        yield Inconsistency("LOCALE-NOT-GENERATED", named.section, named.key, message, named.field)


def _is_available(match: re.Match[str], available: set[str]) -> bool:
    if match["charset"]:
        return plain(match[0]) in available
    return any(
        name == plain(match[0]) or name.startswith(f"{match['name']}.") for name in available
    )


def _shells(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get("user", {}).items():
        shell = facts.get("shell", "")
        if "shell-missing" not in facts or _NO_LOGIN.match(shell.rpartition("/")[2]):
            continue
        uid = whole_number(facts.get("uid"))
        is_person = uid is not None and (uid == 0 or uid >= _FIRST_PERSON)
        rule = "SHELL-MISSING" if is_person else "SHELL-MISSING-DAEMON"
        yield Inconsistency(rule, "user", key, f"{shell} does not exist", "shell-missing")


NOT_EXECUTABLE = "nobody may run it"
"""Why a job is not run that was probably switched off by intention."""
_PROCESS_FAULTS = {
    "program-missing": "it starts {}, which does not exist",
    "program-not-executable": "it starts {}, which nobody may run",
    "interpreter-missing": "it starts a script of {}, which does not exist",
    "user-missing": "it runs as {}, which no account or group is called",
}
_SERVICE_FAULTS = {
    "program-missing": "it starts {}, which does not exist",
    "program-not-executable": "it starts {}, which nobody may run",
    "user-missing": "it runs as the account {}, which does not exist",
    "group-missing": "it runs in the group {}, which does not exist",
    "folder-missing": "it starts in {}, which does not exist",
    "environment-missing": "it reads its variables from {}, which does not exist",
}
"""Fact of a service -> message (systemd.exec(5), statuses 200/CHDIR to 217/USER)."""


def _services(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get("service", {}).items():
        for fact in [*filter(facts.get, _SERVICE_FAULTS)] if facts.get("state") != "masked" else ():
            message = _SERVICE_FAULTS[fact].format(facts[fact])
            yield Inconsistency("SERVICE-PROGRAM", "service", key, message, fact)


def _zones(lock: Lock) -> Iterator[Inconsistency]:
    """Check that both names of the time zone are one zone, and that it has data."""
    facts = lock.get("locale")
    zone, stated = facts.get("timezone", ""), facts.get("timezone-file", "")
    if stated:
        message = f"/etc/localtime is {zone}, /etc/timezone says {stated}"
        yield Inconsistency("TIMEZONE-DISAGREES", "locale", "", message, "timezone-file")
    if facts.get("timezone-data") == "missing":
        message = f"/etc/localtime leads to {zone}, which has no data: UTC is used"
        yield Inconsistency("TIMEZONE-DISAGREES", "locale", "", message, "timezone-data")


def _jobs(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get("cron", {}).items():
        why = facts.get("ignored", "")
        if why:
            rule = "JOB-OFF" if why == NOT_EXECUTABLE else "JOB-IGNORED"
            yield Inconsistency(rule, "cron", key, f"it is never run: {why}", "ignored")
    for key, facts in lock.sections.get("sudo", {}).items():
        if facts.get("ignored"):
            yield Inconsistency("SUDO-NAME", "sudo", key, facts["ignored"], "ignored")
        if facts.get("refused"):
            message = f"sudo does not read it: {facts['refused']}"
            yield Inconsistency("SUDO-REFUSED", "sudo", key, message, "refused")


def _modules(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get("setting", {}).items():
        if facts.get("missing"):
            message = f"it requires {facts['missing']}, which is not installed"
            yield Inconsistency("PAM-MODULE", "setting", key, message, "missing")


def _process(lock: Lock) -> Iterator[Inconsistency]:
    facts = lock.get("process")
    for fact, message in _PROCESS_FAULTS.items():
        if facts.get(fact):
            text = message.format(facts[fact])
            yield Inconsistency("PROCESS-START", "process", "", text, fact)
    for key, known in lock.sections.get("env", {}).items():
        if known.get("gone"):
            rule = "ENV-PRELOAD-GONE" if key == "LD_PRELOAD" else "ENV-GONE"
            message = f"{known['gone']} does not exist"
            yield Inconsistency(rule, "env", key, message, "gone")


def _chroots(lock: Lock) -> Iterator[Inconsistency]:
    value = lock.get("setting", "postfix.chroot").get("value", "as /etc")
    if value != "as /etc":
        message = f"in /var/spool/postfix/etc {value}"
        yield Inconsistency("POSTFIX-CHROOT", "setting", "postfix.chroot", message, "value")


SYSTEM: tuple[Family, ...] = (
    _locales,
    _shells,
    _services,
    _zones,
    _jobs,
    _modules,
    _process,
    _chroots,
)
