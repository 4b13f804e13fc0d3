"""Export of a journal to a file and import from it, for backups and moves between machines."""
