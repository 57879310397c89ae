"""Declared environments: installed once in a sandbox, captured, replayed from the lock."""
