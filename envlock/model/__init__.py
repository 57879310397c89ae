"""The data model: immutable values of plain text, without input or output.

Read in this order: `text` (how bytes become text), `facts` (sections and fact names),
`record`, `coverage`, `tree`, `lock`, `digest`.
"""
