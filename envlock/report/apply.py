"""A plan of apply as text for people: what is done in which order, what is risky, what is left."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from envlock.apply.plan import PackageChange, Plan, Step, Verb
from envlock.report.input import Canvas
from envlock.report.lines import Line, Piece, line, paint
from envlock.report.visible import visible

_SHOWN = 12
_SIGNS = {Verb.INSTALL: "+", Verb.REMOVE: "-"}
_UNITS = ("B", "KB", "MB", "GB", "TB")


def render_plan(plan: Plan, canvas: Canvas, *, full: bool) -> str:
    """Return text: each phase with its steps, then what no step removes.

    With `full` no list is cut.
    """
    return paint(_page(plan, canvas, full=full), color=canvas.color)


def _page(plan: Plan, canvas: Canvas, *, full: bool) -> Iterator[Line]:
    arrow = "->" if canvas.ascii else "→"
    title = Piece("PLAN" if plan.steps else "NOTHING TO DO", "bold")
    yield line(title, f"  {visible(plan.target)} {arrow} as in {visible(plan.lock)}")
    if plan.steps:
        yield line(f"{counted(plan)}, {size_text(sum(step.size for step in plan.steps))}")
    for phase, group in groupby(plan.steps, key=lambda step: step.phase):
        yield line()
        yield line(Piece(phase, "bold"))
        steps = list(group)
        shown = steps if full else steps[:_SHOWN]
        for step in shown:
            yield from _step(step, arrow, full=full)
        if len(shown) < len(steps):
            yield line(Piece(f"  {len(steps) - len(shown):,} more, --all shows them", "dim"))
    yield from _left(plan, full=full)


def counted(plan: Plan) -> str:
    """Return how many steps a plan has, and how many of them deserve a look.

    >>> counted(Plan(lock="a", lock_digest="", target="host", machine="", steps=()))
    '0 steps'
    """
    count, risky = len(plan.steps), sum(bool(step.risk) for step in plan.steps)
    kept = sum(not step.has_undo for step in plan.steps)
    text = f"{count:,} step{'' if count == 1 else 's'}"
    text += f", {risky:,} marked !" if risky else ""
    return text + (f", {kept:,} cannot be taken back" if kept else "")


def _step(step: Step, arrow: str, *, full: bool) -> Iterator[Line]:
    sign = Piece("!" if step.risk else " ", "bold yellow")
    size = f"  {size_text(step.size)}" if step.size else ""
    yield line(" ", sign, f" {visible(step.summary)}", Piece(size, "dim"))
    changes = step.packages.changes if step.packages else ()
    shown = changes if full else changes[:_SHOWN]
    for change in shown:
        yield line(f"      {_change(change, arrow)}")
    if len(shown) < len(changes):
        yield line(Piece(f"      {len(changes) - len(shown):,} more, --all shows them", "dim"))
    if step.risk:
        yield line(Piece(f"      {visible(step.risk)}", "yellow"))
    if not step.has_undo:
        yield line(Piece("      --undo cannot take all of it back", "yellow"))


def _change(change: PackageChange, arrow: str) -> str:
    sign = _SIGNS.get(change.verb, "~")
    versions = f" {arrow} ".join(v for v in (change.before, change.after) if v)
    old = "" if change.has_undo else "  (the old version cannot be had)"
    return f"{sign} {change.name}:{change.arch}  {versions}  {change.verb}{old}"


def _left(plan: Plan, *, full: bool) -> Iterator[Line]:
    if not plan.left:
        return
    yield line()
    yield line(Piece("left as it is", "bold"))
    for why in dict.fromkeys(each.why for each in plan.left):
        named = [visible(each.key or each.section) for each in plan.left if each.why == why]
        named = list(dict.fromkeys(named))
        shown = named if full else named[:3]
        more = f" and {len(named) - len(shown):,} more" if len(shown) < len(named) else ""
        yield line(f"  {', '.join(shown)}{more}")
        yield line(Piece(f"      {visible(why)}", "dim"))


def size_text(size: int) -> str:
    """Return a number of bytes for people.

    >>> size_text(0), size_text(1536)
    ('0 B', '1.5 KB')
    """
    value = float(size)
    for unit in _UNITS[:-1]:
        if value < 1024:
            return f"{value:.1f} {unit}" if unit != "B" else f"{size} B"
        value /= 1024
    return f"{value:.1f} {_UNITS[-1]}"
