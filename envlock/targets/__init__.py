"""The only way in to an environment: one read-only protocol, one module per kind of target."""
