"""``envlock capture``: look at an environment and write its lock."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from envlock.cli.console import Console
from envlock.cli.operands import environment_name, make_request, open_store, safe_name
from envlock.cli.options import add_json, read_config
from envlock.errors import EnvlockError, ExitStatus, UsageError
from envlock.model.facts import coverage_of
from envlock.targets.kinds import is_group

if TYPE_CHECKING:
    from envlock.capture.result import Capture
    from envlock.config.load import Config
    from envlock.model.lock import Lock

_DESCRIPTION = """\
Capture an environment into a lockfile.

The lock goes to locks/NAME.lock; NAME is the environment of envlock.toml with this target, or is
made from the target. Containers, images and directories are captured in full and can be
materialized; a machine (host, ssh, pid) is captured down to its configuration unless --deep is
given. With --record, what the collectors were told is kept as well, redacted, for a bug report or
a fixture: capturing recorded:FILE gives the same lock. compose:PROJECT and kube:FILE are several
environments: a lock for each service, and NAME.json that lists them.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "target", nargs="?", default="host", metavar="TARGET", help="what to capture (host)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write here; - is standard output")
    parser.add_argument("--name", help="name of the environment: locks/NAME.lock")
    parser.add_argument(
        "--deep",
        action="store_true",
        help="read every file of a machine, so that it can be rebuilt",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="SECTION",
        help="capture only this section; may be given again",
    )
    parser.add_argument(
        "--skip", action="append", default=[], metavar="SECTION", help="leave this section out"
    )
    parser.add_argument(
        "--record",
        metavar="FILE",
        help="write what the collectors are told to this tar, or .tar.zst",
    )
    add_json(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Capture, write the lock, say what was found."""
    from envlock.cli.capture_group import capture_group
    from envlock.lockfile.writer import render_lock, write_lock
    from envlock.workflow import capture_target

    config = read_config(arguments, console)
    if is_group(arguments.target):
        return capture_group(arguments, config, console)
    request = make_request(arguments, config)
    path = _place(arguments, config)
    with (
        _recording(arguments.record) as recording,
        open_store(config) as store,
        console.progress("capturing") as steps,
    ):
        captured = capture_target(
            arguments.target,
            request,
            store,
            steps,
            keep=True,
            recording=recording,
            own=[path] if path else [],
        )
    _report(captured, console)
    if path is None:
        console.out(render_lock(captured.lock).decode())
        return ExitStatus.OK
    _check_loss(arguments, path, captured.lock)
    changed = write_lock(path, captured.lock)
    if arguments.json:
        console.out(json.dumps(_summary(captured, path), indent=2, sort_keys=True))
        return ExitStatus.OK
    from envlock.report.lock import render_lock_summary

    console.out(render_lock_summary(captured.lock, color=console.color))
    console.note(f"{'wrote' if changed else 'unchanged:'} {path}")
    return ExitStatus.OK


def _place(arguments: argparse.Namespace, config: Config) -> Path | None:
    """Return where the lock goes, None for standard output."""
    if arguments.output == "-":
        if arguments.json:
            raise UsageError("the lock itself goes to standard output", where="--json")
        return None
    if arguments.name is not None and arguments.name != safe_name(arguments.name):
        raise UsageError(
            f"not the name of an environment: {arguments.name!r}",
            hint="letters, digits, dots, dashes and underscores; another place is -o PATH",
        )
    name = arguments.name or environment_name(arguments.target, config)
    return Path(arguments.output or Path(config.locks.dir) / f"{name}.lock")


def _check_loss(arguments: argparse.Namespace, path: Path, lock: Lock) -> None:
    """Raise UsageError when a lock of some sections would replace one that has others too."""
    from envlock.lockfile.reader import parse_lock

    if arguments.output or arguments.name or not (arguments.only or arguments.skip):
        return
    try:
        before = parse_lock(path.read_bytes(), where=str(path))
    except (OSError, EnvlockError):
        return
    skipped = {name for name, facts in lock.coverage.items() if facts["status"] == "skipped"}
    lost = [name for name in before.sections if coverage_of(name) in skipped]
    if lost:
        raise UsageError(
            f"the lock there has sections that were left out now: {', '.join(lost)}",
            where=str(path),
            hint="name another with --name or -o, or capture everything",
        )


@contextmanager
def _recording(name: str | None) -> Iterator[BinaryIO | None]:
    """Open the file of a recording; it is there only when it is complete."""
    if name is None:
        yield None
        return
    draft = Path(f"{name}.part")
    try:
        with draft.open("wb") as stream:
            if name.endswith(".zst"):
                import zstandard

                with zstandard.ZstdCompressor().stream_writer(stream, closefd=False) as packed:
                    yield packed
            else:
                yield stream
        draft.rename(name)
    except OSError as error:
        raise UsageError(
            f"the recording cannot be written: {error.strerror}", where=name
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _report(captured: Capture, console: Console) -> None:
    """Say what is missing or was left out; nothing when all is well."""
    for path, rule in sorted(captured.left_out.items())[:_FEW]:
        console.warn(f"left out as secret: {path} ({rule})")
    if len(captured.left_out) > _FEW:
        console.warn(f"left out as secret: {len(captured.left_out) - _FEW} more files")
    for name, coverage in sorted(captured.coverage.items()):
        if coverage.gaps:
            first = min(coverage.gaps)
            more = f" and {len(coverage.gaps) - 1} more" if len(coverage.gaps) > 1 else ""
            console.warn(f"{name}: {coverage.status}: {first.where}: {first.reason}{more}")
        for gap in sorted(coverage.gaps):
            console.detail(f"  {name}: {gap.where}: {gap.reason}")
    for name, seconds in captured.seconds.items():
        console.detail(f"  {name}: {seconds:.3f} s")


_FEW = 5


def _summary(captured: Capture, path: Path) -> dict[str, object]:
    from envlock.model.digest import digests

    found = digests(captured.lock)
    return {
        "schema_version": 1,
        "lock": str(path),
        "environment_digest": found.environment,
        "host_digest": found.host,
        "entries": {name: len(entries) for name, entries in captured.lock.sections.items()},
        "coverage": {name: dict(facts) for name, facts in captured.lock.coverage.items()},
        "left_out": dict(sorted(captured.left_out.items())),
        "files": captured.files,
        "bytes": captured.size,
        "seconds": {name: round(seconds, 3) for name, seconds in captured.seconds.items()},
    }
