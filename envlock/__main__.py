"""Entry point, which guarantees that status 1 means drift and nothing else.

Python itself ends with 1 on an uncaught exception, a failed import, a closed pipe and a full disk
behind standard output; here each of them gets another status.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

from envlock.cli.interrupts import Interrupts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from sys import UnraisableHookArgs

    from envlock.cli.command import Command


def main(commands: Sequence[Command] | None = None) -> int:
    """Run the command line and return the exit status; `commands` replace the verbs of envlock."""
    interrupts = Interrupts()
    interrupts.install()
    _open_standard_streams()
    try:
        status = _run(interrupts, commands)
        status = _flush(status)
    except KeyboardInterrupt:
        status = interrupts.status
    interrupts.finish()
    if interrupts.status:
        # Threads may still wait for what nobody needs any more; Python would wait for them.
        os._exit(interrupts.status)
    return status


def _run(interrupts: Interrupts, commands: Sequence[Command] | None) -> int:
    def on_unraisable(lost: UnraisableHookArgs) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            interrupts.raise_again()
        else:
            sys.__unraisablehook__(lost)

    sys.unraisablehook = on_unraisable
    # A capture holds hundreds of thousands of small values to the end of the run.  Searching them
    # for cycles as often as Python does by default takes a tenth of the time.
    gc.set_threshold(3_000_000, 20, 100)
    try:
        from envlock.cli.main import COMMANDS, run
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  a broken installation must not read as drift
        _complain(f"the installation is broken: {error!r}")
        return 70
    return run(sys.argv[1:], COMMANDS if commands is None else commands)


def _open_standard_streams() -> None:
    """Open the null device where a standard stream is closed: no file may get its number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _flush(status: int) -> int:
    """Flush standard output; return the status, another one if that fails."""
    if sys.stdout is None:
        return status
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # nobody reads; the status is that of the command
    except OSError as error:
        _complain(f"cannot write to standard output: {error.strerror}")
        status = 4
    # Python would flush again at exit, fail again and end with status 120.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return status


def _complain(message: str) -> None:
    with suppress(OSError, ValueError, AttributeError):  # it is closed
        sys.stderr.write(f"envlock: error: {message}\n")


if __name__ == "__main__":
    sys.exit(main())
