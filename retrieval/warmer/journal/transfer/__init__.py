"""A journal in a file: to keep it safe, and to bring it to another machine."""
