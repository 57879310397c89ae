"""The third wing: rebuild a lock from references plus residue, without running a script."""
