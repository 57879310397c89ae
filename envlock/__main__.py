"""Entry point, which guarantees that status 1 means drift and nothing else.

Python itself ends with 1 on an uncaught exception, a failed import, a closed pipe and a full disk
behind standard output; here each of them gets another status.
"""

from __future__ import annotations

import gc
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from sys import UnraisableHookArgs

    from envlock.cli.command import Command


def main(commands: Sequence[Command] | None = None) -> int:
    """Run the command line and return the exit status; `commands` replace the verbs of envlock."""
    sys.unraisablehook = _unraisable
    # A capture holds hundreds of thousands of small values to the end of the run.  Searching them
    # for cycles as often as Python does by default takes a tenth of the time.
    gc.set_threshold(3_000_000, 20, 100)
    try:
        from envlock.cli.main import COMMANDS, run
    except KeyboardInterrupt:
        return 130
    except BaseException as error:  # noqa: BLE001  a broken installation must not read as drift
        sys.stderr.write(f"envlock: error: the installation is broken: {error!r}\n")
        return 70
    status = run(sys.argv[1:], COMMANDS if commands is None else commands)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        pass
    except OSError as error:
        sys.stderr.write(f"envlock: error: cannot write to standard output: {error.strerror}\n")
        status = 4
    if sys.stdout is not None:
        # Python would flush again at exit, fail again and end with status 120.
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
    return status


def _unraisable(lost: UnraisableHookArgs) -> None:
    """Raise an interrupt again that Python dropped because it occurred in a destructor."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.01)
    else:
        sys.__unraisablehook__(lost)


if __name__ == "__main__":
    sys.exit(main())
