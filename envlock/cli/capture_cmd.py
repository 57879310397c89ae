"""``envlock capture``: capture an environment and write its lock."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from envlock.cli.capture_group import capture_group
from envlock.cli.carrying import keep_beside, require_remote, send_captured, vendor_captured
from envlock.cli.configuration import read_config
from envlock.cli.console import Console
from envlock.cli.messages import Message
from envlock.cli.operands import environment_name, make_request, open_store, safe_name
from envlock.cli.published import published_packages
from envlock.cli.service_state import require_state, say_what_state_is_kept, state_document
from envlock.errors import EnvlockError, ExitStatus, UsageError
from envlock.lockfile.reader import read_lock
from envlock.lockfile.writer import render_lock, write_lock
from envlock.model.digest import digests
from envlock.model.facts import coverage_of
from envlock.model.tree import FileClass
from envlock.report.lock import render_lock_summary
from envlock.store.carried import objects_beside
from envlock.targets.kinds import is_group
from envlock.workflow import capture_target
from envlock.writing import is_standard_output, output

if TYPE_CHECKING:
    from envlock.capture.result import Capture
    from envlock.config.load import Config
    from envlock.model.lock import Lock

_FEW = 5


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Capture, write the lock, and print a summary."""
    config = read_config(arguments, console)
    if is_group(arguments.target):
        return capture_group(arguments, config, console)
    request = make_request(arguments, config)
    path = _lock_path(arguments, config)
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
            anew=arguments.full or arguments.fetch,
            recording=recording,
            own=_own(path, config),
            published=published_packages(config, store, console, fetch=arguments.fetch),
        )
    require_state(arguments.with_state, captured.lock)
    say_what_state_is_kept(captured.lock, console)
    _warn_about_gaps(captured, console)
    _warn_about_packages_by_value(captured, console)
    if path is None:
        console.out(render_lock(captured.lock).decode())
        return ExitStatus.OK
    _refuse_to_lose_sections(arguments, path, captured.lock)
    keep_beside(path, captured.lock, config, console)
    changed = write_lock(path, captured.lock)
    send_captured(arguments, path, config, console)
    vendor_captured(arguments, captured.lock, config, console)
    if arguments.json:
        console.out(json.dumps(_summary(captured, path), indent=2, sort_keys=True))
        return ExitStatus.OK
    console.summary(render_lock_summary(captured.lock, color=console.color))
    console.say(Message.WROTE if changed else Message.UNCHANGED, path=path)
    return ExitStatus.OK


def _own(path: Path | None, config: Config) -> list[Path]:
    """Return what envlock writes itself, which is no part of what it captures."""
    if path is None:
        return []
    from envlock.cli.package_sources import own_folder

    kept = own_folder(config)
    return [path, objects_beside(path), *([kept] if kept else [])]


def _lock_path(arguments: argparse.Namespace, config: Config) -> Path | None:
    """Return the path to write the lock to, None for standard output."""
    if arguments.output == "-" or (arguments.output and is_standard_output(Path(arguments.output))):
        if arguments.json:
            raise UsageError("with -o - the lock itself goes to standard output", where="--json")
        if arguments.push or arguments.vendor:
            option = "--push" if arguments.push else "--vendor"
            raise UsageError("with -o - there is no lock to push or vendor", where=option)
        return None
    if arguments.name is not None and arguments.name != safe_name(arguments.name):
        raise UsageError(
            f"not a valid name of an environment: {arguments.name!r}",
            hint="use letters, digits, dots, dashes and underscores; for another path use -o PATH",
        )
    name = arguments.name or environment_name(arguments.target, config)
    path = Path(arguments.output or Path(config.locks.dir) / f"{name}.lock")
    require_remote(arguments, path, config)
    return path


