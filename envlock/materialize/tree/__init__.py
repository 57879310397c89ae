"""The files of an image: which there are, their metadata, and their content."""
