"""The journal in a SQLite file, shared by the processes of one machine."""
