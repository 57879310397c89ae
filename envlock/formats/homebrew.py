"""Homebrew: the receipts of installed formulae.

Sources: Homebrew, ``Library/Homebrew/tab.rb`` (``INSTALL_RECEIPT.json``).
"""

from __future__ import annotations

from typing import NamedTuple

from envlock.formats.json_values import at, json_or_none, text_at


class Receipt(NamedTuple):
    """A receipt: the tap, the variant (``stable`` or ``HEAD``), and who asked for the formula."""

    tap: str
    spec: str
    mark: str
    is_bottle: bool | None


def parse_receipt(text: str) -> Receipt | None:
    """Return a receipt, or None when the text is not one."""
    document = json_or_none(text)
    if not isinstance(document, dict) or not isinstance(at(document, "source"), dict):
        return None
    mark = "auto" if at(document, "installed_as_dependency") is True else ""
    if at(document, "installed_on_request") is True:
        mark = "manual"
    poured = at(document, "poured_from_bottle")
    return Receipt(
        tap=text_at(document, "source", "tap") or text_at(document, "tapped_from"),
        spec=text_at(document, "source", "spec"),
        mark=mark,
        is_bottle=poured if isinstance(poured, bool) else None,
    )
