"""A client that logs in at an authorization server made by others."""
