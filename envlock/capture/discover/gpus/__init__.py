"""GPUs and their drivers, one module per vendor."""
