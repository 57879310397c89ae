"""What runs when a Python interpreter starts: ``.pth`` files and customization modules.

Source: the `site` module of Python's library reference.
"""

from __future__ import annotations

import hashlib
import posixpath

from envlock.capture.context import Context
from envlock.capture.discover.python_envs import PythonEnv
from envlock.formats.python import parse_pth
from envlock.model.text import sort_key, to_bytes

STARTUP_MODULES = ("sitecustomize.py", "usercustomize.py")
_SMALL = 1024 * 1024


def startup_facts(env: PythonEnv, context: Context) -> dict[str, str]:
    """Return the facts of startup files (.pth, sitecustomize.py) that no distribution owns.

    `startup` are the names of the files, `startup-code` is the digest of the code in them,
    `lost-paths` are the files (owned ones too) that add a directory which does not exist, and
    `shadowed` are the modules that exist both in the environment and in an added directory.
    """
    names, code, shadowed = [], [], set()
    for folder in env.folders:
        inside = context.names(folder)
        for name in inside:
            path = f"{folder}/{name}"
            if not (name.endswith(".pth") or name in STARTUP_MODULES) or context.owner(path):
                continue
            text = context.text(path, _SMALL) or ""
            names.append(name)
            startup = parse_pth(text) if name not in STARTUP_MODULES else None
            code += [name, *startup.code] if startup else [name, text]
            for added in startup.paths if startup else ():
                where = posixpath.normpath(posixpath.join(folder, added))
                shadowed |= _modules(context, where) & {*inside}
    has_code = len(code) > len(names)
    return {
        "startup": " ".join(names),
        "startup-code": _digest(code) if has_code else "",
        "lost-paths": _lost_paths(env, context),
        "shadowed": " ".join(sorted(name.removesuffix(".py") for name in shadowed)),
    }


def _modules(context: Context, folder: str) -> set[str]:
    """Return the names in a scanned directory that could be imported."""
    if context.entry(folder) is None:
        return set()
    return {name for name in context.names(folder) if name.removesuffix(".py").isidentifier()}


def _lost_paths(env: PythonEnv, context: Context) -> str:
    """Return the ``.pth`` files that add a directory which does not exist."""
    found = []
    for folder in env.folders:
        for name in context.names(folder):
            if not name.endswith(".pth"):
                continue
            added = parse_pth(context.text(f"{folder}/{name}", _SMALL) or "").paths
            if any(context.is_gone(path) for path in added if path.startswith("/")):
                found.append(name)
    return " ".join(sorted(found, key=sort_key))


def _digest(lines: list[str]) -> str:
    content = b"".join(to_bytes(line) + b"\n" for line in lines)
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
