"""System-wide Flatpak installations: the commit of each application and runtime."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.collector import Collector
from envlock.capture.context import Context
from envlock.formats.system.ini import parse_ini
from envlock.model.record import Record
from envlock.secrets.urls import clean_facts

_ROOT = "/var/lib/flatpak"
_KINDS = ("app", "runtime")
_GROUPS = ("Application", "Runtime")


def collect(context: Context) -> Iterator[Record]:
    """Yield a record for each deployed ref; its key is ``app/ID/ARCH/BRANCH``."""
    for kind in _KINDS:
        for name in context.names(f"{_ROOT}/{kind}"):
            yield from _deployed(f"{kind}/{name}", context)


def _deployed(ref: str, context: Context) -> Iterator[Record]:
    for arch in context.names(f"{_ROOT}/{ref}"):
        if arch == "current":  # a symbolic link to the default branch
            continue
        for branch in context.names(f"{_ROOT}/{ref}/{arch}"):
            folder = f"{_ROOT}/{ref}/{arch}/{branch}/active"
            link = context.stat(folder)
            if link is None or not link.target:
                context.gap(folder, "no commit is active")
                continue
            facts = {
                "commit": link.target,
                "origin": _origin(context.read(f"{folder}/deploy") or b""),
                "runtime": _runtime(context.text(f"{folder}/metadata") or ""),
            }
            yield Record("flatpak", f"{ref}/{arch}/{branch}", clean_facts(facts))


def _origin(deploy: bytes) -> str:
    """Return the remote of a ref: the first string of its GVariant ``(ssasta{sv})``."""
    text, end, _ = deploy.partition(b"\0")
    return text.decode("utf-8", "replace") if end and text.isascii() else ""


def _runtime(metadata: str) -> str:
    for section in parse_ini(metadata):
        if section.name in _GROUPS and section.text("runtime"):
            return section.text("runtime")
    return ""


COLLECTOR = Collector(
    name="flatpak",
    sections=("flatpak",),
    reads=(
        *(f"{_ROOT}/{kind}/*/*/*/active/deploy" for kind in _KINDS),
        *(f"{_ROOT}/{kind}/*/*/*/active/metadata" for kind in _KINDS),
    ),
    collect=collect,
    needs_scan=True,  # only so that a container engine does not prefetch the whole directory
    sources=("flatpak(1)", "flatpak-metadata(5)", "flatpak, common/flatpak-dir.c"),
)
