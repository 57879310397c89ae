"""Targets read as streams of tar members: containers, images and image layouts."""
