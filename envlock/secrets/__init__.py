"""What may be recorded, shown or written down, and what must not."""
