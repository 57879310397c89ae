"""GPUs and their drivers, one module for each maker."""
