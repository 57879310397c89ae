"""The program of a worker process: replies to requests on a pipe until the input ends.

It and the scripts that it runs import little of the standard library, which halves the time to
start a process.  Requests and replies are values that `marshal` can write, each after its length
(8 bytes, little-endian).
"""

from __future__ import annotations

import marshal
import os
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LENGTH = struct.Struct("<Q")


def send(pipe: int, value: Any) -> None:
    """Write a value to a pipe."""
    raw = marshal.dumps(value)
    todo = memoryview(_LENGTH.pack(len(raw)) + raw)
    while todo:
        todo = todo[os.write(pipe, todo) :]


def receive(pipe: int) -> Any:
    """Read a value from a pipe.  Raise EOFError at the end of the input."""
    (length,) = _LENGTH.unpack(_read(pipe, _LENGTH.size))
    return marshal.loads(_read(pipe, length))  # noqa: S302  from our own child or parent


def _read(pipe: int, size: int) -> bytearray:
    buffer = bytearray(size)
    todo = memoryview(buffer)
    while todo:
        count = os.readv(pipe, (todo,))
        if not count:
            raise EOFError
        todo = todo[count:]
    return buffer


def _serve(script: str, niceness: int) -> None:
    """Reply to each request with the result of the function `handle` of a script."""
    from importlib.machinery import SourceFileLoader

    os.nice(niceness)
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path.append(os.path.dirname(package))  # for the few modules of envlock that scripts import
    code = SourceFileLoader("work", script).get_code("work")  # from the cache of compiled modules
    work: dict[str, Any] = {"__name__": "work", "__file__": script}
    if code is not None:
        exec(code, work)  # noqa: S102  a file of this package
    while True:
        try:
            request = receive(sys.stdin.fileno())
            send(sys.stdout.fileno(), work["handle"](request))
        except (EOFError, BrokenPipeError):  # the parent is gone
            return


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
