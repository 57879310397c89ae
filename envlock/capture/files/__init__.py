"""What is recorded of each path: its owner, its class, its deviations."""
