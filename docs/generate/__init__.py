"""What in README and docs is made from code and reports: `make docs` writes it, tests compare."""
