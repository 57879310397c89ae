"""Where an image goes, one module per destination."""
