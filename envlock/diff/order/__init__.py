"""Version order per ecosystem; comparing strings would call 1.10 older than 1.9."""
