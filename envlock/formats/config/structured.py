"""Structured formats: JSON, TOML and YAML.  Duplicate names are rejected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envlock.formats.config.values import MAX_DEPTH, MAX_VALUES, Document, NonString
from envlock.model import document

if TYPE_CHECKING:
    from yaml import Node

_MAX_YAML = 1 << 16  # characters; the YAML library parses about 100 kB per second
_BRACKET = re.compile(r"[\[\]{}]")
_STRING = "tag:yaml.org,2002:str"


def parse_json(text: str) -> object:
    """Return a JSON value.  Raise ValueError for duplicate names too."""
    return document.parse_json(text, pairs_hook=_unique)


def parse_toml(text: str) -> Document:
    """Return a TOML document."""
    return document.parse_toml(text)


def parse_yaml(text: str) -> object:
    """Return a YAML document, or a list of several.

    No objects are constructed and no tags are applied: scalars stay text, as `NonString` when they
    are not strings.  Aliases are followed up to a limit of values.
    """
    import yaml

    if len(text) > _MAX_YAML or _is_deep(text):
        raise ValueError("too large or too deeply nested")
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, IndexError, AttributeError, TypeError) as error:
        # For some broken texts the library fails with internal errors.
        raise ValueError("not YAML") from error
    values = _Values()
    found = [values.of(node, 0) for node in documents]
    return found[0] if len(found) == 1 else found


def _is_deep(text: str) -> bool:
    """True when more than `MAX_DEPTH` brackets are open, on which the library is very slow."""
    depth = 0
    for match in _BRACKET.finditer(text):
        depth += 1 if match[0] in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


class _Values:
    """Converts nodes to values and limits their number, since aliases can multiply them."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def of(self, node: Node, depth: int) -> object:
        """Return the value of a node."""
        from yaml import MappingNode, ScalarNode, SequenceNode

        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise ValueError("too many values")
        if isinstance(node, ScalarNode):
            return node.value if node.tag == _STRING else NonString(f"{_tag(node.tag)}{node.value}")
        if isinstance(node, SequenceNode):
            return [self.of(item, depth + 1) for item in node.value]
        if not isinstance(node, MappingNode):
            raise ValueError("unknown kind of node")  # noqa: TRY004  the text is wrong
        pairs = [(self._name(key), self.of(item, depth + 1)) for key, item in node.value]
        return _unique(pairs)

    def _name(self, node: Node) -> str:
        from yaml import ScalarNode

        if not isinstance(node, ScalarNode):
            raise ValueError("a name that is not a scalar")  # noqa: TRY004  the text is wrong
        return str(node.value)


def _tag(tag: str) -> str:
    """Return a prefix for a value with a custom tag, empty for the tags of YAML itself."""
    return "" if tag.startswith("tag:yaml.org,2002:") else f"{tag} "


def _unique(pairs: list[tuple[str, object]]) -> Document:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is listed twice")
    return found
