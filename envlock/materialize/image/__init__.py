"""The image: its layers, its configuration and the bytes of its archives."""
