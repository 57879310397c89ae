"""The far end of a worker: a script that carries out orders until there are no more.

It and the files of the work import little of the standard library: each process is up in half the
time.  An order and its answer are values that `marshal` can write, behind their length in 8 bytes.
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
    """Read a value from a pipe.  Raise EOFError when there is none any more."""
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


def _serve(script: str, patience: int) -> None:
    """Answer orders by the function `answer` of a file."""
    from importlib.machinery import SourceFileLoader

    os.nice(patience)
    code = SourceFileLoader("work", script).get_code("work")  # compiled before, if it was
    work: dict[str, Any] = {"__name__": "work", "__file__": script}
    if code is not None:
        exec(code, work)  # noqa: S102  a file of this package
    while True:
        try:
            order = receive(sys.stdin.fileno())
            send(sys.stdout.fileno(), work["answer"](order))
        except (EOFError, BrokenPipeError):  # nobody is there any more
            return


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
