"""A machine that joins an environment: what it lacks, in which order, and by which commands."""
