"""Published files that a lock refers to: what is needed, where it comes from, how it is read."""
