"""Keep secrets out of locks, the store and reports: scan, redact, disclose, clean URLs."""
