"""The content-addressed store: objects, references, stat cache, garbage collection."""
