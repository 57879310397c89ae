"""Binary files: programs, databases, encoded attributes."""
