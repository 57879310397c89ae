"""The only way in to an environment: one read-only protocol, one module for each kind of target."""
