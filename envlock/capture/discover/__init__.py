"""Discovery: software and devices that several collectors look for in the same way."""
