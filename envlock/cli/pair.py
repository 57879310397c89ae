"""The formats in which a comparison of two can be written, and what each of them needs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from envlock.cli.reporting import Canvas, Renderer
from envlock.targets.kinds import is_target

if TYPE_CHECKING:
    from envlock.config.load import Config
    from envlock.diff.drift import DriftReport, Severity
    from envlock.report.source_location import LockText, Places


class Pair:
    """A comparison of two: the verdict, what was compared, and how much of it to show.

    `operands` are the two as the user named them; `full` shows every line; `fail_on` is the
    threshold of the status, None for never.
    """

    def __init__(
        self,
        report: DriftReport,
        operands: Sequence[str],
        config: Config,
        *,
        full: bool,
        fail_on: Severity | None,
    ) -> None:
        self._report = report
        self._operands = operands
        self._config = config
        self._full = full
        self._fail_on = fail_on

    def renderers(self) -> Mapping[str, Renderer]:
        """Return what writes each format; nothing is imported or read before it is asked for."""
        return {
            "text": self._text,
            "json": self._json,
            "markdown": self._markdown,
            "html": self._html,
            "sarif": self._sarif,
            "junit": self._junit,
            "github": self._github,
            "gitlab": self._gitlab,
        }

    @cached_property
    def _places(self) -> Places:
        from envlock.report.source_location import Places

        return Places(*(_lock_text(operand, self._config) for operand in self._operands))

    def _text(self, canvas: Canvas) -> str:
        from envlock.report.text import render_text

        return render_text(
            self._report,
            width=canvas.width,
            color=canvas.color,
            ascii=canvas.ascii,
            full=self._full,
        )

    def _json(self, _canvas: Canvas) -> str:
        from envlock.report.json import render_json

        return render_json(self._report)

    def _markdown(self, _canvas: Canvas) -> str:
        from envlock.report.markdown import COMMENT_LIMIT, SUMMARY_LIMIT, render_markdown

        limit = SUMMARY_LIMIT if self._full else COMMENT_LIMIT
        return render_markdown(self._report, limit=limit)

    def _html(self, _canvas: Canvas) -> str:
        from envlock.report.html import render_html

        return render_html(self._report)

    def _sarif(self, _canvas: Canvas) -> str:
        from envlock.report.sarif import render_sarif

        return render_sarif(self._report, self._places)

    def _junit(self, _canvas: Canvas) -> str:
        from envlock.report.junit import render_junit

        return render_junit(self._report, self._places, fail_on=self._fail_on)

    def _gitlab(self, _canvas: Canvas) -> str:
        from envlock.report.gitlab import render_gitlab

        return render_gitlab(self._report, self._places)

    def _github(self, _canvas: Canvas) -> str:
        from envlock.report.github import render_github

        return render_github(self._report, self._places)


def _lock_text(operand: str, config: Config) -> LockText | None:
    from envlock.cli.operands import lock_path, read_lock_bytes
    from envlock.lockfile.lines import Lines
    from envlock.report.source_location import LockText

    if is_target(operand):
        return None
    lines = Lines.of(read_lock_bytes(operand, config))
    if operand.startswith("git:"):
        return LockText(_in_project(operand.split(":", 2)[2]), lines, is_current=False)
    return LockText(_in_project(str(lock_path(operand, config))), lines)


def _in_project(path: str) -> str:
    """Return a path from the root of the project, as the sites that hold it name its files."""
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    place = Path(os.path.normpath(here / path))
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else place.name
