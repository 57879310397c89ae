"""The lockfiles behind two operands, with the paths that a code host shows for them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli import git_revision
from envlock.cli.operands import is_live, lock_path, read_lock_bytes
from envlock.lockfile.lines import Lines
from envlock.registry.reference import PREFIX as REGISTRY
from envlock.report.source_location import LockText, LockTexts

if TYPE_CHECKING:
    from envlock.config.load import Config


def read_lock_texts(operands: Sequence[str], config: Config) -> LockTexts:
    """Read the lockfiles of two operands, None for a live target."""
    left, right = (_lock_text(operand, config) for operand in operands)
    return LockTexts(left, right)


def _lock_text(operand: str, config: Config) -> LockText | None:
    if operand.startswith(REGISTRY) or is_live(operand):
        return None
    lines = Lines.of(read_lock_bytes(operand, config))
    if operand.startswith(git_revision.PREFIX):
        _, path = git_revision.split_revision(operand)
        return LockText(_path_in_project(path), lines, is_current=False)
    return LockText(_path_in_project(str(lock_path(operand, config))), lines)


def _path_in_project(path: str) -> str:
    """Return a path relative to the root of the git checkout, else to the working directory."""
    here = Path.cwd()
    root = next((above for above in (here, *here.parents) if (above / ".git").exists()), here)
    full = Path(os.path.normpath(here / path))
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else full.name
