"""The command line: the only package that prints, and that ends the process."""
