"""What rpm and the tools above it write."""
