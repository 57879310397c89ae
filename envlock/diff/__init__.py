"""The second wing: compare two locks, say what drifted and what is unknown."""
