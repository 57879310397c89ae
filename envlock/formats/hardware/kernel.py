"""Kernel modules in /proc/modules and modules.dep, and settings of the kernel below /sys.

Sources: proc(5), Documentation/ABI/stable/sysfs-module, modules.dep(5), and
Documentation/admin-guide/mm/transhuge.rst.
"""

from __future__ import annotations

import posixpath
import re

_KO = re.compile(r"\.ko(?:\.(?:gz|xz|zst))?\Z")
_CHOICE = re.compile(r"\[([\w-]+)\]")


def parse_modules(text: str) -> list[str]:
    """Return the names of the loaded modules of /proc/modules, sorted."""
    return sorted({line.split(" ", 1)[0] for line in text.split("\n") if line.strip()})


def parse_modules_dep(text: str) -> dict[str, str]:
    """Return module name -> path below /lib/modules/RELEASE, from its modules.dep.

    >>> parse_modules_dep("kernel/sound/snd-hda-intel.ko.xz: kernel/sound/snd.ko.xz")
    {'snd_hda_intel': 'kernel/sound/snd-hda-intel.ko.xz'}
    """
    files = {}
    for line in text.split("\n"):
        path = line.partition(":")[0].strip()
        name = module_name(path)
        if name and ".." not in path.split("/"):
            files[name] = path
    return files


def module_name(path: str) -> str:
    """Return the kernel's name of the module in a file, empty for any other file."""
    name = posixpath.basename(path)
    match = _KO.search(name)
    return name[: match.start()].replace("-", "_") if match else ""


def parse_choice(text: str) -> str:
    """Return the active choice in a list of them: ``always [madvise] never``."""
    match = _CHOICE.search(text)
    return match[1] if match else ""
