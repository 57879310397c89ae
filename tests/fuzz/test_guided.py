"""The same with inputs that coverage guides, by the command that does a million of each."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import unavailable
from tests.fuzz.parsers import parsers

ROOT = Path(__file__).resolve().parents[2]
EXECUTIONS = 100_000


def test_every_parser_withstands_guided_inputs(tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        unavailable("fuzz", "atheris is not installed")
    done = subprocess.run(
        [
            *(sys.executable, ROOT / "scripts/fuzz", f"--runs={EXECUTIONS}", "--corpus=corpus"),
            "--jobs=1",  # other tests run beside it
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, [line for line in done.stdout.splitlines() if "FAILED" in line]
    ran = dict(re.findall(r"^(\S+): ([0-9,]+) executions, ", done.stdout, re.MULTILINE))
    print(done.stdout)  # how long each took: `pytest -rP` shows it
    assert ran == dict.fromkeys(parsers(), f"{EXECUTIONS:,}")
