"""The values everything else speaks in: text only, frozen, free of input and output.

Read in this order: `text` (how bytes become text), `facts` (sections and fact names),
`record`, `coverage`, `tree`, `lock`, `digest`.
"""
