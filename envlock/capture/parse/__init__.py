"""Pure parsers, bytes to values, each naming the document its format is specified in."""
