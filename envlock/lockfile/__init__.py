"""Bytes <-> `envlock.model.lock.Lock`: the canonical writer and the typed reader."""
