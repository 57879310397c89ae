"""Programs that cannot start: what they need is missing, or they are built for another machine."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.diff.inconsistencies.inconsistency import Family, Inconsistency
from envlock.model.lock import Lock
from envlock.model.record import Facts

_MACHINES = {
    "amd64": {"x86_64", "i386", "x32"},
    "i386": {"i386"},
    "arm64": {"aarch64", "arm"},
    "armhf": {"arm"},
    "armel": {"arm"},
    "ppc64el": {"ppc64le"},
    "s390x": {"s390x"},
    "riscv64": {"riscv64"},
    "mips64el": {"mipsel"},
    "loong64": {"loongarch64"},
}
"""Architecture of the system -> machines whose programs its processors run."""
_DATA = frozenset({"cuda", "amdgpu", "bpf"})
"""Machines of code that no processor runs by itself."""
_BUNDLED = {"bundled-program": "-BUNDLED", "bundled": "-OPTIONAL"}
_LINKS = {
    "library": "DANGLING-LIBRARY",
    "program": "DANGLING-PROGRAM",
    "alternative": "DANGLING-ALTERNATIVE",
    "enabled-unit": "DANGLING-SERVICE",
    "web-server": "DANGLING-ENABLED",
    "php-setting": "DANGLING-ENABLED",
    "job": "DANGLING-JOB",
    "trust": "DANGLING-TRUST",
    "time-zone": "DANGLING-TIME-ZONE",
}


def _foreign(lock: Lock) -> Iterator[Inconsistency]:
    """Check that unmanaged programs are built for this machine, or an emulator is installed."""
    arch = lock.get("os").get("arch", "")
    for key, facts in lock.sections.get("software", {}).items():
        if not _is_foreign(facts, arch) or _has_emulator(lock):
            continue
        message = f"it is built for {facts['machine']}, the system is {arch}"
        if facts.get("kind") == "program":
            yield Inconsistency("PROGRAM-FOREIGN", "software", key, message, "machine")
        elif facts.get("kind") == "tree" and facts.get("programs"):
            yield Inconsistency("TREE-FOREIGN", "software", key, message, "machine")


def _is_foreign(facts: Facts, arch: str) -> bool:
    """True when every machine in the facts is another than the system's."""
    machines = set(facts.get("machine", "").split()) - _DATA
    return bool(machines) and arch in _MACHINES and not machines & _MACHINES[arch]


def _has_emulator(lock: Lock) -> bool:
    sections = (lock.sections.get(name, {}) for name in ("deb", "rpm", "apk", "pacman"))
    return any(
        key.startswith(("qemu-user", "qemu-arch-extra")) for keys in sections for key in keys
    )


def _missing_libraries(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get("missing-library", {}).items():
        needer = facts.get("needed-by", "")
        if _is_foreign(lock.get("software", needer), lock.get("os").get("arch", "")):
            continue  # its machine is the reason, and is found by itself
        kind, folder = facts.get("kind", "program"), facts.get("found-in", "")
        if folder and folder in _searched(lock):
            continue
        if key.startswith("/"):
            message = f"{needer} needs this loader: it is built for another C library or system"
            rule = "PROGRAM-LOADER" if kind == "program" else "LIBRARY-MISSING-OPTIONAL"
        elif facts.get("cached") == "false":
            message = f"{needer} needs it; {folder} has it, and the loader's cache does not list it"
            rule = "LIBRARY-NOT-CACHED"
        elif folder:
            message = f"{needer} needs it; {folder} has it, where the loader does not look"
            rule = "LIBRARY-OFF-PATH" if kind not in _BUNDLED else "LIBRARY-MISSING-OPTIONAL"
        else:
            message = f"{needer} needs it, and it is nowhere"
            rule = f"LIBRARY-MISSING{_BUNDLED.get(kind, '')}"
        yield Inconsistency(rule, "missing-library", key, message)


def _searched(lock: Lock) -> frozenset[str]:
    """Return the directories that a variable of the environment adds to the search."""
    value = lock.get("env", "LD_LIBRARY_PATH").get("value", "")
    return frozenset(folder.rstrip("/") for folder in value.split(":"))


def _missing_symbols(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get("missing-symbol", {}).items():
        library, needer = facts.get("library", ""), facts.get("needed-by", "")
        newest = f"; its newest is {facts['newest']}" if facts.get("newest") else ""
        message = f"{needer} needs it, and {library} does not have it{newest}"
        rule = f"SYMBOL-MISSING{_BUNDLED.get(facts.get('kind', ''), '')}"
        yield Inconsistency(rule, "missing-symbol", key, message)


def moved_environment(lock: Lock, software: str, interpreter: str) -> str:
    """Return the Python environment in a directory whose programs lack an interpreter, if any.

    It was moved or copied: that is told of the environment.
    """
    for name, facts in lock.sections.get("python", {}).items():
        place = f"{facts.get('path', '')}/"
        if (
            interpreter
            and facts.get("scripts-need") == interpreter
            and (place.startswith(f"{software}/") or software.startswith(place))
        ):
            return name
    return ""


def _scripts(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get("software", {}).items():
        interpreter = facts.get("missing") or facts.get("lost-interpreter", "")
        if moved_environment(lock, key, interpreter):
            continue
        if facts.get("kind") == "script" and facts.get("missing"):
            message = f"its interpreter {facts['missing']} does not exist"
            yield Inconsistency("INTERPRETER-MISSING", "software", key, message, "missing")
        elif lost := facts.get("lost-interpreter"):
            message = f"scripts in its folder bin start {lost}, which does not exist"
            yield Inconsistency("INTERPRETER-MISSING", "software", key, message, "lost-interpreter")


def _links(lock: Lock) -> Iterator[Inconsistency]:
    for key, facts in lock.sections.get("dangling", {}).items():
        rule = _LINKS.get(facts.get("kind", ""), "DANGLING")
        if rule == "DANGLING-PROGRAM" and facts.get("packaged-by"):
            rule = "DANGLING"
        message = f"it leads to {facts.get('target', 'nothing')}, which does not exist"
        yield Inconsistency(rule, "dangling", key, message)


PROGRAMS: tuple[Family, ...] = (_foreign, _missing_libraries, _missing_symbols, _scripts, _links)
