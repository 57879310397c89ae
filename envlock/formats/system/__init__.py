"""What a Linux system writes about itself: accounts, units, mounts, settings."""
