"""What the command, the account and the variables of a container name, and what does not exist.

Sources: OCI image-spec, config.md; execve(2); ld.so(8); the manuals of the programs that read a
variable.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from envlock.capture.context import Context
from envlock.capture.discover.accounts import is_in_file
from envlock.capture.discover.interpreters import Interpreters, parse_interpreter
from envlock.model.process import ProcessConfig
from envlock.model.tree import Entry, EntryType
from envlock.targets.base import Capability

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HEAD, _LARGEST = 256, 1024 * 1024
_PRELOAD = "LD_PRELOAD"
_PATHS = frozenset(
    {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "GOROOT", "JAVA_HOME", "JRE_HOME",
     "NODE_EXTRA_CA_CERTS", "PIP_CERT", "PYTHONHOME", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"}
)  # fmt: skip
"""Variables whose reader fails, or trusts nobody, where the one path in them does not exist."""


def start_faults(process: ProcessConfig, context: Context) -> dict[str, str]:
    """Return the facts of a command that its engine cannot start.

    Nothing is said of a process that runs, of what lies in a volume, and without a file tree.
    """
    if Capability.FILES not in context.capabilities or process.exe or process.is_session:
        return {}
    facts: dict[str, str] = {}
    command = (*process.entrypoint, *process.cmd)
    if command:
        facts |= _program(command[0], process, context)
    for name, path in zip(process.user.split(":", 1), ("/etc/passwd", "/etc/group"), strict=False):
        if name and not name.isdecimal() and is_in_file(name, path, context) is False:
            facts.setdefault("user-missing", name)
    return facts


def gone_path(name: str, value: str, context: Context) -> str:
    """Return the path that a variable names and that does not exist, empty if there is none."""
    if Capability.FILES not in context.capabilities or name not in _PATHS | {_PRELOAD}:
        return ""
    paths = value.replace(":", " ").split() if name == _PRELOAD else [value]
    return next(
        (path for path in paths if path.startswith("/") and context.is_gone(path)),
        "",
    )


def _program(name: str, process: ProcessConfig, context: Context) -> dict[str, str]:
    if "/" in name:
        paths = [posixpath.normpath(posixpath.join(process.workdir or "/", name))]
    else:
        folders = process.environ.get("PATH", _PATH).split(":")
        paths = [f"{folder.rstrip('/')}/{name}" for folder in folders if folder.startswith("/")]
    mounted = tuple(f"{folder.rstrip('/')}/" for folder in _mounted(process))
    if any(f"{path}/".startswith(mounted) for path in paths):
        return {}
    found = [entry for path in paths if (entry := context.stat(context.resolve(path)))]
    files = [each for each in found if each.type in (EntryType.FILE, EntryType.HARDLINK)]
    runnable = next((each for each in files if each.mode & 0o111), None)
    if runnable is not None:
        interpreter = _interpreter(runnable, context)
        is_lost = interpreter and Interpreters(context).is_missing(interpreter)
        return {"interpreter-missing": interpreter} if is_lost else {}
    if files:
        return {"program-not-executable": files[0].path}
    is_proved = all(context.is_gone(path) for path in paths)
    return {"program-missing": name} if is_proved and not found else {}


def _mounted(process: ProcessConfig) -> Iterator[str]:
    """Yield the paths whose content is not that of the captured files."""
    yield from process.volumes
    for mount in process.settings.get("mounts", "").split():
        yield mount.partition(":")[2].removesuffix(":ro")


def _interpreter(entry: Entry, context: Context) -> str:
    stream = context.open(entry) if entry.size <= _LARGEST else None
    if stream is None:
        return ""
    with stream:
        return parse_interpreter(stream.read(_HEAD))
