"""Run programs of a machine as an administrator who is not asked anything.

Sources: chroot(1), invoke-rc.d(8), policy-rc.d of Debian Policy 9.3, needrestart(1).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NamedTuple

from envlock.apply.gap import Command

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT = {
    "PATH": _PATH,
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "DEBCONF_NONINTERACTIVE_SEEN": "true",
    "NEEDRESTART_MODE": "l",
    "NEEDRESTART_SUSPEND": "1",
    "APT_LISTCHANGES_FRONTEND": "none",
    "APT_LISTBUGS_FRONTEND": "none",
    "UCF_FORCE_CONFFOLD": "1",
}
_TOLD = 2000
"""How many characters of what a failed command printed are told."""


class CommandFailed(Exception):
    """A command of a step ended with another status than 0, or is not there."""


class Machine(NamedTuple):
    """A machine whose root directory is `root` on this one; ``/`` is this machine itself."""

    root: str

    @property
    def is_own(self) -> bool:
        """True for the machine that envlock runs on."""
        return self.root == "/"

    @property
    def has_systemd(self) -> bool:
        """True when systemd runs as the first process of this machine (sd_booted(3))."""
        return self.is_own and os.path.isdir("/run/systemd/system")

    def has(self, program: str) -> bool:
        """True when a program is on the search path of an administrator."""
        if self.is_own:
            return shutil.which(program, path=_PATH) is not None
        folders = (self.root + folder for folder in _PATH.split(":"))
        return any(os.path.lexists(f"{folder}/{program}") for folder in folders)

    def run(self, command: Command) -> str:
        """Run a command and return what it printed.  Raise CommandFailed."""
        words = command if self.is_own else ("chroot", self.root, *command)
        try:
            child = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,  # Ctrl-C must not reach dpkg
            )
        except OSError as error:
            raise CommandFailed(f"{command[0]}: {error.strerror}") from error
        with child:
            try:
                raw, _ = child.communicate()
            except BaseException:
                child.communicate()  # what has begun is not cut off
                raise
        text = raw.decode("utf-8", "replace")
        if child.returncode:
            told = text.strip()[-_TOLD:]
            raise CommandFailed(f"`{' '.join(command[:6])}` ended with {child.returncode}: {told}")
        return text
