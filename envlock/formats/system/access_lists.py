"""POSIX access control lists, as Linux keeps them in extended attributes.

Sources: acl(5) for the text, linux/posix_acl_xattr.h for the binary form.
"""

from __future__ import annotations

import struct

_VERSION = 2
_HEADER = struct.Struct("<I")
_ENTRY = struct.Struct("<HHI")
_TAGS = {0x01: "user", 0x02: "user", 0x04: "group", 0x08: "group", 0x10: "mask", 0x20: "other"}
_NUMBERED = frozenset({0x02, 0x08})


def parse_access_list(raw: bytes) -> str | None:
    """Return the short text form of an access control list, or None when it is none.

    >>> parse_access_list(bytes.fromhex("02000000 01000700ffffffff 02000600 21000000"))
    'user::rwx,user:33:rw-'
    """
    if len(raw) < _HEADER.size or (len(raw) - _HEADER.size) % _ENTRY.size:
        return None
    (version,) = _HEADER.unpack_from(raw)
    entries = list(_ENTRY.iter_unpack(raw[_HEADER.size :]))
    if version != _VERSION or not all(tag in _TAGS for tag, _, _ in entries):
        return None
    return ",".join(
        f"{_TAGS[tag]}:{number if tag in _NUMBERED else ''}:{_rights(bits)}"
        for tag, bits, number in entries
    )


def _rights(bits: int) -> str:
    return "".join(name if bits & bit else "-" for name, bit in (("r", 4), ("w", 2), ("x", 1)))
