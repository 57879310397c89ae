"""Every collector there is, found by looking at the folder they live in."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from envlock.capture import collectors as package
from envlock.capture.spec import Collector


@cache
def collectors() -> tuple[Collector, ...]:
    """Return the collectors, sorted by name.

    Plug-ins are not discovered: two machines must not differ because someone installed one.
    """
    modules = (
        importlib.import_module(f"{package.__name__}.{module.name}")
        for module in pkgutil.iter_modules(package.__path__)
    )
    return tuple(sorted((module.COLLECTOR for module in modules), key=lambda c: c.name))
