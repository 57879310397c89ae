"""Two root directories that are the same until a test changes one, and what is said of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.conftest import Cli


class Root:
    """One root directory, with an operating system and a shell."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.put("etc/os-release", "ID=debian\nVERSION_ID=12\n")
        self.put("usr/bin/sh", "x", 0o755)
        (path / "bin").symlink_to("usr/bin")
        self.put("etc/passwd", "root:x:0:0::/root:/bin/sh\n")

    def put(self, name: str, text: str, mode: int = 0o644) -> Path:
        """Write a file; its folders are made."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path


class Pair:
    """Two roots that are the same until a test changes the right one."""

    def __init__(self, folder: Path, envlock: Cli) -> None:
        self.good = Root(folder / "good")
        self._folder, self._envlock = folder, envlock

    @property
    def bad(self) -> Root:
        """The right side; it is copied from the left one when it is asked for first."""
        path = self._folder / "bad"
        if not path.exists():
            shutil.copytree(self.good.path, path, symlinks=True)
        root = object.__new__(Root)
        root.path = path
        return root

    def changes(self) -> list[dict[str, Any]]:
        """Return what differs, without the settings inside of files."""
        targets = (f"dir:{self.good.path}", f"dir:{self.bad.path}")
        found = self._envlock("diff", *targets, "--json", status=None).json["changes"]
        return [change for change in found if change["rule"] != "FILE-SETTING"]

    def records(self) -> dict[tuple[str, str], str]:
        """Return the severity of each record that differs."""
        return {(one["section"], one["key"]): one["severity"] for one in self.changes()}

    def verdicts(self, side: str = "bad") -> list[tuple[str, str, str]]:
        """Return rule, severity and key of what `check` says of one side."""
        target = f"dir:{getattr(self, side).path}"
        found = self._envlock("check", target, "--json", status=None).json["verdicts"]
        return [(one["rule"], one["severity"], one["key"]) for one in found[target]]
