"""The image: its layers, its OCI documents, and the bytes of its archives."""
