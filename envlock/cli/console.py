"""Output of the command line: data on standard output, everything else on standard error."""

from __future__ import annotations

import io
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from envlock.errors import UnreachableError
from envlock.model.text import make_visible

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from envlock.cli.messages import Message

_SHOW_AFTER_SECONDS = 0.7


_LONGEST_MESSAGE = 600


class Console:
    """Writes to both streams, as ``--quiet``, ``--verbose`` and the color setting ask for.

    `when` is the setting ``color``: ``auto``, ``always`` or ``never``.
    """

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.when = "auto"

    def out(self, text: str) -> None:
        """Write data to standard output, ended by a newline.

        Raise UnreachableError when it cannot be written.  When nobody reads it any more, the rest
        is dropped: what the command found, and so its status, does not depend on that.
        """
        if sys.stdout is None:
            raise UnreachableError("cannot write to standard output: it is closed")
        try:
            sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        except OSError as error:
            raise UnreachableError(f"cannot write to standard output: {error.strerror}") from error

    def summary(self, text: str) -> None:
        """Write to standard output what was done, which nobody asked for with ``--quiet``."""
        if not self.quiet:
            self.out(text)

    def error(self, message: str) -> None:
        """Print what went wrong."""
        _tell(f"envlock: error: {_without_middle(printable(message))}\n")

    def error_item(self, message: str) -> None:
        """Print one of several causes of the error before."""
        _tell(f"  - {printable(message)}\n")

    def hint(self, message: str) -> None:
        """Print what to do next."""
        _tell(f"hint: {printable(message)}\n")

    def note(self, text: str) -> None:
        """Print text that is no data and no message of its own: a question, a list before it."""
        _tell(f"{printable(text)}\n")

    def say(self, message: Message, **values: object) -> None:
        """Print a warning or note; `values` fill in its placeholders."""
        text = printable(message.with_values(**values))
        if message.is_warning:
            _tell(f"envlock: warning: {text}\n")
        elif not self.quiet:
            _tell(f"{text}\n")

    def detail(self, text: str) -> None:
        """Print a line of data only with ``--verbose``."""
        if self.verbose:
            _tell(f"{printable(text)}\n")

    @property
    def color(self) -> bool:
        """True when standard output should be coloured (https://no-color.org)."""
        if self.when != "auto":
            return self.when == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return _is_terminal(sys.stdout) and os.environ.get("TERM") != "dumb"

    @property
    def width(self) -> int:
        """Columns of the terminal, 100 if standard output is not one."""
        if not _is_terminal(sys.stdout):
            return 100
        return shutil.get_terminal_size((100, 24)).columns

    @property
    def unicode(self) -> bool:
        """True when standard output can show characters beyond ASCII."""
        return (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"

    def use_utf8(self) -> None:
        """Write what follows as UTF-8, for formats that require it whatever the locale is."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")

    @contextmanager
    def progress(self, title: str) -> Iterator[Steps]:
        """Show the progress of long work, on a terminal only."""
        steps = Steps(title, enabled=not self.quiet and _is_terminal(sys.stderr))
        try:
            yield steps
        finally:
            steps.close()


class Steps:
    """A progress line that appears when the work takes longer than a moment."""

    def __init__(self, title: str, *, enabled: bool) -> None:
        self._title = title
        self._enabled = enabled
        self._started = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._files = 0
        self._bytes = 0

    def __call__(self, step: str, files: int, size: int) -> None:
        """Show the name of a step, and add to the counts of files and bytes."""
        if not self._enabled:
            return
        self._files += files
        self._bytes += size
        if self._bar is None and time.monotonic() - self._started < _SHOW_AFTER_SECONDS:
            return
        text = f"{self._title}: {step}"
        if self._files:
            text += f", {self._files:,} files, {self._bytes / 1e6:,.0f} MB"
        self._show(text)

    def close(self) -> None:
        """Remove the line."""
        if self._bar is not None:
            self._bar.stop()

    def _show(self, text: str) -> None:
        if self._bar is None:
            from rich.console import Console as RichConsole
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                TimeElapsedColumn(),
                console=RichConsole(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(text, total=None)
            self._bar.start()
        elif self._task is not None:
            self._bar.update(self._task, description=text)


def _tell(text: str) -> None:
    """Write to standard error, if anybody can be told."""
    with suppress(OSError, ValueError, AttributeError):  # it is full or closed
        sys.stderr.write(text)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _without_middle(text: str) -> str:
    """Return a message that can be read, even if a long word of an input is in it."""
    if len(text) <= _LONGEST_MESSAGE:
        return text
    half = _LONGEST_MESSAGE // 2
    return f"{text[:half]} … {text[-half:]}"


def printable(text: str) -> str:
    """Return `text` with control characters and undecodable bytes escaped, newlines kept."""
    return make_visible(text, keep="\n")
