"""Collectors for the packages of programming languages."""
