"""An image of one application: which files of an environment its closure keeps, and why."""
