"""Formats of rpm, dnf and zypper."""
