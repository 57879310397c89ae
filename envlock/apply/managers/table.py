"""The package managers, by the name that plans have for them."""

from __future__ import annotations

from collections.abc import Mapping

from envlock.apply.managers.apt import Apt
from envlock.apply.managers.base import PackageTool

MANAGERS: Mapping[str, PackageTool] = {each.name: each for each in (Apt(),)}
