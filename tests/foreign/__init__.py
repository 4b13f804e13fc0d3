"""Collections that the packages of others write: see `__main__`."""
