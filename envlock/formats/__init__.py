"""Bytes -> values: pure parsers of what others write, each naming the document of its format."""
