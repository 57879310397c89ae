"""Package files that content comes from: their kinds, their sources, the plan, and fetching."""
