"""What dpkg and apt write."""
