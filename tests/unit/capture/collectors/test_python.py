"""The python collector on this environment, compared with ``pip inspect``."""

import json
import subprocess
import sys
from pathlib import Path

from envlock.capture.engine import capture
from envlock.capture.registry import collectors
from envlock.capture.request import Request
from envlock.formats.python import normalize_name
from envlock.targets.local.filesystem import LocalTarget


def test_pip_inspect_agrees():
    output = json.loads(
        subprocess.run(
            [sys.executable, "-m", "pip", "inspect", "--local"],
            check=True,
            capture_output=True,
        ).stdout
    )
    target = LocalTarget(Path(sys.prefix), "dir:venv", is_host=False)
    found = capture(target, collectors(), Request(only=frozenset({"python"}))).lock
    packages = {
        key.partition("/")[2]: (
            facts["version"],
            facts.get("installer", ""),
            facts.get("requested", "") == "true",
            facts.get("editable", "") == "true",
        )
        for key, facts in found.sections["python"].items()
        if "/" in key
    }
    assert packages == {
        normalize_name(one["metadata"]["name"]): (
            one["metadata"]["version"],
            one.get("installer", ""),
            one["requested"],
            one.get("direct_url", {}).get("dir_info", {}).get("editable", False),
        )
        for one in output["installed"]
    }
