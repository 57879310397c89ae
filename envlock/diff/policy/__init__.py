"""What a team says of differences, applied once, before any renderer.

The order: what is ignored and the presets, expectations, severity, baseline, waivers, verdict.
"""
