"""Extended attributes of a path as fields that people can read."""

from __future__ import annotations

from envlock.formats.binary.file_capabilities import decode_capabilities
from envlock.formats.system.access_lists import parse_access_list
from envlock.model.tree import Xattrs

CAPABILITY, ACCESS_LIST, DEFAULT_LIST = "capability", "acl", "default-acl"
PRIVILEGES = frozenset({CAPABILITY, ACCESS_LIST, DEFAULT_LIST})
"""Fields that say who may do what, so that no update of a package explains them."""

_FIELDS = {
    "security.capability": CAPABILITY,
    "system.posix_acl_access": ACCESS_LIST,
    "system.posix_acl_default": DEFAULT_LIST,
}


def attribute_facts(xattrs: Xattrs) -> dict[str, str]:
    """Return the attributes by field: ``capability``, ``acl``, ``default-acl``, others by name."""
    return {_FIELDS.get(name, name): _text(name, value) for name, value in xattrs}


def _text(name: str, value: bytes) -> str:
    field = _FIELDS.get(name)
    found = None
    if field == CAPABILITY:
        capabilities = decode_capabilities(value)
        found = None if capabilities is None else str(capabilities)
    elif field is not None:
        found = parse_access_list(value)
    if found is not None:
        return found
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return f"0x{value.hex()}"
    return text if text and text.isprintable() else f"0x{value.hex()}"
