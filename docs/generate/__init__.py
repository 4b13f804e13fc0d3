"""Generated parts of README and docs: `make docs` writes them from code and reports, tests compare."""
