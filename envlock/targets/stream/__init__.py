"""Targets that arrive as a stream of tar members: containers, images, layouts."""
