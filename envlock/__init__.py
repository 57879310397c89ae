"""envlock: capture a running environment, diff it, rebuild it bit-identically, prove it.

The library raises `envlock.errors.EnvlockError` and never prints or exits; only
`envlock.cli` does.  Start reading at `envlock.workflow`.
"""

__version__ = "0.1.0"
