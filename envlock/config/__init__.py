"""Settings: the table of all settings, their ranked sources, and an editor that keeps comments."""
