"""Collectors for the libraries of accelerators and linear algebra."""
