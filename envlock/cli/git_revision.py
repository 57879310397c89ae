"""Files at a git revision, named as ``git:REV:PATH``."""

from __future__ import annotations

from envlock.errors import LockfileError, UsageError
from envlock.lockfile.reader import MAX_SIZE

PREFIX = "git:"
"""What an operand that names a file at a git revision starts with."""


def split_revision(operand: str) -> tuple[str, str]:
    """Return the revision and the path of ``git:REV:PATH``, either empty if it is missing."""
    revision, _, path = operand.removeprefix(PREFIX).partition(":")
    return revision, path


def read_revision(operand: str) -> bytes:
    """Return the bytes at ``git:REV:PATH``; PATH is relative to the working directory.

    Raise UsageError when it has another form, LockfileError when git cannot show the file.
    """
    revision, path = split_revision(operand)
    if not revision or not path or revision.startswith("-"):
        raise UsageError(
            f"{operand} is not of the form git:REV:PATH", hint="for example git:main:locks/dev.lock"
        )
    # A diff of two files starts no process, so it does not import the module for one either.
    import subprocess
    from tempfile import TemporaryFile

    argv = ["git", "show", f"{revision}:./{path}"]
    with TemporaryFile() as errors:
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=errors) as shown:
            assert shown.stdout is not None  # noqa: S101  it is a pipe
            content = shown.stdout.read(MAX_SIZE + 1)
            if len(content) > MAX_SIZE:
                shown.kill()
                raise LockfileError(f"larger than {MAX_SIZE:,} bytes", where=operand)
        if shown.returncode:
            errors.seek(0)
            message = errors.read(4096).decode(errors="replace").strip().removeprefix("fatal: ")
            raise LockfileError(f"git cannot read this file: {message}", where=operand)
    return content
