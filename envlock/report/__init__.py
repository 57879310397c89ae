"""One renderer per format, pure functions of a report."""
