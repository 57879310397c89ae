"""Inconsistencies within one environment: parts that cannot work together, as its lock proves."""