def _refuse_to_lose_sections(arguments: argparse.Namespace, path: Path, lock: Lock) -> None:
    """Raise UsageError if a lock of some sections would replace one that has others too."""
    if arguments.output or arguments.name or not (arguments.only or arguments.skip):
        return
    try:
        before = read_lock(path)
    except (OSError, EnvlockError):
        return
    skipped = {name for name, facts in lock.coverage.items() if facts["status"] == "skipped"}
    lost = [name for name in before.sections if coverage_of(name) in skipped]
    if lost:
        raise UsageError(
            f"the existing lock has sections that were not captured now: {', '.join(lost)}",
            where=str(path),
            hint="write another lock with --name or -o, or capture all sections",
        )


@contextmanager
def _recording(name: str | None) -> Iterator[BinaryIO | None]:
    """Open the file of ``--record``, which is complete or not there."""
    if name is None:
        yield None
        return
    try:
        with output(Path(name)) as stream:
            if name.endswith(".zst"):
                import zstandard

                with zstandard.ZstdCompressor().stream_writer(stream, closefd=False) as packed:
                    yield packed
            else:
                yield stream
    except OSError as error:
        raise UsageError(f"cannot write the recording: {error.strerror}", where=name) from error


def _warn_about_gaps(captured: Capture, console: Console) -> None:
    """Warn about secret files that were left out and about coverage gaps."""
    for path, rule in sorted(captured.left_out.items())[:_FEW]:
        console.say(Message.SECRET_LEFT_OUT, path=path, rule=rule)
    if len(captured.left_out) > _FEW:
        console.say(Message.MORE_SECRETS_LEFT_OUT, count=len(captured.left_out) - _FEW)
    if captured.redacted:
        console.say(Message.KEPT_WITHOUT_SECRETS, count=len(captured.redacted))
    for name, coverage in sorted(captured.coverage.items()):
        if coverage.gaps:
            first, more = min(coverage.gaps), len(coverage.gaps) - 1
            console.say(
                Message.COVERAGE_GAPS if more else Message.COVERAGE_GAP,
                section=name,
                status=coverage.status,
                where=first.where,
                reason=first.reason,
                count=more,
            )
        for gap in sorted(coverage.gaps):
            console.detail(f"  {name}: {gap.where}: {gap.reason}")
    for name, seconds in captured.seconds.items():
        console.detail(f"  {name}: {seconds:.3f} s")


def _warn_about_packages_by_value(captured: Capture, console: Console) -> None:
    """Warn about Debian packages that no index had, with the size that they take in the store."""
    sizes: Counter[str] = Counter()
    for row in captured.tree.rows if captured.tree else ():
        is_package = row.owner.startswith("deb ") and row.file_class is FileClass.PACKAGE
        if is_package and row.source.startswith("blob "):
            sizes[row.owner] += row.entry.size
    if not sizes:
        return
    largest = sorted(sizes, key=lambda owner: (-sizes[owner], owner))
    more = f" and {len(sizes) - _FEW} more" if len(sizes) > _FEW else ""
    console.say(
        Message.PACKAGES_BY_VALUE,
        count=len(sizes),
        size=f"{sum(sizes.values()) / 1e6:,.1f}",
        names=", ".join(owner.removeprefix("deb ") for owner in largest[:_FEW]) + more,
    )


def _summary(captured: Capture, path: Path) -> dict[str, object]:
    """Return the document of ``--json``."""
    found = digests(captured.lock)
    return {
        "schema_version": 1,
        "lock": str(path),
        "environment_digest": found.environment,
        "host_digest": found.host,
        "entries": {name: len(entries) for name, entries in captured.lock.sections.items()},
        "coverage": {name: dict(facts) for name, facts in captured.lock.coverage.items()},
        "left_out": dict(sorted(captured.left_out.items())),
        "redacted": dict(sorted(captured.redacted.items())),
        "state": state_document(captured.lock),
        "incremental": captured.is_incremental,
        "files": captured.files,
        "bytes": captured.size,
        "seconds": {name: round(seconds, 3) for name, seconds in captured.seconds.items()},
    }
