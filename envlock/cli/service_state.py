"""What the verbs say about data of services: kept whole, or left out as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.errors import UsageError
from envlock.materialize.tree.lost_files import LostFile, cure_of_data
from envlock.model.lock import Lock
from envlock.model.state import StateMap, lost_state, state_of

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_THOUSAND = 1000
_FEW = 10


def require_state(wanted: Sequence[str], lock: Lock) -> None:
    """Raise UsageError when there is no data at or below a path of ``--with-state``."""
    found = state_of(lock)
    for path in (given.rstrip("/") for given in wanted):
        if not any(f"{data.path}/".startswith(f"{path}/") and data.is_kept for data in found):
            inside = StateMap(found).at(path)
            raise UsageError(
                f"no data of a service was found there: {path}",
                where="--with-state",
                hint=f"give its whole folder: --with-state {inside.path}"
                if inside
                else f"there is some in {', '.join(data.path for data in found) or 'no folder'}",
            )


def say_what_state_is_kept(lock: Lock, console: Console) -> None:
    """Say of each data of a service that it is kept, or left out as a whole."""
    for data in state_of(lock):
        engine = f"{data.engine} {data.version}".strip()
        console.say(
            Message.STATE_KEPT if data.is_kept else Message.STATE_LEFT_OUT,
            path=data.path,
            engine=engine,
            size=shown_size(data.size),
        )


def say_what_state_is_missing(lock: Lock, console: Console) -> None:
    """Say which data an image lacks, and what its server needs to start."""
    for data in lost_state(lock):
        cure = cure_of_data(data.engine)
        console.say(Message.IMAGE_LEAVES_OUT_STATE, path=data.path, engine=data.engine, cure=cure)


def say_what_will_not_start(lost: Sequence[LostFile], console: Console) -> None:
    """Say which files of an image name what it does not have, and what makes that anew."""
    for each in lost[:_FEW]:
        console.say(Message.IMAGE_LACKS, path=each.path, lost=each.names, cure=each.cure)
    if len(lost) > _FEW:
        console.say(Message.IMAGE_LACKS_MORE, count=len(lost) - _FEW)
    for each in lost[_FEW:]:
        console.detail(f"  {each.path} names {each.names}: {each.cure}")


def state_document(lock: Lock) -> dict[str, object]:
    """Return the data of services for ``--json``: path -> engine, version, size and if kept."""
    return {
        data.path: {
            "engine": data.engine,
            "version": data.version,
            "bytes": data.size,
            "kept": data.is_kept,
        }
        for data in state_of(lock)
    }


def shown_size(size: float, units: Iterable[str] = _UNITS) -> str:
    """Return a number of bytes in the largest unit that leaves at least one.

    >>> shown_size(41_300_000)
    '41.3 MB'
    """
    for unit in units:
        if size < _THOUSAND or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == _UNITS[0] else f"{size:.1f} {unit}"
        size /= _THOUSAND
    raise ValueError(size)
