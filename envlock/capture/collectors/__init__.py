"""One collector per module, each ending in ``COLLECTOR = Collector(...)``; none knows another."""
