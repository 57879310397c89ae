"""The files of an image: which of them, with which metadata, and their bytes."""
