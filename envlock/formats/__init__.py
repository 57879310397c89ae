"""Pure parsers of foreign formats, from bytes or text to values.

Each module names the document that specifies its format.
"""
