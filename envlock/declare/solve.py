"""Which packages must move with one: apt is asked without installing anything.

apt answers for an empty system in directories of its own, so nothing of this machine takes part but
its keys.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from envlock.config.declare_table import Declaration
from envlock.declare.pins import Pins
from envlock.declare.scripts import names_of_packages
from envlock.declare.tools_of_machine import Tools
from envlock.declare.trouble import error_of
from envlock.declare.upgrade import MOST_ROUNDS, let_go


def pins_that_hold(
    declaration: Declaration, pins: Pins, lines: Sequence[str], tools: Tools, folder: Path
) -> Pins:
    """Return `pins` without those that packages without a pin cannot be installed with.

    `lines` are the sources, `folder` is an empty directory to work in.  Raise as
    `envlock.declare.trouble.error_of` says when apt cannot find an answer.  Raise OSError.
    """
    for name in (
        "etc/preferences.d",
        "etc/conf.d",
        "state/lists/partial",
        "cache/archives/partial",
    ):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "etc/sources.list").write_text("".join(f"{line}\n" for line in lines))
    settings = (
        f"Dir::Etc {folder}/etc", "Dir::Etc::SourceParts -", "Dir::Etc::Parts conf.d",
        f"Dir::State {folder}/state", f"Dir::State::status {folder}/status",
        f"Dir::Cache {folder}/cache", "Dir::Etc::Trusted /etc/apt/trusted.gpg",
        "Dir::Etc::TrustedParts /etc/apt/trusted.gpg.d", "Debug::NoLocking true",
        f"APT::Architecture {tools.architecture}", "APT::Sandbox::User root",
        f"APT::Install-Recommends {str(declaration.recommends).lower()}",
        *(option.replace('"', "") for option in tools.apt_options),
    )  # fmt: skip
    options = [word for each in settings for word in ("-o", each.replace(" ", "=", 1))]
    _require(_apt([*options, "update", "--error-on=any"], folder), declaration)
    wanted = ["?essential", "?priority(required)", "apt", *names_of_packages(declaration)]
    for _ in range(MOST_ROUNDS):
        (folder / "etc/preferences").write_text(pins.preferences)
        done = _apt([*options, "-s", "-y", "--allow-downgrades", "install", *wanted], folder)
        fewer = let_go(pins, f"{done.stdout}{done.stderr}") if done.returncode else None
        if fewer is None:
            _require(done, declaration)
            break
        pins = fewer
    return pins


def _apt(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "APT_CONFIG": "/dev/null"}
    argv = ["apt-get", *words]
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, cwd=folder, env=environ
    )


def _require(done: subprocess.CompletedProcess[str], declaration: Declaration) -> None:
    if done.returncode:
        raise error_of(f"{done.stdout}{done.stderr}", declaration)
