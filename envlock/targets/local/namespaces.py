"""Open files below /proc/sys as a process sees them whose namespaces are not ours.

What /proc/sys shows of the network depends on the network namespace of whoever opens the file, and
what it shows of shared memory on the IPC namespace.  So a thread of its own enters the namespace,
opens the file, and ends; nothing is run.  Sources: network_namespaces(7), ipc_namespaces(7),
setns(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")

_BY_PREFIX = (
    ("/proc/sys/net/", "net"),
    ("/proc/sys/fs/mqueue/", "ipc"),
    ("/proc/sys/kernel/msg", "ipc"),
    ("/proc/sys/kernel/sem", "ipc"),
    ("/proc/sys/kernel/shm", "ipc"),
    ("/proc/sys/kernel/auto_msgmni", "ipc"),
    ("/proc/sys/user/", "user"),
)
_ENTERABLE = frozenset({"net", "ipc"})
"""Kinds that one thread alone may enter; a user namespace is for a whole process (setns(2))."""


def kind_for(path: str) -> str:
    """Return the kind of namespace that a path below /proc/sys belongs to, empty for none."""
    return next((kind for prefix, kind in _BY_PREFIX if path.startswith(prefix)), "")


def call_in(process: str, kind: str, call: Callable[[], _T]) -> _T:
    """Return what `call` returns in a namespace of a process, named by its folder in /proc.

    Raise PermissionError where it may not be entered.
    """
    if kind not in _ENTERABLE:
        raise PermissionError(errno.EPERM, "in another namespace")

    def entered() -> _T:
        descriptor = os.open(f"{process}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(descriptor)
        finally:
            os.close(descriptor)
        return call()

    with ThreadPoolExecutor(1) as own_thread:
        return own_thread.submit(entered).result()


def _enter(descriptor: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(descriptor, 0) != 0:
        number = ctypes.get_errno()
        raise PermissionError(number, os.strerror(number))
