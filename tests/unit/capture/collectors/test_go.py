"""The go collector on Go programs of this machine, compared with ``go version -m``."""

import re
import shutil
import subprocess
from pathlib import Path

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.model.depth import Depth
from envlock.targets.local.filesystem import LocalTarget
from tests.conftest import unavailable

PROGRAMS = ("dockerd", "docker", "umoci", "skopeo")


def go_version(path: Path) -> str | None:
    """Return the output of ``go version -m``, or None without Go."""
    if shutil.which("go") is None:
        return None
    command = ["go", "version", "-m", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_programs_of_this_machine(tmp_path):
    """The version agrees with ``PROGRAM --version``, all facts with Go where it is installed."""
    here = [Path(found) for name in PROGRAMS if (found := shutil.which(name))]
    if not here:
        unavailable("tools", "no program written in Go is here")
    (tmp_path / "root/usr/local/bin").mkdir(parents=True)
    for path in here:
        shutil.copy(path, tmp_path / "root/usr/local/bin")
    target = LocalTarget(tmp_path / "root", "dir:root", is_host=False)
    request = Request(only=frozenset({"go"}), depth=Depth.RECORDS)
    found = capture(target, collectors(), request).lock.sections["go"]
    assert {path.name for path in here} <= found.keys()
    for path in here:
        facts = found[path.name]
        output = go_version(path)
        if output is not None:
            assert facts["toolchain"] == output.partition(": ")[2].partition("\n")[0]
            assert facts["package"] == re.findall(r"\tpath\t(.*)", output)[0]
        if "version" in facts:
            shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
            assert facts["version"] in shown.stdout
