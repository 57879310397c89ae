"""Targets on another machine, reached over ssh."""
