"""Rules for inconsistencies within one environment, by what cannot work together."""
