"""The registry of collectors: every module below `envlock.capture.collectors` has one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from envlock.capture import collectors as package
from envlock.capture.collector import Collector


@cache
def collectors() -> tuple[Collector, ...]:
    """Return all collectors, sorted by name.

    Plug-ins are not discovered: two machines must not differ because someone installed one.
    """
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    modules = (importlib.import_module(module.name) for module in found if not module.ispkg)
    return tuple(sorted((module.COLLECTOR for module in modules), key=lambda c: c.name))
