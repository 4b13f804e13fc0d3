"""Clients that nobody here wrote, each driving the server over stdio and over HTTP. Not part of the suite."""
