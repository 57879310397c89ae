"""Policy: what a team has decided about differences, applied once, before any renderer.

The order: ignore rules and presets, expectations, severity, baseline, waivers, verdict.
"""
