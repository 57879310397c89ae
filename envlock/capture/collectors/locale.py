"""Locale and time zone, as the system's own files set them."""

from __future__ import annotations

from collections.abc import Iterator

from envlock.capture.parse.assignments import parse_assignments
from envlock.capture.spec import Collector
from envlock.capture.view import View
from envlock.model.record import Record

_ZONES = "/zoneinfo/"


def collect(view: View) -> Iterator[Record]:
    """Yield the one record of section locale."""
    settings = parse_assignments(
        view.text("/etc/default/locale") or view.text("/etc/locale.conf") or ""
    )
    facts = {name.lower().replace("_", "-"): value for name, value in settings.items() if value}
    zone = (view.text("/etc/timezone") or "").strip() or _zone_of_link(view)
    if zone:
        facts["timezone"] = zone
    generated = _generated(view.text("/etc/locale.gen") or "")
    if generated:
        facts["generated"] = " ".join(generated)
    if facts:
        yield Record("locale", "", facts)


def _zone_of_link(view: View) -> str:
    link = view.stat("/etc/localtime")
    return link.target.partition(_ZONES)[2] if link else ""


def _generated(text: str) -> list[str]:
    """Return the locales that locale-gen(8) is told to make."""
    lines = (line.partition("#")[0].split() for line in text.split("\n"))
    return sorted({words[0] for words in lines if words})


COLLECTOR = Collector(
    name="locale",
    sections=("locale",),
    reads=(
        "/etc/default/locale",
        "/etc/locale.conf",
        "/etc/timezone",
        "/etc/localtime",
        "/etc/locale.gen",
    ),
    collect=collect,
    sources=("locale.conf(5)", "locale-gen(8)", "localtime(5)"),
)
