"""Files of a Linux system: accounts, units, mounts, limits, settings."""
